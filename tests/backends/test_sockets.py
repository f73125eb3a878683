"""Sockets to an upstream, over real loopback connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import WSCloseCode, web

from gateway.backends._bilingual import Bilingual
from gateway.backends._circuit import CircuitBackend, Limits
from gateway.backends._direct import Direct
from gateway.backends._translated import Translated
from gateway.backends.echo import Member as Echo
from gateway.backends.openai import Member
from gateway.core.apis import Answer, BackendOptions, Socket
from gateway.core.calls import Outgoing
from gateway.core.errors import UpstreamError, UpstreamTimeout
from gateway.core.ports import Counters
from tests.pipeline.fakes import Clock

CALL = Outgoing(b"", "openai_realtime", "/v1/realtime?model=m", method="GET")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Use = Callable[[Answer], Awaitable[Any]]


def with_upstream(handler: Handler, use: Use, **options: Any) -> Any:
    """What `use` makes of a socket to this upstream."""

    async def main() -> Any:
        app = web.Application()
        app.router.add_get("/v1/realtime", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        base = BackendOptions(url=f"http://127.0.0.1:{port}/v1", credential="s", **options)
        backend = Member(base)
        try:
            answer = await backend.connect(CALL)
            try:
                return await use(answer)
            finally:
                await answer.aclose()
        finally:
            await backend.aclose()
            await runner.cleanup()

    return asyncio.run(asyncio.wait_for(main(), 20))


def talks(script: Callable[[web.WebSocketResponse], Awaitable[object]]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await script(socket)
        return socket

    return handle


async def all_of(answer: Answer) -> tuple[list[bytes], int]:
    assert isinstance(answer, Socket)
    return [data async for data in answer.body], answer.code()


def test_messages_go_both_ways_until_it_closes() -> None:
    async def echo(socket: web.WebSocketResponse) -> None:
        await socket.send_str(await socket.receive_str() + "!")
        await socket.close(code=3001)

    async def use(answer: Answer) -> Any:
        assert isinstance(answer, Socket)
        await answer.send("grüß".encode())
        return await all_of(answer)

    assert with_upstream(talks(echo), use) == (["grüß!".encode()], 3001)


def test_it_shows_the_credential_and_asks_for_no_compression() -> None:
    heads: dict[str, str] = {}

    async def handle(request: web.Request) -> web.StreamResponse:
        heads.update({k.lower(): v for k, v in request.headers.items()})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket

    with_upstream(handle, all_of)
    assert heads["authorization"] == "Bearer s"
    assert "sec-websocket-extensions" not in heads


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_a_refusal_is_an_answer(status: int) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"retry-after": "3"})

    async def use(answer: Answer) -> Any:
        assert not isinstance(answer, Socket)
        return answer.status, answer.headers["retry-after"]

    assert with_upstream(handle, use) == (status, "3")


def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.query_string)
        raise web.HTTPTemporaryRedirect("/v1/realtime?elsewhere")

    with pytest.raises(UpstreamError):
        with_upstream(handle, all_of)
    assert asked == ["model=m"]


def test_an_upstream_that_does_not_answer_is_late() -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    with pytest.raises(UpstreamTimeout):
        with_upstream(handle, all_of, first_byte_s=0.05)


async def _binary(socket: web.WebSocketResponse) -> None:
    await socket.send_bytes(b"x")


async def _large(socket: web.WebSocketResponse) -> None:
    await socket.send_str("x" * (32 * 1024 * 1024 + 1))


async def _cut(socket: web.WebSocketResponse) -> None:
    transport = socket._req.transport if socket._req else None
    assert transport is not None
    transport.abort()


@pytest.mark.parametrize("script", [_binary, _large, _cut])
def test_what_is_no_text_message_breaks_it(script: Any) -> None:
    with pytest.raises(UpstreamError):
        with_upstream(talks(script), all_of)


def test_what_is_said_after_the_end_is_dropped() -> None:
    async def leave(socket: web.WebSocketResponse) -> None:
        await socket.close(code=WSCloseCode.GOING_AWAY)

    async def use(answer: Answer) -> Any:
        assert isinstance(answer, Socket)
        found = await all_of(answer)
        await answer.send(b"late")
        return found

    assert with_upstream(talks(leave), use) == ([], 1001)


def test_a_backend_that_opens_none_says_so_in_any_wrapping() -> None:
    echo = Echo(BackendOptions())
    circuit = CircuitBackend(echo, "e", Limits(), Clock(), Counters())
    translated = Translated(Direct(echo, "openai"), BackendOptions())
    for backend in (circuit, Bilingual(echo, translated)):
        with pytest.raises(UpstreamError, match="no sockets"):
            asyncio.run(backend.connect(CALL))
