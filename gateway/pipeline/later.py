"""Work that goes on when its client has had its answer: texts that are judged afterwards.

Nothing of it is forgotten: each piece has a deadline of its own, how many there are is bounded,
and the house waits for all of them before it closes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

MAX_WAITING = 1_000


class Later:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def full(self) -> bool:
        """Whether nothing more should be put off."""
        return len(self._tasks) >= MAX_WAITING

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Begin it now. It must end by itself."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        """Wait for all that was begun, and for what that begins."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def well(task: asyncio.Task[None]) -> bool:
    """Whether it is over, and has nothing to tell."""
    return task.done() and not task.cancelled() and task.exception() is None
