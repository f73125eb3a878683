"""An entry every minute that says: this process is there, and so much it has counted.

Whoever compares the counters with what they saw elsewhere (a load balancer, the providers'
bills) knows of calls that are not in the log; a gap between heartbeats, of a process that
did not run.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from gateway.core.errors import RecordUnavailable
from gateway.core.ports import Counters, Entry

HEARTBEAT = "chain.heartbeat"


class Log(Protocol):
    """Where heartbeats go: the audit log."""

    @property
    def ready(self) -> bool:
        """Whether it can be written now."""

    def append(self, entry: Entry) -> asyncio.Future[None]:
        """Queue the entry."""


def heartbeat(counters: Counters) -> Entry:
    """What the process has counted since it started."""
    return Entry("", HEARTBEAT, {"counters": dict(sorted(counters.values.items()))})


async def beat_forever(log: Log, counters: Counters, every_s: float) -> None:
    """Until cancelled. While the log cannot be written the heart does not beat."""
    while True:
        await asyncio.sleep(every_s)
        if log.ready:
            with contextlib.suppress(RecordUnavailable):
                await log.append(heartbeat(counters))
