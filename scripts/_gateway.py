"""A gateway on this machine, with a data folder, a catalogue and a key of its own."""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from _checks import fact
from _processes import HERE, free_ports, output, started


class Gateway:
    """Runs while its block does, with the default policy and all default detectors.

    command: what `gateway` is there, arguments of an interpreter included. environ: what it
    needs in its environment beside what is there.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        catalogue: str,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._folder = folder
        self._port, self._admin_port = free_ports(2)
        self._running = contextlib.ExitStack()
        self.url = f"http://{HERE}:{self._port}"
        self.key = ""
        path = folder / "catalogue.yaml"
        path.write_text(catalogue)
        # What is set for another gateway must not reach this one, but for what all may share.
        kept = {
            k: v
            for k, v in os.environ.items()
            if k == "GATEWAY_CACHE" or not k.startswith("GATEWAY_")
        }
        self._environ = {
            **kept,
            **(environ or {}),
            "GATEWAY_DATA": str(folder / "gateway"),
            "GATEWAY_CATALOGUE": str(path),
        }

    def __enter__(self) -> "Gateway":
        self.run("db", "upgrade")
        self.key = json.loads(self.run("keys", "new", "try", "--json"))["key"]
        ports = ["--host", HERE, "--port", str(self._port), "--admin-port", str(self._admin_port)]
        took_s = self._running.enter_context(
            started(
                [*self._command, "serve", *ports],
                environ=self._environ,
                log=self._folder / "gateway.log",
                port=self._port,
                path="/readyz",
                cwd=self._folder,
            )
        )
        fact("Gateway", f"ready after {took_s:.1f} s")
        return self

    def __exit__(self, *error: object) -> None:
        self._running.close()

    def run(self, *arguments: str) -> str:
        """What a command prints. Raises Failed if it does not exit with 0."""
        return output([*self._command, *arguments], environ=self._environ, cwd=self._folder)
