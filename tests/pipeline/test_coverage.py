"""What of an exchange was judged, by place and in bytes, and without a word of the caller's."""

from __future__ import annotations

import json

import pytest

from gateway.pipeline.shapes import Shapes
from tests.pipeline.fakes import SSE, STREAMS, Backend, Bundle, Sink, ask, chat, house

KNOWN = Shapes(frozenset({"messages", "content", "tools", "arguments"}))
SHAPES = [
    ("/messages/12/content", "/messages/*/content"),
    ("/messages/0/content~", "/messages/*/content"),
    ("/metadata/alice@example.com", "/*/*"),
    ("/metadata/alice@example.com~", "/*/*"),
    ("/messages/0/arguments!/to/3", "/messages/*/arguments!*"),
    ("", "/"),
]


@pytest.mark.parametrize(("path", "shape"), SHAPES)
def test_a_shape_holds_only_the_apis_own_names(path: str, shape: str) -> None:
    assert KNOWN(path) == shape


def test_the_record_tells_what_was_judged_by_path_in_bytes() -> None:
    sink = Sink()
    body = chat("Grüße", metadata={"alice@example.com": "x"})
    ask(house(Backend(b'{"choices":[]}'), Bundle({"EMAIL_ADDRESS": "flag"}), sink=sink), body)
    judged = sink.closed["request"]["judged_bytes"]
    assert judged["/messages/*/content"] == len("Grüße".encode())
    assert judged["/*/*"] == len("alice@example.com") + 1
    assert "alice" not in json.dumps(sink.closed)


def test_opaque_content_is_recorded_by_path_media_type_and_size() -> None:
    sink = Sink()
    url = "data:image/png;base64,AAAA"
    content = [{"type": "image_url", "image_url": {"url": url}}]
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": content}]})
    ask(house(Backend(b"{}"), Bundle({}), sink=sink), body.encode())
    assert sink.closed["request"]["opaque"] == [
        {"path": "/messages/*/content/*/image_url/url", "media_type": "image/png", "bytes": 3}
    ]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_counts_every_byte_of_text_once(name: str) -> None:
    sink = Sink()
    data = STREAMS[name]
    sizes = []
    for pieces in ([data], [data[i : i + 7] for i in range(0, len(data), 7)]):
        sink = Sink()
        bundle = Bundle({"EMAIL_ADDRESS": "redact"})
        ask(house(Backend(*pieces, kind=SSE), bundle, sink=sink), chat(stream=True))
        sizes.append(sink.closed["response"]["judged_bytes"])
    assert sizes[0] == sizes[1]
    assert sum(sizes[0].values()) > 0
