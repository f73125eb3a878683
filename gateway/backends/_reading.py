"""Connections that read on only where they had stopped.

aiohttp's payload reader asks its connection to read on after each piece that is taken, stopped
or not, and the connection then runs its parser on nothing and speaks to its socket: for a
stream, which is taken in hundreds of pieces at once, as much work as all the rest of reading.
"""

from __future__ import annotations

from functools import partial

import aiohttp
from aiohttp.client_proto import ResponseHandler


class _Connection(ResponseHandler):
    def resume_reading(self, resume_parser: bool = True) -> None:
        """As aiohttp's, but nothing if reading has not stopped."""
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)


class Connector(aiohttp.TCPConnector):
    """aiohttp's own, with these connections. Needs a running loop."""

    def __init__(self, *, limit: int, ttl_dns_cache: int) -> None:
        super().__init__(limit=limit, ttl_dns_cache=ttl_dns_cache)
        self._factory = partial(_Connection, loop=self._loop)  # type: ignore[assignment]
