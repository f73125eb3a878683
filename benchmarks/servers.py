"""Starts what is measured and what it needs, each as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Target, get_json
from gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DETECTORS = {"off": "patterns,pii", "on": Settings().detectors}
_READY_S = 180
_STOP_S = 40
_CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {{name: openai, kind: openai, url: "{url}/v1", credential: env:BENCH_CREDENTIAL}}
  - {{name: anthropic, kind: anthropic, url: "{url}", credential: env:BENCH_CREDENTIAL}}
  - {{name: gemini, kind: gemini, url: "{url}", credential: env:BENCH_CREDENTIAL}}
  - {{name: ollama, kind: ollama, url: "{url}", credential: env:BENCH_CREDENTIAL}}
models:
  - {{name: "openai-*", backend: openai}}
  - {{name: "anthropic-*", backend: anthropic}}
  - {{name: "gemini-*", backend: gemini}}
  - {{name: "ollama-*", backend: ollama}}
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The mock upstream: its origin, and the key that it wants to see."""

    url: str
    credential: str


@contextmanager
def helper(module: str, *arguments: str) -> Iterator[Target]:
    """One of our own servers, which prints its port when it listens."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    with _process(command, dict(os.environ), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"benchmarks.{module} did not start.")
        yield Target(module, int(line), "", process.pid)


class Gateway:
    """A gateway with an empty database, the policy that comes with it, and one key.

    command: the gateway's own. data: a folder to be made. profile: a file for cProfile's
    statistics of the process that serves; empty for none.
    """

    def __init__(
        self, command: str, data: Path, *, model: str, upstream: Upstream, profile: str = ""
    ) -> None:
        data.mkdir()
        catalogue = data / "catalogue.yaml"
        catalogue.write_text(_CATALOGUE.format(url=upstream.url), encoding="utf-8")
        self._port, admin_port = _free_ports(2)
        kept = {
            k: v
            for k, v in os.environ.items()
            if k == "GATEWAY_CACHE" or not k.startswith("GATEWAY_")
        }
        self._environment = kept | {
            "GATEWAY_DATA": str(data),
            "GATEWAY_CATALOGUE": str(catalogue),
            "GATEWAY_PORT": str(self._port),
            "GATEWAY_ADMIN_PORT": str(admin_port),
            "GATEWAY_DETECTORS": DETECTORS[model],
            "GATEWAY_LOG_LEVEL": "warning",
            "BENCH_CREDENTIAL": upstream.credential,
        }
        self._command = [command]
        self._run("db", "upgrade")
        self._key: str = json.loads(self._run("keys", "new", "bench", "--json"))["key"]
        if profile:
            self._command = [sys.executable, "-m", "cProfile", "-o", profile, command]

    async def start(self, stack: ExitStack) -> Target:
        """Serve until the stack is closed. Returns when requests are taken."""
        command = [*self._command, "serve"]
        process = stack.enter_context(
            _process(command, self._environment, stdout=subprocess.DEVNULL)
        )
        await _ready(self._port, process)
        return Target("gateway", self._port, self._key, process.pid)

    def _run(self, *arguments: str) -> bytes:
        command = [*self._command, *arguments]
        done = subprocess.run(
            command, env=self._environment, cwd=ROOT, stdout=subprocess.PIPE, check=False
        )
        if done.returncode:
            raise SystemExit(f"gateway {' '.join(arguments)}: ended with code {done.returncode}.")
        return done.stdout


@contextmanager
def _process(
    command: Sequence[str], environment: dict[str, str], *, stdout: int
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, stdout=stdout, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def _ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"The gateway ended with code {process.returncode} while starting.")
        try:
            status, _ = await get_json(port, "/readyz")
        except OSError:
            status = 0
        if status == 200:
            return
        await asyncio.sleep(0.1)
    raise SystemExit(f"The gateway was not ready within {_READY_S} s.")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in found]
