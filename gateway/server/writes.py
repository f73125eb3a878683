"""What is written in one turn of the loop goes to the kernel with one call.

uvicorn writes the head of an answer apart from its body, so a whole answer would cost two calls
and leave as two packets.
"""

from __future__ import annotations

import asyncio
from typing import Any

# So much is not held until the turn ends: the transport must learn of it, to slow its writer.
MOST_BYTES = 64 * 1024


class JoinedWrites:
    """A transport that holds what is written until the turn ends; else as the one it is for."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []
        self._held_bytes = 0

    def __getattr__(self, name: str) -> Any:
        """Whatever else a transport can do."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Have this sent behind what was written before."""
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes >= MOST_BYTES:
            self._send()

    def close(self) -> None:
        """Close once all that was written is sent."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        held = b"".join(self._held)
        self._held.clear()
        self._held_bytes = 0
        if held and not self._transport.is_closing():
            self._transport.write(held)
