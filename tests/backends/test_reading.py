"""Against a real HTTP server of a few lines, on loopback."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp.client_proto import ResponseHandler

from gateway.core.apis import Backend
from tests.backends.test_openai import CHUNKED, Upstream, against, send


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


async def taken(backend: Backend, *, pause_s: float = 0) -> bytes:
    answer = await send(backend)
    body = b""
    async for data in answer.body:
        body += data
        await asyncio.sleep(pause_s)
    return body


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What connections were given to parse."""
    given: list[bytes] = []
    received = ResponseHandler.data_received

    def noted(self: ResponseHandler, data: bytes) -> None:
        given.append(data)
        received(self, data)

    monkeypatch.setattr(ResponseHandler, "data_received", noted)
    return given


def test_what_is_taken_while_reading_goes_on_is_not_parsed_again(parsed: list[bytes]) -> None:
    pieces = [b"data: %d\n\n" % i for i in range(100)]
    body = against(Upstream(CHUNKED + chunked(*pieces)), taken)
    assert body == b"".join(pieces)
    assert parsed
    assert b"" not in parsed


def test_reading_goes_on_once_what_was_too_much_is_taken(parsed: list[bytes]) -> None:
    pieces = [bytes([i]) * 100_000 for i in range(60)]
    upstream = Upstream(CHUNKED + b"".join(chunked(piece)[:-5] for piece in pieces), b"0\r\n\r\n")
    body = against(upstream, lambda backend: taken(backend, pause_s=0.005))
    assert body == b"".join(pieces)
    assert b"" in parsed
