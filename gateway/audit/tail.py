"""Where this process's chain ends: in the database, or ahead of it in the spool.

Knows what is durable and where. Whether somebody waits for it, and who is refused, is the
writer's business.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.audit import chain
from gateway.audit.append import WriteError
from gateway.audit.chain import Head
from gateway.audit.inherit import adopt, inherit
from gateway.audit.payloads import Payloads, Unsealed
from gateway.audit.replay import Attempt, Forked, late, rejoin
from gateway.audit.sealing import Kept
from gateway.audit.spool import Spool
from gateway.audit.store import Store
from gateway.core.errors import ConfigError
from gateway.core.ports import Clock, Counters

FAILURES = "audit_commit_failures_total"
CHAINS_LOST = "audit_chains_lost_total"
SPOOLED = "audit_spooled_total"
SPOOL_ENTRIES = "audit_spool_entries"
SPOOL_BYTES = "audit_spool_bytes"

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0
# So few are replayed in between, while new entries wait.
_QUICK_ROWS = 512

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Queued:
    """One entry on its way to the database; kept: must not be lost when a commit fails.

    payload: what goes beside it.
    """

    entry: chain.Made
    kept: bool
    waiter: Any
    payload: Unsealed | None = None


@dataclass(frozen=True, slots=True)
class Unsure:
    """A batch whose commit may or may not have happened, and the head if it did."""

    head: Head
    batch: Sequence[Queued]


class Tail:
    """The end of one chain. Used by the writer's thread only.

    chain_data: what the first entry of a chain says besides its links. spool: where entries
    go while the database is away; None for nowhere. payloads: what seals those of entries; without
    it, no entry may have one.
    """

    def __init__(
        self,
        store: Store,
        *,
        chain_data: dict[str, Any],
        clock: Clock,
        counters: Counters,
        spool: Spool | None = None,
        payloads: Payloads | None = None,
    ) -> None:
        self._store = store
        self._payloads = payloads
        self._chain_data = chain_data
        self._clock = clock
        self._counters = counters
        self._spool = spool
        self._head: Head | None = None
        self._unsure: deque[Unsure] = deque(maxlen=8)
        self._taken: set[str] = set()
        self._attempt: Attempt | None = None
        self._stored: Head | None = None
        self._branch: Head | None = None
        self._pause_s = FIRST_PAUSE_S
        self._next_try = 0.0
        for name in (FAILURES, CHAINS_LOST, SPOOLED, SPOOL_ENTRIES, SPOOL_BYTES):
            counters.add(name, 0)

    @property
    def head(self) -> Head:
        """The last entry that is durable."""
        if self._head is None:
            raise RuntimeError("the chain is not open")
        return self._head

    @property
    def spooling(self) -> bool:
        """Whether entries wait in the spool."""
        return self._stored is not None

    def open(self, replica: str) -> Head:
        """Open the chain, after what a process that has died left in the spool.

        Raises WriteError or ConfigError.
        """
        now_ms, spool = self._clock.now_ms(), self._spool
        forked = inherit(self._store, spool, now_ms=now_ms, by=replica) if spool else []
        self._head = self._store.open_chain(replica, now_ms, self._chain_data)
        for leftover in forked:
            self._head = adopt(self._store, leftover, self._head, now_ms=now_ms, by=replica)
        return self._head

    def write(self, batch: Sequence[Queued]) -> None:
        """Make these entries durable, all or none. Raises WriteError.

        While the spool is nearly full, entries that ask for permission are refused with all
        that came with them.
        """
        made = [queued.entry for queued in batch]
        if self._taken:
            made = [late(entry, self._taken) for entry in made]
        self._append(chain.rows(self.head, made), batch, kept=self._sealed(batch))

    def close(self, entry: chain.Made) -> None:
        """Write the chain's last entry; nothing if it has it. Raises WriteError."""
        if self.head.closed_ms is None:
            self._append(chain.rows(self.head, [entry]), [], closed_ms=entry[1])

    def turn(self) -> None:
        """While spooling: see whether the database is back, and what it has by now."""
        attempt = self._attempt
        if attempt is None:
            if self.spooling and time.monotonic() >= self._next_try:
                self._attempt = self._replay()
                self._attempt.start()
        elif not attempt.is_alive():
            self._attempt = None
            self._judge(attempt)

    def settle(self) -> list[Queued]:
        """After a failure: find out where the chain ends; entries that were written after all.

        Raises WriteError while nothing can be written; ConfigError if the log was sealed with
        another key since.
        """
        if self.spooling:
            self.turn()
            return []
        done = self._settled()
        if done is None:
            self._lose(self.head)
        return done or []

    def ready(self) -> None:
        """Raises WriteError unless entries that ask for permission can be written."""
        if self.spooling and self._in_use().tight:
            raise WriteError("the audit spool is full")

    def discard(self) -> None:
        """Let go of the database."""
        if self._attempt is None or not self._attempt.is_alive():
            self._store.discard()

    def _sealed(self, batch: Sequence[Queued]) -> list[Kept]:
        """What goes beside these entries. Raises WriteError if it cannot be sealed."""
        found = [(each.entry, each.payload) for each in batch if each.payload is not None]
        if not found:
            return []
        if self._payloads is None:
            raise RuntimeError("nothing seals payloads here")
        return self._payloads.seal(found)

    def _append(
        self,
        rows: list[tuple[Any, ...]],
        batch: Sequence[Queued],
        *,
        kept: Sequence[Kept] = (),
        closed_ms: int | None = None,
    ) -> None:
        after = self.head.moved(rows[-1], closed_ms=closed_ms)
        if self.spooling:
            self._put(rows, after, batch, kept)
            return
        try:
            self._commit(rows, after, kept)
        except WriteError as err:
            self._counters.add(FAILURES)
            if not self._diverted(rows, after, batch, kept, err):
                if err.unsure:
                    self._unsure.append(Unsure(after, batch))
                raise

    def _commit(self, rows: list[tuple[Any, ...]], after: Head, kept: Sequence[Kept]) -> None:
        """To the database; once more if a connection was cut that had nothing of it."""
        try:
            self._store.write(rows, self.head, after, kept)
        except WriteError as err:
            if err.late or not err.unsure or not self._again(rows, after, kept):
                raise
        self._head = after
        self._unsure.clear()
        if kept and self._payloads is not None:
            self._payloads.stored(kept)

    def _again(self, rows: list[tuple[Any, ...]], after: Head, kept: Sequence[Kept]) -> bool:
        """Whether it has happened, or happens now. What failed first may still happen later."""
        try:
            there = self._store.head(self.head)
            if there == (self.head.n, self.head.hash):
                self._store.write(rows, self.head, after, kept)
                return True
        except WriteError:
            return False
        return there == (after.n, after.hash)

    def _diverted(
        self,
        rows: list[tuple[Any, ...]],
        after: Head,
        batch: Sequence[Queued],
        kept: Sequence[Kept],
        err: WriteError,
    ) -> bool:
        """Whether the rows are in the spool instead: exactly these, for they may be written."""
        if self._spool is None or self._unsure:
            return False
        stored = self.head
        try:
            self._spool.begin(stored)
            self._stored = stored
            self._put(rows, after, batch, kept)
        except WriteError as worse:
            log.error("The audit spool cannot be used either (%s).", worse)
            self._spool.clear()
            self._stored = None
            return False
        self._pause_s = FIRST_PAUSE_S
        self._next_try = time.monotonic() + self._pause_s
        log.error("The audit log cannot be written (%s); entries go to the spool.", err)
        return True

    def _put(
        self,
        rows: list[tuple[Any, ...]],
        after: Head,
        batch: Sequence[Queued],
        kept: Sequence[Kept],
    ) -> None:
        spool = self._in_use()
        if not all(queued.kept for queued in batch):
            self.ready()
        spool.append(rows, after, kept)
        self._head = after
        self._counters.add(SPOOLED, len(rows))
        self._gauge(spool)

    def _replay(self) -> Attempt:
        if self._stored is None:
            raise RuntimeError("nothing is spooled")
        spooled = self._in_use().rows(behind=self._stored.n)
        return Attempt(self._store, self._stored, spooled)

    def _judge(self, attempt: Attempt) -> None:
        """What an attempt came to."""
        try:
            self._stored = attempt.at
            if isinstance(attempt.trouble, Forked):
                self._rejoin(attempt.trouble.at)
            elif attempt.trouble is not None:
                raise attempt.trouble
            elif self.head.n - attempt.at.n <= _QUICK_ROWS:
                again = self._replay()
                again.run()
                if again.trouble is not None:
                    raise again.trouble
                self._drained()
        except (WriteError, ConfigError):
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            self._next_try = time.monotonic() + self._pause_s

    def _rejoin(self, at: Head) -> None:
        """The chain went on without us: put what is spooled behind a new one."""
        head = None if self._branch is None else self._store.open_end(self._branch)
        if head is None:
            head = self._fork_off(self._branch or at)
        # If this fails the next attempt goes on there: exchanges are open in it that end with us.
        self._branch = head
        self._head = rejoin(self._store, self._in_use().rows(), head)
        self._branch = None
        self._drained()

    def _drained(self) -> None:
        spool = self._in_use()
        spool.clear()
        self._gauge(spool)
        self._stored = None
        log.warning("The audit log can be written again; what was spooled is in it.")

    def _in_use(self) -> Spool:
        if self._spool is None:
            raise RuntimeError("there is no spool")
        return self._spool

    def _gauge(self, spool: Spool) -> None:
        self._counters.values[SPOOL_ENTRIES] = spool.entries
        self._counters.values[SPOOL_BYTES] = spool.bytes

    def _settled(self) -> list[Queued] | None:
        """Entries of unsure commits that happened; None if the chain ends somewhere else."""
        there = self._store.head(self.head)
        if there == (self.head.n, self.head.hash):
            return []
        for unsure in self._unsure:
            if there == (unsure.head.n, unsure.head.hash):
                self._head = unsure.head
                self._unsure.clear()
                return list(unsure.batch)
        return None

    def _lose(self, at: Head) -> None:
        self._head = self._fork_off(at)
        self._unsure.clear()

    def _fork_off(self, at: Head) -> Head:
        """A new chain: another process closed ours, or the database went back in time."""
        self._counters.add(CHAINS_LOST)
        log.error("The audit chain in the database is not the one written; opening a new one.")
        self._taken |= self._store.closed_behind(at)
        return self._store.open_chain(at.replica, self._clock.now_ms(), self._chain_data, lost=at)
