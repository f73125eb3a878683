"""Some rounds with one gateway, one sequencer and one database, and what must hold after each."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from gateway import db
from gateway.audit.replay import LATE
from gateway.audit.tables import audit_chain, audit_entry
from gateway.audit.verify import verify
from gateway.identity.keyring import Keyring
from scripts._campaign_load import Load
from scripts._campaign_server import SETTLE_S, Server
from tests.conftest import MIGRATIONS
from tests.e2e.running import Gateway, until
from tests.e2e.upstream import Upstream

SPOOL_MB = 1
LOAD_S = (0.3, 1.0)


@dataclass(frozen=True, slots=True)
class Way:
    """How a gateway keeps its log: in which database, when durable, with a spool or none."""

    database: str
    durable: str
    spool: bool

    def __str__(self) -> str:
        return f"{self.database}, {self.durable}, {'spool' if self.spool else 'no spool'}"


class Block:
    """A gateway, a sequencer, a database and a spool, for some rounds. Closes what it opened."""

    def __init__(self, way: Way, upstream: Upstream, server: Server) -> None:
        self._stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="gateway-campaign-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.way, self.upstream = way, upstream
        self.server = server if way.database == "postgresql" else None
        self.url, through = self._databases()
        self.disk = self._disk() if way.spool else None
        more = (
            {}
            if self.disk is None
            else {"audit_spool": str(self.disk / "spool"), "audit_spool_mb": "64"}
        )
        self.gateway = Gateway(
            self.folder,
            upstream,
            database_url=self.url,
            detectors="patterns",
            audit_durable=way.durable,
            audit_sequence_s="0",
            audit_heartbeat_s="1",
            audit_abandoned_s="3",
            log_level="error",
            **more,
        )
        self.gateway.environ["GATEWAY_DATABASE_URL"] = through
        self._stack.callback(self._end)
        self.gateway.start()
        self._said = self.folder / "sequencer.log"
        self.sequencer = self._sequence()
        self.key = Keyring.open(self.gateway.data / "keyring.json").audit_key
        self.whole: set[str] = set()
        self.seen = len(upstream.requests)

    def close(self) -> None:
        self._stack.close()

    def round(self, crash: Callable[[Block], None]) -> int:
        """One round with this crash in it; how many exchanges were asked for."""
        with Load(self.gateway, self.upstream) as load:
            time.sleep(random.uniform(*LOAD_S))
            crash(self)
            time.sleep(random.uniform(0.1, 0.5))
        self.whole |= load.whole
        self.check(settled=False)
        return load.asked

    def check(self, *, settled: bool) -> None:
        """settled: whether also nothing may be open any more."""
        assert self.sequencer.poll() is None, "the sequencer has ended by itself"
        until(lambda: not self.spooled(), within_s=SETTLE_S)
        if settled:
            self._await_ends()
        report = self._report()
        assert report.ok, report.problems[:5]
        entries = self._entries()
        arrived = {r.json["model"] for r in self.upstream.requests[self.seen :]}
        opened, closed = entries["exchange.opened"], entries["exchange.closed"]
        assert arrived <= opened.keys(), f"not opened: {sorted(arrived - opened.keys())[:5]}"
        assert max(opened.values(), default=0) <= 1, "opened twice"
        assert max(closed.values(), default=0) <= 1, "closed twice"
        if settled or self.way.durable == "before_release":
            ended = closed.keys() | entries[LATE].keys()
            assert self.whole <= ended, f"not closed: {sorted(self.whole - ended)[:5]}"
        if self.way.durable == "before_release":
            told = entries["completed"].keys()
            assert self.whole <= told, f"not told: {sorted(self.whole - told)[:5]}"

    def _await_ends(self) -> None:
        """Until every exchange has its end; tells where those stand that have none."""
        try:
            until(lambda: not self._report().unclosed_count, within_s=SETTLE_S)
        except AssertionError:
            print(*self._report().unclosed, sep="\n")
            with db.snapshot(self.gateway.engine) as connection:
                chains = connection.execute(select(audit_chain)).mappings()
                fields = ("replica", "epoch", "n", "opened_ms", "closed_ms")
                print(*({name: chain[name] for name in fields} for chain in chains), sep="\n")
            print(self._said.read_text("utf-8")[-2_000:], self.sequencer.poll())
            raise

    def spooled(self) -> bool:
        return self.disk is not None and any((self.disk / "spool").glob("*.spool"))

    def sequencer_waits(self) -> bool:
        """Whether it has found no database, and has not ended for that."""
        assert self.sequencer.poll() is None, "the sequencer has ended by itself"
        # SQLite is there also while it is locked.
        return self.server is None or "Waiting for it" in self._said.read_text("utf-8")

    def restart_sequencer(self) -> None:
        self.sequencer.kill()
        self.sequencer.wait()
        time.sleep(random.uniform(0, 0.5))
        self.sequencer = self._sequence()

    def _report(self) -> Any:
        for _ in range(20):
            # What a crash left in the pool is dead.
            self.gateway.engine.dispose()
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
        with self._said.open("wb") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "gateway", "audit", "sequence"],
                env=self.gateway.environ,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )

    def _databases(self) -> tuple[str, str]:
        """URLs of a new database: straight, and as the gateway is to reach it."""
        if self.server is not None:
            return self.server.new()
        url = f"sqlite:///{self.folder / 'gateway.db'}"
        db.upgrade(url, MIGRATIONS)
        return url, url

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
