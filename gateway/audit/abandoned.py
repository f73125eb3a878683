"""Closes what a process that has died left open: its exchanges as `interrupted`, then its chain.

Written into that chain itself, behind the head that was seen last. So it happens once, whoever
else tries; and a process that was only silent finds its chain closed and goes on in a new one.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from sqlalchemy import Engine

from gateway.audit import chain
from gateway.audit.append import WriteError
from gateway.audit.chain import Head
from gateway.audit.closing import Opened, closing
from gateway.audit.store import Store
from gateway.core.ids import new_id
from gateway.core.ports import Clock, Counters

INTERRUPTED = "interrupted"
INTERRUPTED_TOTAL = "audit_interrupted_total"
# So many heartbeats must be missing, whatever else is set.
_BEATS = 3
_AT_ONCE = 500
_LONGEST_LOOK_S = 30.0

log = logging.getLogger(__name__)

Name = tuple[str, int]


def close(store: Store, head: Head, *, now_ms: int, by: str) -> int:
    """Close this chain, whose process has ended, and its exchanges; how many these were.

    head: where it ends; nothing is written if it does not. by: the replica that does this.
    Raises WriteError.
    """
    if head.closed_ms is not None:
        return 0
    head, closed = interrupt(store, head, now_ms=now_ms, by=by)
    texts = ("", chain.CHAIN_CLOSED, "", "", "", "", "", "")
    last = (new_id(), now_ms, texts, chain.data_text({"closed_by": by}))
    rows = chain.rows(head, [last])
    store.write(rows, head, head.moved(rows[-1], closed_ms=now_ms))
    return closed


def interrupt(store: Store, head: Head, *, now_ms: int, by: str) -> tuple[Head, int]:
    """Close the exchanges of this chain that have no end; where it ends then, and how many.

    Raises WriteError.
    """
    closed = 0
    while cores := store.unclosed(head, limit=_AT_ONCE):
        made = [
            closing(Opened.read(c), INTERRUPTED, now_ms=now_ms, error=INTERRUPTED, closed_by=by)
            for c in cores
        ]
        rows = chain.rows(head, made)
        after = head.moved(rows[-1])
        store.write(rows, head, after)
        head = after
        closed += len(cores)
    return head, closed


@dataclass(slots=True)
class _Seen:
    """A chain as it was last seen, and for how long it has not moved since."""

    n: int
    beat_s: int
    idle_s: float = 0.0


class Reconciler:
    """Watches all open chains, and closes those that have not moved for long.

    after_s: how long; never less than three of the heartbeats that the chain's process has
    promised, and a chain whose process promised none is let be. Only time in which the
    database answered counts, so an outage makes nobody look dead. by: this replica's name.
    """

    def __init__(
        self,
        engine: Engine,
        key: bytes,
        *,
        clock: Clock,
        counters: Counters,
        after_s: float,
        by: str,
    ) -> None:
        self._store = Store(engine, key)
        self._clock = clock
        self._counters = counters
        self._after_s = after_s
        self._by = by
        self._every_s = min(after_s / 10, _LONGEST_LOOK_S)
        self._seen: dict[Name, _Seen] = {}
        self._last = float("-inf")
        counters.add(INTERRUPTED_TOTAL, 0)

    def turn(self) -> int:
        """Look, if it is time; how many exchanges were closed. Blocks. Raises WriteError."""
        now = time.monotonic()
        passed = now - self._last
        if passed < self._every_s:
            return 0
        self._last = now
        heads = self._store.open_chains()
        self._watch(heads, min(passed, 2 * self._every_s))
        return sum(self._close(head) for head in heads if self._dead(head))

    def close(self) -> None:
        """Close the connections."""
        self._store.discard()

    def _watch(self, heads: list[Head], passed_s: float) -> None:
        seen: dict[Name, _Seen] = {}
        for head in heads:
            name = (head.replica, head.epoch)
            last = self._seen.get(name)
            if last is None:
                seen[name] = _Seen(head.n, self._store.promised_beat_s(head))
            elif last.n != head.n:
                seen[name] = _Seen(head.n, last.beat_s)
            else:
                last.idle_s += passed_s
                seen[name] = last
        self._seen = seen

    def _dead(self, head: Head) -> bool:
        seen = self._seen[head.replica, head.epoch]
        return seen.beat_s > 0 and seen.idle_s >= max(self._after_s, _BEATS * seen.beat_s)

    def _close(self, head: Head) -> int:
        try:
            closed = close(self._store, head, now_ms=self._clock.now_ms(), by=self._by)
        except WriteError as err:
            if err.unsure or err.late:
                raise
            # It has moved: its process lives, or another was quicker.
            return 0
        self._counters.add(INTERRUPTED_TOTAL, closed)
        log.warning(
            "The audit chain %s/%d has not moved for long: closed, with %d exchanges.",
            head.replica,
            head.epoch,
            closed,
        )
        return closed
