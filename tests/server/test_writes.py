"""Against uvicorn's own protocol, with a transport that writes down what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from gateway.server.writes import MOST_BYTES, JoinedWrites
from tests.server.wired import CLOSED, Written, exchange

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}
ASKED = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
BODY = {"type": "http.response.body", "body": b"hello"}


def turns(test: Callable[[Written, JoinedWrites], Coroutine[Any, Any, None]]) -> list[bytes]:
    async def main() -> list[bytes]:
        transport = Written()
        await test(transport, JoinedWrites(transport))
        await asyncio.sleep(0)
        return transport.sent

    return asyncio.run(main())


def test_a_whole_answer_is_one_write() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(HEAD)
        await send(BODY)

    (sent,) = asyncio.run(exchange(app, [ASKED]))
    assert sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert sent.endswith(b"\r\n\r\nhello")


def test_what_is_sent_in_another_turn_is_another_write() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(HEAD)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await send(BODY)

    head, body = asyncio.run(exchange(app, [ASKED]))
    assert head.endswith(b"\r\n\r\n")
    assert body == b"hello"


def test_closing_sends_first_what_was_written() -> None:
    async def last_words(transport: Written, joined: JoinedWrites) -> None:
        joined.write(b"last ")
        joined.write(b"words")
        joined.close()

    assert turns(last_words) == [b"last words", CLOSED]


def test_nothing_is_written_to_a_connection_that_is_gone() -> None:
    async def gone(transport: Written, joined: JoinedWrites) -> None:
        joined.write(b"late")
        transport.close()

    assert turns(gone) == [CLOSED]


def test_much_does_not_wait_for_the_end_of_the_turn() -> None:
    """Else a transport could not slow a writer that never pauses by itself."""

    async def much(transport: Written, joined: JoinedWrites) -> None:
        joined.write(b"a" * (MOST_BYTES - 1))
        assert not transport.sent
        joined.write(b"b")
        assert len(transport.sent) == 1
        joined.write(b"c")

    first, second = turns(much)
    assert len(first) == MOST_BYTES
    assert second == b"c"


def test_what_else_a_transport_can_do_it_does() -> None:
    async def asked(transport: Written, joined: JoinedWrites) -> None:
        assert cast("asyncio.Transport", joined).is_closing() is False
        transport.close()
        assert cast("asyncio.Transport", joined).is_closing() is True

    assert turns(asked) == [CLOSED]
