"""A deadline for each wait of a stream, with one timer for all of them.

A timer for each read is the largest part of what a read costs, and a stream has hundreds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType


class Silence:
    """While entered, calls `give_up` once if a wait lasts `limit_s`. Needs a running loop."""

    def __init__(self, limit_s: float, give_up: Callable[[], object]) -> None:
        self.broken_off = False
        self._limit_s = limit_s
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None

    def begin(self) -> None:
        """A wait begins."""
        self._since = self._loop.time()

    def end(self) -> None:
        """It was not in vain."""
        self._since = None

    def __enter__(self) -> Silence:
        self._timer = self._loop.call_later(self._limit_s, self._look)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        due = (now if self._since is None else self._since) + self._limit_s
        if now < due:
            self._timer = self._loop.call_at(due, self._look)
            return
        self.broken_off = True
        self._give_up()
