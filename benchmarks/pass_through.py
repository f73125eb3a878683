"""The peer to compare with: a proxy of the same make that reads, judges and records nothing.

A raw ASGI application on uvicorn, aiohttp to the upstream. What it costs is what two hops
of HTTP cost in Python; the rest of the gateway's figure is its own work.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp
import uvicorn

_PASSED = (b"content-type", b"accept")


class PassThrough:
    """Sends each request on and the answer back, in the pieces it comes in."""

    def __init__(self, upstream: str, credential: str) -> None:
        self._upstream = upstream
        self._authorization = f"Bearer {credential}"
        self._session: aiohttp.ClientSession | None = None

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1_000), cookie_jar=aiohttp.DummyCookieJar()
            )
        headers = {k.decode(): v.decode() for k, v in scope["headers"] if k in _PASSED}
        headers["authorization"] = self._authorization
        query = "?" + scope["query_string"].decode() if scope["query_string"] else ""
        url = self._upstream + scope["path"] + query
        async with self._session.post(url, data=body, headers=headers) as answer:
            kept = [(b"content-type", answer.headers["content-type"].encode())]
            if answer.content_length is not None:
                kept.append((b"content-length", b"%d" % answer.content_length))
            await send({"type": "http.response.start", "status": answer.status, "headers": kept})
            async for piece in answer.content.iter_any():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--upstream", required=True, help="its origin")
    arguments.add_argument("--credential", required=True, help="the key for the upstream")
    given = arguments.parse_args()
    sock = socket.create_server(("127.0.0.1", 0), backlog=1_024)
    config = uvicorn.Config(
        PassThrough(given.upstream, given.credential),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="error",
    )
    print(sock.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[sock])
