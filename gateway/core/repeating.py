"""What a process does again and again beside its requests: see whether something is new."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable


class Repeating:
    """Does something every `every_s` seconds from `start` until `aclose`, first after a while.

    act: raises nothing; if it does, that was the last time. at_once: whether also at the start.
    """

    def __init__(
        self,
        act: Callable[[], Awaitable[None]],
        *,
        every_s: float,
        name: str,
        at_once: bool = False,
    ) -> None:
        self._act = act
        self._every_s = every_s
        self._name = name
        self._at_once = at_once
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the loop that runs."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def aclose(self) -> None:
        """Stop, also in the middle of it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        if self._at_once:
            await self._act()
        while True:
            await asyncio.sleep(self._every_s)
            await self._act()
