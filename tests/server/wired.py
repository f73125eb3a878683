"""uvicorn's own protocol as the gateway serves with it, and a transport that notes what it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from gateway.server.heads import LimitedHeads

CLOSED = b"(closed)"


class Written(asyncio.Transport):
    """What was written, and where it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True
        self.sent.append(CLOSED)

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Nothing is read here that could wait."""

    def resume_reading(self) -> None:
        """As above."""


async def exchange(app: Any, asked: Sequence[bytes]) -> list[bytes]:
    """What goes to a client that sends these pieces, one after the other."""
    config = uvicorn.Config(app, http=LimitedHeads, lifespan="off", log_config=None)
    config.load()
    protocol, transport = LimitedHeads(config, ServerState(), {}), Written()
    protocol.connection_made(transport)
    for piece in asked:
        if not transport.closed:
            protocol.data_received(piece)
        for _ in range(5):
            await asyncio.sleep(0)
    sent = [*transport.sent]
    protocol.connection_lost(None)
    return sent
