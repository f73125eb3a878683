"""A real nats-server: the one on the PATH, or Debian's, fetched once without being root.

Run as a program it only fetches, and says where the server is or why there is none.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

NAME = "nats-server"
# Debian puts it where only root's PATH leads.
SBIN = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))


class Unavailable(Exception):
    """There is no server here, and none can be fetched."""


def program() -> Path:
    """Where the server is. Fetches it if need be. Raises Unavailable."""
    found = shutil.which(NAME, path=SBIN)
    if found:
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = cache / "responsible-use-gateway" / NAME
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            _fetch(Path(folder)).replace(kept)
    return kept


def _fetch(folder: Path) -> Path:
    try:
        _run(folder, "apt-get", "download", NAME)
        (package,) = folder.glob("*.deb")
        _run(folder, "dpkg", "-x", package.name, "tree")
    except (OSError, ValueError, subprocess.SubprocessError) as err:
        raise Unavailable(
            f"no {NAME} on the PATH, and `apt-get download {NAME}` did not get one: "
            f"{type(err).__name__}"
        ) from err
    return folder / "tree" / "usr" / "sbin" / NAME


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=90)


class NatsServer:
    """One on a port of its own, whose streams are in a folder and outlive it."""

    def __init__(self, program: Path, folder: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.place = f"127.0.0.1:{self.port}"
        self._command = [
            *(str(program), "--addr", "127.0.0.1", "--port", str(self.port)),
            *("--jetstream", "--store_dir", str(folder), *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, stdout=quiet, stderr=quiet)
        end = time.monotonic() + 30
        while not self._listens():
            assert self._process.poll() is None, "nats-server ended at once"
            assert time.monotonic() < end, "nats-server does not listen"
            time.sleep(0.05)

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(30)
            self._process = None

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                return line.recv(4) == b"INFO"
        except OSError:
            return False


if __name__ == "__main__":
    try:
        print(program())
    except Unavailable as err:
        print(f"Its tests are skipped: {err}.")
