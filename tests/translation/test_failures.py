"""Errors, silence and clients that leave, in translation."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from gateway.core.apis import BackendOptions
from gateway.core.errors import UpstreamError, UpstreamTimeout
from tests.conformance.vendors import Says, Vendors
from tests.e2e.running import free_ports
from tests.translation.asking import ask, backend, outgoing
from tests.translation.clients import HELLO, asking, hear
from tests.translation.test_answers import pairs, streamed
from tests.translation.wires import VENDORS, Tells, error

WORDS = "No such thing here."
SECRET = "CANARY-of-the-prompt"


@pairs
@streamed
@pytest.mark.parametrize("status", [400, 429, 529])
def test_the_vendors_error_arrives_under_its_status_after_one_call(
    vendors: Vendors, dialect: str, kind: str, stream: bool, status: int
) -> None:
    model = vendors.answer(f"error-{status}-{kind}", error(kind, status, WORDS))
    got = ask(kind, vendors, outgoing(dialect, HELLO[dialect], model, stream=stream))
    assert got.status == status
    assert got.headers["content-type"] == "application/json"
    assert hear(dialect, got.body, stream=False).error == WORDS
    assert len(vendors.of(model)) == 1


@pairs
def test_an_error_without_words_says_nothing_of_ours(
    vendors: Vendors, dialect: str, kind: str
) -> None:
    page = Says([b"<html>litellm /usr/lib/python</html>"], "text/html", 502)
    model = vendors.answer(f"page-{kind}", page)
    got = ask(kind, vendors, outgoing(dialect, HELLO[dialect], model))
    assert got.status == 502
    assert "litellm" not in got.body.decode().lower()


@pairs
@streamed
def test_a_vendor_that_is_not_there_is_an_upstream_error(
    vendors: Vendors, dialect: str, kind: str, stream: bool
) -> None:
    class Nobody(Vendors):
        def __init__(self) -> None:
            self.url = f"http://127.0.0.1:{free_ports(1)[0]}"

    with pytest.raises(UpstreamError) as raised:
        ask(kind, Nobody(), outgoing(dialect, HELLO[dialect], "nobody", stream=stream))
    assert raised.value.code == "upstream_unreachable"


@pairs
@streamed
def test_a_slow_head_is_a_timeout(vendors: Vendors, dialect: str, kind: str, stream: bool) -> None:
    slow = Says([b" "] * 100, "text/event-stream" if stream else "application/json", pace_s=0.05)
    model = vendors.answer(f"slow-{kind}", slow)
    with pytest.raises(UpstreamTimeout):
        ask(kind, vendors, outgoing(dialect, HELLO[dialect], model, stream=stream),
            first_byte_s=0.4)  # fmt: skip


@pairs
def test_silence_in_mid_stream_is_a_timeout(vendors: Vendors, dialect: str, kind: str) -> None:
    tells = Tells(pieces=("a", "b", "c"), pace_s=1.0)
    model = vendors.answer(f"silent-{kind}", VENDORS[kind](tells))
    with pytest.raises(UpstreamTimeout):
        ask(kind, vendors, outgoing(dialect, HELLO[dialect], model, stream=True),
            between_bytes_s=0.3, first_byte_s=6.0)  # fmt: skip


@pairs
def test_a_stream_that_is_cut_off_is_an_upstream_error(
    vendors: Vendors, dialect: str, kind: str
) -> None:
    model = vendors.answer(f"cut-{kind}", VENDORS[kind](Tells(cut=True)))
    with pytest.raises(UpstreamError):
        ask(kind, vendors, outgoing(dialect, HELLO[dialect], model, stream=True))


@pairs
@streamed
def test_a_client_that_leaves_ends_the_call(dialect: str, kind: str, stream: bool) -> None:
    async def main() -> None:
        arrived, gone = asyncio.Event(), asyncio.Event()

        async def vendor(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            if stream:
                sse = _first_bytes(kind)
                head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
                writer.write(head + sse)
                await writer.drain()
            arrived.set()
            while await reader.read(1024):
                pass
            gone.set()
            writer.close()

        server = await asyncio.start_server(vendor, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        to = backend(kind, f"http://127.0.0.1:{port}", dialect)
        call = outgoing(dialect, HELLO[dialect], "left", stream=stream)
        if stream:
            answer = await to.send(call)
            assert await anext(aiter(answer.body))
            await answer.aclose()
        else:
            task = asyncio.create_task(to.send(call))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        async with asyncio.timeout(10):
            await gone.wait()
        await to.aclose()
        server.close()

    asyncio.run(main())


def _first_bytes(kind: str) -> bytes:
    from tests.conformance.vendors import Received

    got = Received("POST", "/x:stream", "", {}, json.dumps({"stream": True}).encode())
    pieces = VENDORS[kind](Tells(pieces=("a", "b", "c", "d")))(got).pieces
    return b"".join(pieces[:4])


@pairs
@streamed
def test_nothing_is_logged_or_printed(
    vendors: Vendors,
    dialect: str,
    kind: str,
    stream: bool,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    body = asking(dialect, SECRET)
    for name, answer in (
        ("said", VENDORS[kind](Tells(pieces=(SECRET, "answer")))),
        ("failed", error(kind, 500, SECRET)),
    ):
        model = vendors.answer(f"logged-{name}-{kind}", answer)
        ask(kind, vendors, outgoing(dialect, body, model, stream=stream))
    captured = capfd.readouterr()
    assert SECRET not in caplog.text + captured.out + captured.err
    assert "litellm" not in (captured.out + captured.err).lower()


def test_options_do_not_show_their_settings() -> None:
    assert "hush" not in repr(BackendOptions(settings={"aws_secret_access_key": "hush"}))
