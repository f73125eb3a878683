"""The real gateway as a process: `gateway serve`, with files and ports of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import openai
from sqlalchemy import create_engine, make_url
from typer.testing import CliRunner

from gateway import db
from gateway.audit.query import Filters, query
from gateway.cli import app
from gateway.clock import SystemClock
from gateway.identity.keyring import Keyring
from gateway.identity.keytable import KeyTable
from tests.conformance.vendors import Vendors
from tests.e2e import canaries
from tests.e2e.upstream import Upstream

POLICIES = Path(__file__).parents[2] / "policies"
START_S = 90
STOP_S = 40

CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - name: up
    kind: openai
    url: "{url}"
    credential: env:E2E_CREDENTIAL
    region: here
    terms: none
    circuit: {{failures: 0}}
  - name: impatient
    kind: openai
    url: "{url}"
    terms: none
    timeouts: {{first_byte_s: 0.6, between_bytes_s: 0.6}}
  - {{name: nobody, kind: openai, url: "http://127.0.0.1:1/v1", terms: none}}
models:
  - {{name: plain-name, backend: up, upstream_model: up-echo-renamed}}
  - {{name: "up-*", backend: up}}
  - {{name: "impatient-*", backend: impatient}}
  - {{name: "nobody-*", backend: nobody}}
"""


