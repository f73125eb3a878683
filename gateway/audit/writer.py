"""The one thread of a process that writes the log: takes what is queued, commits, tells.

Group commit: while one batch is on its way to the disk the next gathers. Only while entries come
thick does one wait for more, for a batch costs as much as several entries.
When a commit fails, entries that ask for permission (an exchange opened) are refused;
entries that report what has happened are kept and written before anything new.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from gateway.audit import chain
from gateway.audit.append import WriteError
from gateway.audit.tail import FIRST_PAUSE_S, LONGEST_PAUSE_S, Queued, Tail
from gateway.core.errors import ConfigError
from gateway.core.ids import new_id
from gateway.core.ports import Clock, Counters

ROWS = "audit_rows_total"
BATCHES = "audit_batches_total"

# How often what is spooled is thought of while nothing comes in.
_LOOK_S = 0.05
# After a batch of so many the next one waits so long.
_THICK, _GATHER_S = 4, 0.002

log = logging.getLogger(__name__)

Tell = Callable[[Sequence[Queued], str | None], None]


class Writer:
    """Owns the chain while it runs. `run` is the thread; the rest may be called from others.

    tell: called from the thread with entries that are done: durable if the reason is
    None, refused otherwise.
    """

    def __init__(
        self,
        tail: Tail,
        *,
        tell: Tell,
        clock: Clock,
        counters: Counters,
        max_batch: int,
    ) -> None:
        self.queue: SimpleQueue[Queued | None] = SimpleQueue()
        self.backlog: deque[Queued] = deque()
        self.failing = ""
        self.alive = True
        self._tail = tail
        self._tell = tell
        self._clock = clock
        self._counters = counters
        self._max_batch = max_batch
        self._in_hand: list[Queued] = []
        self._thick = False
        self._pause_s = FIRST_PAUSE_S
        self._stopping = threading.Event()
        self._give_up_at = float("inf")

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
            self._drain()
        finally:
            self.failing = self.failing or "the audit writer has ended"
            self.alive = False
            self._keep(self._in_hand)
            self._gather()
            self._tell(list(self.backlog), self.failing)
            self._tail.discard()

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
        self._tail.turn()
        batch, last = self._take()
        self._in_hand = batch
        well = self._commit(batch) if batch else True
        self._in_hand = []
        return well and last and self._close()

    def _take(self) -> tuple[list[Queued], bool]:
        """What is queued now, at least one unless there is a spool to look after; if the last."""
        batch: list[Queued] = []
        try:
            item = self.queue.get(timeout=_LOOK_S if self._tail.spooling else None)
            if self._thick and item is not None:
                time.sleep(_GATHER_S)
            while item is not None:
                batch.append(item)
                if len(batch) == self._max_batch:
                    return batch, False
                item = self.queue.get_nowait()
        except Empty:
            return batch, False
        finally:
            self._thick = len(batch) >= _THICK
        return batch, True

    def _commit(self, batch: list[Queued]) -> bool:
        try:
            self._write(batch)
        except WriteError as err:
            self._fail(batch, err)
            return False
        return True

    def _write(self, batch: list[Queued]) -> None:
        """One transaction; waiters are told if it succeeds."""
        self._tail.write(batch)
        self._told(batch)

    def _told(self, batch: Sequence[Queued]) -> None:
        self._counters.add(ROWS, len(batch))
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
            self._adopt(self._tail.settle())
            while self.backlog:
                batch = [self.backlog[i] for i in range(min(self._max_batch, len(self.backlog)))]
                self._write(batch)
                for _ in batch:
                    self.backlog.popleft()
            self._tail.ready()
        except (WriteError, ConfigError) as err:
            self.failing = f"the audit log cannot be written ({err})"
            return False
        log.warning("The audit log can be written again.")
        self.failing = ""
        if self._stopping.is_set():
            self.queue.put(None)
        return True

    def _adopt(self, done: Sequence[Queued]) -> None:
        """These were written after all, also those that were refused."""
        if done:
            written = {id(queued) for queued in done}
            self.backlog = deque(queued for queued in self.backlog if id(queued) not in written)
            self._told(done)

    def _close(self) -> bool:
        """Write `chain.closed`. Whether that is the end: if not, recover first."""
        texts = ("", chain.CHAIN_CLOSED, "", "", "", "", "", "")
        try:
            self._tail.close((new_id(), self._clock.now_ms(), texts, "{}"))
        except WriteError as err:
            self._fail([], err)
            return False
        return True

    def _drain(self) -> None:
        """Give the database time to take what is spooled; a later start does it otherwise."""
        while self._tail.spooling and time.monotonic() < self._give_up_at:
            self._tail.turn()
            time.sleep(_LOOK_S)

    def _pause(self) -> None:
        wait_s = min(self._pause_s, max(0.0, self._give_up_at - time.monotonic()))
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        if self._stopping.is_set():
            time.sleep(min(wait_s, 0.2))
        else:
            self._stopping.wait(wait_s)
