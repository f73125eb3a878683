"""What is neither body nor a whole head may not grow without end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.server.heads import MAX_HEAD_BYTES
from tests.server.wired import CLOSED, exchange

FIRST = b"POST / HTTP/1.1\r\nhost: a\r\n"
CHUNKED = FIRST + b"transfer-encoding: chunked\r\n\r\n"
PIECE = b"a" * 1_000
OK = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}


async def reading(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, then answers."""
    while (await receive()).get("more_body"):
        pass
    await send(OK)
    await send({"type": "http.response.body"})


def answered(*pieces: bytes) -> bytes:
    return b"".join(asyncio.run(exchange(reading, pieces)))


@pytest.mark.parametrize(
    "begun",
    [FIRST + b"x: ", FIRST, b"GET /", CHUNKED + b"1;", CHUNKED + b"1\r\na\r\n0\r\nx: "],
    ids=["a header", "a header's name", "a path", "a chunk's extension", "a trailer"],
)
def test_what_has_no_end_is_refused(begun: bytes) -> None:
    got = answered(begun, *[PIECE] * (MAX_HEAD_BYTES // len(PIECE) + 2))
    assert got.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert got.endswith(CLOSED)


def test_a_head_of_the_size_that_is_allowed_is_served() -> None:
    rest = MAX_HEAD_BYTES - len(FIRST) - 3 * len(PIECE)
    pieces = [PIECE] * (rest // len(PIECE))
    got = answered(FIRST + b"x: ", *pieces, b"\r\ncontent-length: 0\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 OK\r\n")
    assert CLOSED not in got


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_may_be_longer_than_a_head(chunked: bool) -> None:
    count = 3 * MAX_HEAD_BYTES // len(PIECE)
    if chunked:
        pieces = [CHUNKED, *[b"%x\r\n%s\r\n" % (len(PIECE), PIECE)] * count, b"0\r\n\r\n"]
    else:
        pieces = [FIRST + b"content-length: %d\r\n\r\n" % (count * len(PIECE)), *[PIECE] * count]
    assert answered(*pieces).startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_has_ended_does_not_count_for_what_comes_next() -> None:
    half = [PIECE] * (MAX_HEAD_BYTES // len(PIECE) // 2 + 2)
    head = [FIRST + b"transfer-encoding: chunked\r\nx: ", *half, b"\r\n\r\n"]
    chunk = [b"1;", *half, b"\r\na\r\n", b"0\r\nx: ", *half, b"\r\n\r\n"]
    got = answered(*head, *chunk, *head, *chunk)
    assert got.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert CLOSED not in got