class Gateway:
    """One gateway. Stopping it checks that nothing leaked into its files and its output.

    database_url: migrated. policy: a shipped one, by name. plugins: a folder with installed
    packages. settings: others, by name.
    """

    def __init__(
        self,
        folder: Path,
        upstream: Upstream | Vendors,
        *,
        database_url: str,
        policy: str = "default",
        detectors: str = "patterns,pii",
        workers: int = 1,
        plugins: Path | None = None,
        catalogue: str = CATALOGUE,
        **settings: str,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(mode=0o700)
        self.policy = Path(shutil.copy(POLICIES / f"{policy}.yaml", folder / "policy.yaml"))
        self.catalogue = folder / "catalogue.yaml"
        self.catalogue.write_text(catalogue.format(url=upstream.url))
        self.database_url = database_url
        self.workers = workers
        self.process: subprocess.Popen[bytes] | None = None
        port, admin_port = free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        self.admin_url = f"http://127.0.0.1:{admin_port}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
        self.environ = kept | {
            "GATEWAY_CACHE": os.environ["GATEWAY_CACHE"],
            "GATEWAY_DATA": str(self.data),
            "GATEWAY_DATABASE_URL": database_url,
            "GATEWAY_CATALOGUE": str(self.catalogue),
            "GATEWAY_POLICY": str(self.policy),
            "GATEWAY_PORT": str(port),
            "GATEWAY_ADMIN_PORT": str(admin_port),
            "GATEWAY_DETECTORS": detectors,
            "GATEWAY_WORKERS": str(workers),
            "GATEWAY_REPLICA": "e2e",
            "GATEWAY_RELOAD_S": "1",
            "GATEWAY_LOG_LEVEL": "debug",
            "E2E_CREDENTIAL": upstream.credential,
        }
        self.environ |= {f"GATEWAY_{name.upper()}": value for name, value in settings.items()}
        if plugins is not None:
            paths = [str(plugins), os.environ.get("PYTHONPATH", "")]
            self.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        Keyring.open(self.data / "keyring.json")
        self.engine = db.open_engine(database_url)
        self.key_id, self.key = self._new_key()
        self._client = httpx.Client(timeout=30, trust_env=False)

    def _new_key(self) -> tuple[str, str]:
        who, key = KeyTable(self.engine, SystemClock()).new("e2e", roles=("admin",))
        return who.key_id, key

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        stdout = self.folder / "stdout.log"
        stdout.write_bytes(b"")
        with stdout.open("wb") as out, (self.folder / "stderr.log").open("ab") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", "--json"],
                env=self.environ,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        until(lambda: self.ended or b'"ready"' in stdout.read_bytes(), within_s=START_S)
        assert not self.ended, self.log

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(STOP_S)

    def kill(self) -> None:
        """Kill -9: it and all its processes at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_S)

    def close(self) -> None:
        """End it however it stands, and look for leaks."""
        if self.process is not None and not self.ended:
            self.stop()
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self._client.close()
        self.engine.dispose()
        assert not canaries.seen_in_files(self.folder, [self.key])

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return (self.folder / "stderr.log").read_text()

    def sdk(self, key: str = "") -> openai.OpenAI:
        """The official client, changed only in base URL and key."""
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key or self.key)

    def async_sdk(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=self.key)

    def post(self, model: str, text: str = "Hello there.", **more: Any) -> httpx.Response:
        """One plain HTTP exchange. more: further fields of the body."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return self.post_raw(json.dumps(body).encode())

    def post_raw(self, body: bytes, **headers: str) -> httpx.Response:
        own = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        headers = {**own, **headers}
        return self.ask("POST", "/v1/chat/completions", content=body, headers=headers)

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """Any request, to the door, or to the admin app if a whole URL is given."""
        url = path if path.startswith("http:") else self.url + path
        return self._client.request(method, url, **how)

    @contextmanager
    def streaming(self, model: str, text: str = "Hello there.") -> Iterator[httpx.Response]:
        """A streamed exchange, left when the block ends."""
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": text}]}
        headers = {"authorization": f"Bearer {self.key}"}
        url = f"{self.url}/v1/chat/completions"
        with self._client.stream("POST", url, json=body, headers=headers) as response:
            yield response

    def readyz(self) -> tuple[int, dict[str, Any]]:
        response = self.ask("GET", "/readyz")
        return response.status_code, response.json()

    def metrics(self) -> str:
        return self.ask("GET", f"{self.admin_url}/metrics").text

    def entries(self, **filters: Any) -> list[dict[str, Any]]:
        """Audit entries, oldest first."""
        found = Filters(**filters)
        return list(query(self.engine, found, limit=10_000, newest_first=False))

    def ends(self, model: str, count: int = 1) -> list[dict[str, Any]]:
        """The closing entries of the exchanges with this model, once so many are there.

        They become durable a moment after the answer has gone.
        """
        filters = {"model": model, "kind": "exchange.closed"}
        until(lambda: len(self.entries(**filters)) >= count)
        return self.entries(**filters)

    def closed(self, model: str) -> dict[str, Any]:
        """The one closing entry of the one exchange with this model."""
        (entry,) = self.ends(model)
        return entry

    def verify(self) -> tuple[int, dict[str, Any]]:
        """`gateway audit verify`: exit code and report."""
        done = CliRunner().invoke(app, ["audit", "verify", "--json"], env=self.environ)
        return done.exit_code, json.loads(done.stdout)

    @contextmanager
    def database_away(self) -> Iterator[Callable[[], None]]:
        """The database refuses; it is back after the block, or once what this yields is called."""
        self.engine.dispose()
        away = _locked if self.database_url.startswith("sqlite") else _closed
        with ExitStack() as stack:
            stack.enter_context(away(self.database_url))
            yield stack.close

    def processes(self, word: str) -> list[int]:
        """Ids of the processes of this gateway whose command line holds this word."""
        assert self.process is not None
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                pid, session = int(folder.name), os.getsid(int(folder.name))
                line = (folder / "cmdline").read_bytes().decode()
            except (OSError, ProcessLookupError):
                continue
            if session == self.process.pid and pid != session and word in line:
                found.append(pid)
        return sorted(found)


@contextmanager
def _locked(url: str) -> Iterator[None]:
    """A SQLite database that another connection has locked for writing."""
    with closing(sqlite3.connect(make_url(url).database or "")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.rollback()


@contextmanager
def _closed(url: str) -> Iterator[None]:
    """A PostgreSQL database that lets nobody in and has thrown everybody out."""
    name = make_url(url).database
    server = make_url(db.normalise(url)).set(database="postgres")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.exec_driver_sql(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
            try:
                yield
            finally:
                connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    finally:
        admin.dispose()


def until(holds: Callable[[], bool], *, within_s: float = 10) -> None:
    """Wait until something holds; fail if it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not so within {within_s} s"
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports
