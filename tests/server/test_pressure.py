"""A client that does not read slows whoever writes to it, instead of filling our memory."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
import uvloop
from uvicorn.server import ServerState

from gateway.server.heads import LimitedHeads

PIECE = b"a" * 4_096
PIECES = 16_384
# What the kernel takes for both ends, and then some; a quarter of what there is to send.
MOST_BYTES = 16 * 1024 * 1024
ASKED = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_who_writes_waits_for_who_reads(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    sent = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        size = str(len(PIECE) * PIECES).encode()
        head = [(b"content-length", size)]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for left in reversed(range(PIECES)):
            await send({"type": "http.response.body", "body": PIECE, "more_body": left > 0})
            sent += len(PIECE)

    async def main() -> int:
        config = uvicorn.Config(app, http=LimitedHeads, lifespan="off", log_config=None)
        config.load()
        running = asyncio.get_running_loop()
        state = ServerState()
        server = await running.create_server(
            lambda: LimitedHeads(config, state, {}), "127.0.0.1", 0
        )
        with contextlib.closing(server), socket.socket() as client:
            client.setblocking(False)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            await running.sock_connect(client, server.sockets[0].getsockname())
            await running.sock_sendall(client, ASKED)
            before = -1
            while before != sent or not sent:
                before = sent
                await asyncio.sleep(0.2)
            assert sent < MOST_BYTES
            got = 0
            while data := await running.sock_recv(client, 1 << 20):
                got += len(data)
            return got

    with asyncio.Runner(loop_factory=loop) as runner:
        got = runner.run(asyncio.wait_for(main(), 60))
    assert sent == len(PIECE) * PIECES
    assert 0 < got - sent < 1_000
