"""The audit log as the pipeline sees it: a Sink whose futures are done when entries are durable."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from gateway import __version__
from gateway.audit import chain
from gateway.audit.append import WriteError
from gateway.audit.closing import Opened, closing
from gateway.audit.payloads import Payloads, commit
from gateway.audit.spool import Spool
from gateway.audit.store import Store
from gateway.audit.tail import SPOOL_ENTRIES, Queued, Tail
from gateway.audit.writer import BATCHES, ROWS, Writer
from gateway.core.errors import RecordUnavailable
from gateway.core.ids import new_id
from gateway.core.ports import Clock, Counters, Entry

DROPPED = "audit_dropped_total"
# The error of an exchange that was refused and yet is on record as opened.
UNMADE = "record_unavailable"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may wait, and for how long.

    max_queue: entries that wait for a commit; more are refused at once.
    max_backlog: entries that report what has happened and wait for the database to come
    back; more are lost, and counted. open_wait_s, close_wait_s: when the future of an
    entry that opens an exchange, or of any other, fails. drain_s: how long `aclose` waits.
    answer_s: how long PostgreSQL may take for one batch.
    """

    max_queue: int = 5_000
    max_backlog: int = 10_000
    max_batch: int = 256
    open_wait_s: float = 10.0
    close_wait_s: float = 5.0
    drain_s: float = 10.0
    answer_s: float = 5.0


