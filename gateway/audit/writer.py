"""The one thread of a process that writes the log: takes what is queued, commits, tells.

Group commit without a timer: while one batch is on its way to the disk the next gathers.
When a commit fails, entries that ask for permission (an exchange opened) are refused;
entries that report what has happened are kept and written before anything new.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any

from gateway.audit import chain
from gateway.audit.chain import Head
from gateway.audit.store import Store, WriteError
from gateway.core.errors import ConfigError
from gateway.core.ids import new_id
from gateway.core.ports import Clock, Counters

ROWS = "audit_rows_total"
BATCHES = "audit_batches_total"
FAILURES = "audit_commit_failures_total"
CHAINS_LOST = "audit_chains_lost_total"

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Queued:
    """One entry on its way to the database; kept: must not be lost when a commit fails."""

    entry: tuple[str, int, tuple[str, ...], str]
    kept: bool
    waiter: Any


@dataclass(frozen=True, slots=True)
class Attempt:
    """A batch whose commit may or may not have happened."""

    head: Head
    batch: list[Queued]


Tell = Callable[[Sequence[Queued], str | None], None]


class Writer:
    """Owns the chain while it runs. `run` is the thread; the rest may be called from others.

    tell: called from the thread with entries that are done: durable if the reason is
    None, refused otherwise.
    """

    def __init__(
        self,
        store: Store,
        *,
        chain_data: dict[str, Any],
        tell: Tell,
        clock: Clock,
        counters: Counters,
        max_batch: int,
    ) -> None:
        self.queue: SimpleQueue[Queued | None] = SimpleQueue()
        self.backlog: deque[Queued] = deque()
        self.failing = ""
        self.alive = True
        self._store = store
        self._chain_data = chain_data
        self._tell = tell
        self._clock = clock
        self._counters = counters
        self._max_batch = max_batch
        self._head: Head | None = None
        self._unsure: deque[Attempt] = deque(maxlen=8)
        self._in_hand: list[Queued] = []
        self._pause_s = FIRST_PAUSE_S
        self._stopping = threading.Event()
        self._give_up_at = float("inf")

    def open(self, replica: str) -> Head:
        """Open the chain. Raises WriteError or ConfigError. Before `run`."""
        self._head = self._store.open_chain(replica, self._clock.now_ms(), self._chain_data)
        return self._head

    def stop(self, within_s: float) -> None:
        """Write what is queued, close the chain and end, at the latest after `within_s`."""
        self._give_up_at = time.monotonic() + within_s
        self._stopping.set()
        self.queue.put(None)

    def run(self) -> None:
        """The thread. Ends after `stop`; if it ends otherwise every append is refused."""
        try:
            while not self._turn():
                pass
        finally:
            self.failing = self.failing or "the audit writer has ended"
            self.alive = False
            self._keep(self._in_hand)
            self._gather()
            self._tell(list(self.backlog), self.failing)
            self._store.discard()

    def _turn(self) -> bool:
        """One batch, or one attempt to recover. Whether the thread should end."""
        if self.failing:
            self._gather()
            if self._recovered():
                return False
            if time.monotonic() >= self._give_up_at:
                return True
            self._pause()
            return False
        batch, last = self._take()
        self._in_hand = batch
        well = self._commit(batch) if batch else True
        self._in_hand = []
        return well and last and self._close()

    def _take(self) -> tuple[list[Queued], bool]:
        """What is queued now, at least one; and whether that was the last."""
        batch: list[Queued] = []
        item = self.queue.get()
        try:
            while item is not None:
                batch.append(item)
                if len(batch) == self._max_batch:
                    return batch, False
                item = self.queue.get_nowait()
        except Empty:
            return batch, False
        return batch, True

    def _commit(self, batch: list[Queued], *, again: bool = False) -> bool:
        try:
            self._write(batch)
        except WriteError as err:
            if err.stale and not again:
                # An idle connection had been cut: nothing was done that could count.
                return self._commit(batch, again=True)
            self._fail(batch, err)
            return False
        return True

    def _write(self, batch: list[Queued]) -> None:
        """One transaction; waiters are told if it succeeds."""
        before = self._known_head()
        rows = chain.rows(before, [queued.entry for queued in batch])
        after = replace(before, n=rows[-1][2], hash=rows[-1][-1])
        try:
            self._store.write(rows, before, after)
        except WriteError as err:
            self._counters.add(FAILURES)
            if err.unsure:
                self._unsure.append(Attempt(after, batch))
            raise
        self._head = after
        self._unsure.clear()
        self._counters.add(ROWS, len(rows))
        self._counters.add(BATCHES)
        self._tell(batch, None)

    def _fail(self, batch: list[Queued], err: WriteError) -> None:
        self.failing = f"the audit log cannot be written ({err})"
        log.error("The audit log cannot be written (%s); new exchanges are refused.", err)
        self._pause_s = FIRST_PAUSE_S
        self._keep(batch)
        self._gather()

    def _gather(self) -> None:
        """Empty the queue: refuse what asks, keep what reports."""
        batch: list[Queued] = []
        try:
            while True:
                item = self.queue.get_nowait()
                if item is not None:
                    batch.append(item)
        except Empty:
            self._keep(batch)

    def _keep(self, batch: list[Queued]) -> None:
        self.backlog.extend(queued for queued in batch if queued.kept)
        refused = [queued for queued in batch if not queued.kept]
        if refused:
            self._tell(refused, self.failing)

    def _recovered(self) -> bool:
        """Settle what was unsure and write the backlog. Whether all is well again."""
        try:
            self._settle()
            while self.backlog:
                batch = [self.backlog[i] for i in range(min(self._max_batch, len(self.backlog)))]
                self._write(batch)
                for _ in batch:
                    self.backlog.popleft()
        except (WriteError, ConfigError) as err:
            self.failing = f"the audit log cannot be written ({err})"
            return False
        log.warning("The audit log can be written again.")
        self.failing = ""
        if self._stopping.is_set():
            self.queue.put(None)
        return True

    def _settle(self) -> None:
        """Find out which of the unsure commits happened, if any."""
        expected = self._known_head()
        found = self._store.head(expected)
        if found == (expected.n, expected.hash):
            return
        for attempt in self._unsure:
            if found == (attempt.head.n, attempt.head.hash):
                self._adopt(attempt)
                return
        # The database went back in time or was changed: say so in a chain of its own.
        self._counters.add(CHAINS_LOST)
        log.error("The audit chain in the database is not the one written; opening a new one.")
        self._head = self._store.open_chain(
            expected.replica, self._clock.now_ms(), self._chain_data, lost=expected
        )
        self._unsure.clear()

    def _adopt(self, attempt: Attempt) -> None:
        self._head = attempt.head
        self._unsure.clear()
        self._counters.add(ROWS, len(attempt.batch))
        written = {id(queued) for queued in attempt.batch}
        done = [queued for queued in self.backlog if id(queued) in written]
        self.backlog = deque(queued for queued in self.backlog if id(queued) not in written)
        self._tell(done, None)

    def _close(self) -> bool:
        """Write `chain.closed`. Whether that is the end: if not, recover first."""
        before = self._known_head()
        if before.closed_ms is not None:
            return True
        now_ms = self._clock.now_ms()
        texts = ("", chain.CHAIN_CLOSED, "", "", "", "", "", "")
        rows = chain.rows(before, [(new_id(), now_ms, texts, "{}")])
        after = replace(before, n=rows[-1][2], hash=rows[-1][-1], closed_ms=now_ms)
        try:
            self._store.write(rows, before, after)
        except WriteError as err:
            if err.unsure:
                self._unsure.append(Attempt(after, []))
            self._fail([], err)
            return False
        self._head = after
        return True

    def _pause(self) -> None:
        wait_s = min(self._pause_s, max(0.0, self._give_up_at - time.monotonic()))
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        if self._stopping.is_set():
            time.sleep(min(wait_s, 0.2))
        else:
            self._stopping.wait(wait_s)

    def _known_head(self) -> Head:
        if self._head is None:
            raise RuntimeError("the chain is not open")
        return self._head
