"""HTTP/1.1 as uvicorn reads it, with a limit on what is neither body nor a whole head.

Its parser collects a head, a trailer or a chunk's extension however long it gets, before
anybody is asked for a key.
"""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.server.writes import JoinedWrites

MAX_HEAD_BYTES = 64 * 1024


class LimitedHeads(HttpToolsProtocol):
    """Refuses a connection that sends more than `MAX_HEAD_BYTES` of such without an end."""

    _unended_bytes = 0
    _ended = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come; what it is answered goes out by the turn."""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport)))

    def data_received(self, data: bytes) -> None:
        """Parse on, then see whether anything came to an end."""
        self._ended = False
        super().data_received(data)
        self._unended_bytes = 0 if self._ended else self._unended_bytes + len(data)
        if self._unended_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request may have {MAX_HEAD_BYTES} bytes.")

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._ended = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Bodies are counted where they are read."""
        self._ended = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A trailer is whole."""
        self._ended = True
        super().on_message_complete()