class AuditLog:
    """Appends entries to this process's own hash chain. Implements `core.ports.Sink`.

    replica: names this process among those that share the database; chains of the same
    name follow each other. spool: where entries go while the database is away. heartbeat_s:
    how often at least an entry will come, as the chain's first entry promises. payloads: what
    seals those of entries; without it, none may have one. Belongs to the event loop that `start`s
    it, after any fork.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        key: bytes,
        replica: str,
        clock: Clock,
        counters: Counters,
        limits: Limits | None = None,
        spool: Spool | None = None,
        heartbeat_s: int = 0,
        payloads: Payloads | None = None,
    ) -> None:
        self._replica = replica
        self._clock = clock
        self._counters = counters
        self._limits = limits or Limits()
        for name in (DROPPED, ROWS, BATCHES):
            counters.add(name, 0)
        self._tail = Tail(
            Store(engine, key, answer_s=self._limits.answer_s),
            chain_data={"gateway": __version__, "heartbeat_s": heartbeat_s},
            clock=clock,
            counters=counters,
            spool=spool,
            payloads=payloads,
        )
        self._writer = Writer(
            self._tail,
            tell=self._tell,
            clock=clock,
            counters=counters,
            max_batch=self._limits.max_batch,
        )
        self._thread = threading.Thread(
            target=self._writer.run, name="gateway-audit-writer", daemon=True
        )
        self._open = False
        self._loop: asyncio.AbstractEventLoop | None = None
        # What came in this turn of the loop; the writer gets all of it at once.
        self._turn: list[Queued] = []

    async def start(self) -> None:
        """Open the chain and start writing.

        Raises RecordUnavailable if the database does not answer, ConfigError if its log
        was sealed with another key or tampered with.
        """
        self._loop = loop = asyncio.get_running_loop()
        self._opening = _Deadlines(loop, self._limits.open_wait_s)
        self._closing = _Deadlines(loop, self._limits.close_wait_s)
        try:
            await asyncio.to_thread(self._tail.open, self._replica)
        except WriteError as err:
            raise RecordUnavailable(f"the audit log cannot be opened ({err})") from err
        self._thread.start()
        self._open = True

    async def aclose(self) -> None:
        """Write what is queued, close the chain, end the thread. Waits `drain_s` at most."""
        if not self._open:
            return
        self._open = False
        self._hand_over()
        self._writer.stop(self._limits.drain_s)
        # A commit that hangs is given its own deadline by the driver.
        await asyncio.to_thread(self._thread.join, self._limits.drain_s + 15)
        if self._writer.backlog:
            self._counters.add(DROPPED, len(self._writer.backlog))

    @property
    def ready(self) -> bool:
        """Whether a new exchange could be recorded now."""
        return self._open and not self._writer.failing

    @property
    def trouble(self) -> str:
        """Why not, in words for an operator; empty if `ready`."""
        return self._writer.failing or ("" if self._open else "the audit log is not open")

    @property
    def caution(self) -> str:
        """What an operator should know although all is recorded; empty if nothing."""
        waiting = self._counters.values[SPOOL_ENTRIES]
        if not waiting:
            return ""
        return f"the database is away; {waiting} entries wait for it in the spool"

    def append(self, entry: Entry) -> asyncio.Future[None]:
        """Queue the entry at once; the future is done when it is durable.

        Raises RecordUnavailable: at once if the queue is full or, for an entry that opens
        an exchange, while the database is away; from the future if the commit fails or
        takes too long. Any other entry reports what has happened, so it is kept and
        written later even though its future has failed.
        """
        if not self._open or self._loop is None or not self._writer.alive:
            raise RecordUnavailable(self.trouble)
        kept = entry.kind != chain.OPENED
        self._admit(kept)
        texts = chain.columns(
            (
                entry.exchange_id,
                entry.kind,
                entry.tenant,
                entry.application,
                entry.key_id,
                entry.model,
                entry.provider,
                entry.outcome,
            )
        )
        core, payload = entry.core, None
        if entry.payload is not None:
            core, payload = commit(entry, entry.payload)
        made = (new_id(), self._clock.now_ms(), texts, chain.data_text(core))
        future: asyncio.Future[None] = self._loop.create_future()
        (self._closing if kept else self._opening).add(future)
        if not self._turn:
            self._loop.call_soon(self._hand_over)
        self._turn.append(Queued(made, kept, future, payload))
        return future

    def _hand_over(self) -> None:
        """Give the writer what came in this turn of the loop.

        Woken by each entry it would ask for the interpreter's lock while we still need that.
        """
        for queued in self._turn:
            self._writer.queue.put(queued)
        self._turn.clear()

    def _admit(self, kept: bool) -> None:
        waiting = self._writer.queue.qsize() + len(self._turn)
        if not kept:
            if self._writer.failing:
                raise RecordUnavailable(self._writer.failing)
            if waiting >= self._limits.max_queue:
                raise RecordUnavailable("the audit queue is full")
        elif waiting + len(self._writer.backlog) >= (
            self._limits.max_queue + self._limits.max_backlog
        ):
            self._counters.add(DROPPED)
            raise RecordUnavailable("the audit backlog is full; an entry was lost")

    def _tell(self, done: Sequence[Queued], trouble: str | None) -> None:
        if self._loop is not None and done and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._resolve, done, trouble)

    def _resolve(self, done: Sequence[Queued], trouble: str | None) -> None:
        for queued in done:
            future = queued.waiter
            if future is None:
                continue
            if not future.done():
                if trouble is None:
                    future.set_result(None)
                else:
                    future.set_exception(RecordUnavailable(trouble))
            elif trouble is None and not queued.kept and not future.cancelled():
                self._unmade(queued)

    def _unmade(self, queued: Queued) -> None:
        """Its exchange was refused because this came too late: say so, or it stays open."""
        now_ms = self._clock.now_ms()
        end = closing(Opened.of(queued.entry), "refused", now_ms=now_ms, error=UNMADE)
        self._writer.queue.put(Queued(end, kept=True, waiter=None))


class _Deadlines:
    """Fails futures that wait too long, with one timer for all: they all wait equally long."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wait_s: float) -> None:
        self._loop = loop
        self._wait_s = wait_s
        self._due: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, future: asyncio.Future[None]) -> None:
        """Start this future's wait."""
        self._forget_done()
        self._due.append((self._loop.time() + self._wait_s, future))
        if self._timer is None:
            self._timer = self._loop.call_later(self._wait_s, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        self._forget_done()
        while self._due and self._due[0][0] <= now:
            future = self._due.popleft()[1]
            if not future.done():
                future.set_exception(
                    RecordUnavailable(f"the audit log did not answer within {self._wait_s:g} s")
                )
        if self._due:
            self._timer = self._loop.call_at(self._due[0][0], self._expire)

    def _forget_done(self) -> None:
        while self._due and self._due[0][1].done():
            self._due.popleft()
