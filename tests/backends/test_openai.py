"""Against a real HTTP server of a few lines, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from gateway import backends
from gateway.core.apis import Answer, Backend, BackendOptions
from gateway.core.calls import Outgoing
from gateway.core.errors import UpstreamError, UpstreamTimeout

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


class Upstream:
    """Sends given bytes; None is a silence. Remembers heads, bodies and whether it was left."""

    def __init__(self, *pieces: bytes | None) -> None:
        self.pieces = pieces
        self.heads: list[list[str]] = []
        self.bodies: list[bytes] = []
        self.left = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.create_task(self._accepted(reader, writer)))

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.serve(reader, writer)
        except ConnectionError:
            self.left.set()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.heads.append([head[0], *(line.lower() for line in head[1:-2])])
        length = next(int(h[15:]) for h in self.heads[-1] if h.startswith("content-length:"))
        self.bodies.append(await reader.readexactly(length))
        for piece in self.pieces:
            if piece is None:
                await reader.read()
                self.left.set()
                break
            writer.write(piece)
            await writer.drain()


def against(
    upstream: Upstream,
    use: Callable[[Backend], Awaitable[Any]],
    *,
    kind: str = "openai",
    **options: Any,
) -> Any:
    async def main() -> Any:
        server = await asyncio.start_server(upstream.accept, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        url += "/v1/" if kind == "openai" else ""
        backend = backends.build(kind, BackendOptions(url=url, **options))
        try:
            return await use(backend)
        finally:
            await backend.aclose()
            server.close()
            await asyncio.wait_for(asyncio.gather(*upstream.tasks), 5)

    return asyncio.run(main())


async def send(backend: Backend, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await backend.send(
        Outgoing(b'{"a": 1.50}', "openai_chat", "/v1/chat/completions", headers=named)
    )


async def body(backend: Backend) -> bytes:
    answer = await send(backend)
    try:
        return b"".join([piece async for piece in answer.body])
    finally:
        await answer.aclose()


def test_the_body_goes_as_it_is_and_the_answer_comes_back() -> None:
    upstream = Upstream(OK)
    assert against(upstream, body) == b"{}"
    assert upstream.bodies == [b'{"a": 1.50}']
    assert upstream.heads[0][0] == "POST /v1/chat/completions HTTP/1.1"


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_headers_pass_by_an_allow_list_only() -> None:
    upstream = Upstream(OK)

    async def use(backend: Backend) -> None:
        await send(
            backend, authorization="Bearer gw_mine", cookie="a=b", x_api_key="k", api_key="k",
            x_forwarded_for="10.0.0.1", host="evil", content_length="1", connection="close",
            transfer_encoding="chunked", user_agent="me", openai_organization="org",
            accept_encoding="gzip", idempotency_key="about alice", traceparent=TRACE,
            proxy_authorization="x", tracestate="about=alice",
            openai_beta="about alice",
        )  # fmt: skip

    against(upstream, use, credential="sk-theirs")
    sent = dict(h.split(": ", 1) for h in upstream.heads[0][1:])
    assert sent.pop("host").startswith("127.0.0.1:")
    assert len(sent.pop("idempotency-key")) == 64
    assert sent == {
        "authorization": "bearer sk-theirs",
        "accept": "*/*",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": "11",
        "traceparent": TRACE,
        "user-agent": "responsible-use-gateway",
    }


def test_no_key_is_sent_where_there_is_none() -> None:
    upstream = Upstream(OK)
    against(upstream, lambda backend: send(backend, authorization="Bearer gw_mine"))
    assert not [h for h in upstream.heads[0] if "authorization" in h]


def test_pieces_come_as_they_arrive() -> None:
    upstream = Upstream(CHUNKED, b"3\r\nabc\r\n", None)

    async def use(backend: Backend) -> bytes:
        answer = await send(backend)
        piece = await anext(aiter(answer.body))
        await answer.aclose()
        await asyncio.wait_for(upstream.left.wait(), 5)
        return piece

    assert against(upstream, use) == b"abc"


# (what the upstream sends, the time limits, what it counts as)
FAILURES: dict[str, tuple[list[bytes | None], dict[str, float], type[Exception]]] = {
    "no head": ([None], {"first_byte_s": 0.1}, UpstreamTimeout),
    "half a head": ([b"HTTP/1.1 200 OK\r\nx: ", None], {"first_byte_s": 0.1}, UpstreamTimeout),
    "silence": ([CHUNKED, b"1\r\na\r\n", None], {"between_bytes_s": 0.1}, UpstreamTimeout),
    "too long": ([CHUNKED, b"1\r\na\r\n", None], {"total_s": 0.2}, UpstreamTimeout),
    "hangs up": ([], {}, UpstreamError),
    "cut": ([OK[:-1]], {}, UpstreamError),
    "cut chunk": ([CHUNKED, b"9\r\nabc"], {}, UpstreamError),
    "no end": ([CHUNKED, b"3\r\nabc\r\n"], {}, UpstreamError),
    "not HTTP": ([b"SSH-2.0-x\r\n\r\n"], {}, UpstreamError),
    "not what it says": (
        [b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"],
        {},
        UpstreamError,
    ),
    "a status of nothing": ([b"HTTP/1.1 799 X\r\ncontent-length: 0\r\n\r\n"], {}, UpstreamError),
    "redirect": (
        [b"HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"],
        {},
        UpstreamError,
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures_are_upstream_errors(case: str) -> None:
    pieces, limits, error = FAILURES[case]
    upstream = Upstream(*pieces)
    with pytest.raises(UpstreamError) as caught:
        against(upstream, body, credential="sk-theirs", **limits)
    assert isinstance(caught.value, UpstreamTimeout) == (error is UpstreamTimeout)
    assert "sk-theirs" not in str(caught.value)


# Whether a failure came before any byte of an answer, so that the call may be made again.
@pytest.mark.parametrize(
    ("case", "unanswered"), [("hangs up", True), ("no head", False), ("redirect", False)]
)
def test_a_failure_tells_whether_anything_was_answered(case: str, unanswered: bool) -> None:
    pieces, limits, _ = FAILURES[case]
    with pytest.raises(UpstreamError) as caught:
        against(Upstream(*pieces), send, **limits)
    assert caught.value.unanswered is unanswered


def test_nobody_listening_is_an_upstream_error() -> None:
    async def main() -> None:
        backend = backends.build("openai", BackendOptions(url="http://127.0.0.1:1"))
        with pytest.raises(UpstreamError) as caught:
            await send(backend)
        assert caught.value.unanswered
        await backend.aclose()

    asyncio.run(main())


def test_errors_of_the_upstream_are_answers() -> None:
    upstream = Upstream(OK.replace(b"200 OK", b"429 Slow"))

    async def use(backend: Backend) -> int:
        answer = await send(backend)
        await answer.aclose()
        return answer.status

    assert against(upstream, use) == 429


def test_connections_are_used_again() -> None:
    class Kept(Upstream):
        connections = 0

        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            while await reader.readline():
                while await reader.readline() != b"\r\n":
                    pass
                await reader.readexactly(11)
                writer.write(OK)

    upstream = Kept()

    async def use(backend: Backend) -> list[bytes]:
        return [await body(backend) for _ in range(3)]

    assert against(upstream, use) == [b"{}"] * 3
    assert upstream.connections == 1


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", True),
        (CHUNKED + b"2\r\n{}\r\n", False),
        (OK, True),
        (OK.replace(b"length: 2", b"length: 9"), False),
    ],
)
def test_an_end_is_known_only_where_it_has_come(sent: bytes, told: bool) -> None:
    async def use(backend: Backend) -> bool:
        answer = await send(backend)
        await anext(aiter(answer.body))
        told = answer.exhausted()
        await answer.aclose()
        return told

    assert against(Upstream(sent), use) is told
