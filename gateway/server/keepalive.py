"""Pings: events that say nothing, sent while a streamed answer keeps its client waiting.

Text that is held back until it is judged, or a model that thinks for minutes, leaves gaps
in which proxies and clients give up (Anthropic's own coding client after 300 s).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

GAP_S = 10.0


class Pings:
    """Sends the pieces of one answer, and a ping where the gap between two grows long.

    Pieces are whole events, so a ping never stands inside of one.
    """

    def __init__(
        self, send: Callable[[MutableMapping[str, Any]], Awaitable[None]], *, gap_s: float = GAP_S
    ) -> None:
        self._send = send
        self._gap_s = gap_s
        self._ping = b""
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Future[None] | None = None

    def start(self, ping: bytes) -> None:
        """The head has been sent. ping: empty if this answer has none."""
        if ping:
            self._ping = ping
            loop = asyncio.get_running_loop()
            self._last = loop.time()
            self._timer = loop.call_later(self._gap_s, self._look)

    async def send(self, piece: bytes) -> None:
        """Send a piece of the body, behind a ping that is on its way."""
        if self._sending is not None:
            await self._sending
        if self._timer is not None:
            self._last = asyncio.get_running_loop().time()
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def stop(self) -> None:
        """No more pings; waits for one that is on its way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is not None:
            await asyncio.wait([self._sending])

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        due = self._last + self._gap_s
        if loop.time() >= due and self._sending is None:
            self._last = loop.time()
            self._sending = asyncio.ensure_future(self._one())
            due = self._last + self._gap_s
        self._timer = loop.call_at(max(due, loop.time() + self._gap_s / 10), self._look)

    async def _one(self) -> None:
        try:
            await self._send({"type": "http.response.body", "body": self._ping, "more_body": True})
        finally:
            self._sending = None
