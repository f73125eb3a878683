"""Starts processes on this machine, waits until they answer, and ends those and no others."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

HERE = "127.0.0.1"
START_S = 180
STOP_S = 30
LOOK_S = 0.2


class Failed(Exception):
    """Something could not be started or did not end well."""


@contextlib.contextmanager
def started(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    log: Path,
    port: int,
    path: str,
    cwd: Path,
) -> Iterator[float]:
    """A process from when it answers GET path with 200 until the block ends; the seconds it took.

    It gets a group of its own, so that what it starts can be ended with it. What it prints
    goes to `log`, whose name is what it is called in errors.
    """
    began = time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_ready(process, log.stem, port, path)
        yield time.monotonic() - began
    finally:
        stop(process)


def wait_ready(process: subprocess.Popen[bytes], name: str, port: int, path: str) -> None:
    """Wait for HTTP 200. Raises Failed if the process ends first or takes too long."""
    ends = time.monotonic() + START_S
    while process.poll() is None:
        if answers(port, path):
            return
        if time.monotonic() > ends:
            raise Failed(f"The {name} was not ready in {START_S} s.")
        time.sleep(LOOK_S)
    raise Failed(f"The {name} ended with {process.returncode} before it was ready.")


def answers(port: int, path: str) -> bool:
    """Whether GET path is answered with 200."""
    with contextlib.closing(http.client.HTTPConnection(HERE, port, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; if it does not, end it with what it started."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def output(command: Sequence[str], *, environ: Mapping[str, str], cwd: Path) -> str:
    """What a command prints. Raises Failed if it does not exit with 0 in time."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise Failed(f"{list(command)} could not be run: {err}") from err
    if done.returncode:
        raise Failed(f"{list(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.bind((HERE, 0))
        return [sock.getsockname()[1] for sock in socks]
