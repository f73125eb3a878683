from __future__ import annotations

import itertools

import pytest

from gateway.core.errors import UpstreamError
from gateway.dialects import _sse
from gateway.dialects._sse import Event, Events
from tests.timing import assert_linear

# (bytes, data of each event, bytes that go on if they are not the same)
STREAMS: list[tuple[bytes, list[bytes], bytes | None]] = [
    (b"data: a\n\ndata: b\n\n", [b"a", b"b"], None),
    (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"], None),
    (b"data: a\r\rdata: b\r\r", [b"a", b"b"], None),
    (b"data: a\n\r\ndata: b\r\n\n", [b"a", b"b"], None),
    (b"data:a\n\ndata:  b\n\n", [b"a", b" b"], None),
    (b"\xef\xbb\xbfdata: a\n\n", [b"a"], None),
    (b": comment\n\ndata: a\n\n", [b"", b"a"], None),
    (b"event: x\nid: 1\nretry: 5\ndata: a\n\n", [b"a"], None),
    (b"data: a", [b"a"], None),
    (b"data: a\n", [b"a"], None),
    (b"data\n\nid: 3\n\n", [b"", b""], None),
    (b"data: {\ndata: }\n\n", [b"{ }"], b"data: { }\n\n"),
    (b"event: x\r\ndata: {\r\ndata: }\r\n\r\n", [b"{ }"], b"event: x\ndata: { }\n\n"),
    (b": hidden\ndata: a\nfield: hidden\n\n", [b"a"], b"data: a\n\n"),
    (b"data: a\n\n\n\ndata: b\n\n", [b"a", b"", b"b"], None),
    ("data: é😀\n\n".encode(), ["é😀".encode()], None),
    (b"", [], None),
]


def read(*pieces: bytes) -> list[Event]:
    events = Events()
    found = list(itertools.chain.from_iterable(events.feed(piece) for piece in pieces))
    return [events.event(raw) for raw in [*found, *events.flush()]]


@pytest.mark.parametrize(("stream", "data", "out"), STREAMS)
def test_events_are_the_same_at_every_split(
    stream: bytes, data: list[bytes], out: bytes | None
) -> None:
    whole = read(stream)
    assert [e.data for e in whole] == data
    assert b"".join(e.raw for e in whole) == (stream if out is None else out)
    for event in whole:
        assert event.raw[event.start : event.end] == event.data
    for at in range(1, len(stream)):
        assert read(stream[:at], stream[at:]) == whole
    assert read(*(stream[i : i + 1] for i in range(len(stream)))) == whole


def test_an_event_is_given_out_as_soon_as_it_is_whole() -> None:
    events = Events()
    assert events.feed(b"data: a\n\ndata: ") == [b"data: a\n\n"]
    assert events.feed(b"b\n\n") == [b"data: b\n\n"]


def test_names_are_read() -> None:
    assert [e.name for e in read(b"event: ping\ndata: {}\n\ndata: {}\n\n")] == ["ping", ""]


def test_an_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sse, "MAX_EVENT_BYTES", 1_000)
    events = Events()
    assert events.feed(b"data: " + b"x" * 900) == []
    with pytest.raises(UpstreamError):
        events.feed(b"x" * 900)


def test_a_large_event_in_small_pieces_takes_linear_time() -> None:
    def feed(pieces: int) -> None:
        events, piece = Events(), b"x" * 4_096
        for _ in range(pieces):
            events.feed(piece)

    assert_linear(feed, 100, 1_000)
