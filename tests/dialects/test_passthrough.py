"""APIs without a dialect: allowed by name, judged all the same."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.message import Message
from gateway.dialects.passthrough import Member
from tests.pipeline.fakes import SSE, Asked, Backend, Bundle, ask_async, house

PASS = Member()
TO = {"upstream": "reranker", "path": "v1/rerank"}


def asked(call: Call, backend: Backend, rules: dict[str, str]) -> Asked:
    return asyncio.run(ask_async(house(backend, Bundle(rules)), call, dialect=PASS))


@pytest.mark.parametrize("value", ['"a@b.de"', '["a@b.de"]', '{"x": {"y": ["a@b.de"]}}'])
def test_every_string_of_any_json_is_judged(value: str) -> None:
    backend = Backend(b"{}")
    asked(Call(value.encode(), params=TO), backend, {"EMAIL_ADDRESS": "redact"})
    assert backend.bodies == [value.replace("a@b.de", "[EMAIL_ADDRESS]").encode()]


@pytest.mark.parametrize(
    "path", ["../admin", "v1/./x", "v1//x", "v1/anna lind", "v1/a@b.de", "v1/%2e%2e", ""]
)
def test_a_path_is_plain_words(path: str) -> None:
    with pytest.raises(Unreadable):
        PASS.read(Call(b"{}", params={"upstream": "u", "path": path}))


@pytest.mark.parametrize(
    "query", [("q", "who is anna"), ("a@b.de", "1"), ("phone", "4915112345678")]
)
def test_a_query_is_plain_words(query: tuple[str, str]) -> None:
    with pytest.raises(Unreadable):
        PASS.read(Call(b"{}", params=TO, query=(query,)))


def test_path_and_query_go_on_as_the_client_wrote_them() -> None:
    call = Call(b"", "GET", {"upstream": "u", "path": "model/Qwen.qwen3:0/x"}, (("limit", "20"),))
    message = PASS.read(call)
    assert (message.method, message.path) == ("GET", "/model/Qwen.qwen3:0/x?limit=20")
    assert (message.upstream, message.model) == ("u", "")


def test_a_block_in_mid_stream_ends_with_an_error_event() -> None:
    texts = ["Fine so far. "] * 20 + ["key-0123", "4567 and more"]
    pieces = [b"data: " + json.dumps({"text": text}).encode() + b"\n\n" for text in texts]
    got = asked(Call(b'{"stream": true}', params=TO), Backend(*pieces, kind=SSE), {"KEY": "block"})
    assert got.body.startswith(pieces[0])
    assert b"key-0123" not in got.body
    last = json.loads(got.body.split(b"\n\n")[-2].removeprefix(b"data: "))
    assert last["error"]["code"] == "policy_violation"


def test_words_of_two_series_are_not_put_together() -> None:
    reader = PASS.reader(Message(b"", ()), status=200, content_type=SSE)
    events = [{"type": "a", "index": 0, "t": "x"}, {"type": "a", "index": 1, "t": "y"}]
    data = b"".join(b"data: " + json.dumps(e).encode() + b"\n\n" for e in events)
    lanes = [fragment.lane for frame in reader.feed(data) for fragment in frame.fragments]
    assert len(set(lanes)) == len(lanes) == 2


def test_a_plain_text_is_judged_as_it_stands() -> None:
    backend = Backend(b"{}")
    call = Call("Grüße an a@b.de!".encode(), params=TO, content_type="text/plain; charset=utf-8")
    asked(call, backend, {"EMAIL_ADDRESS": "redact"})
    assert backend.bodies == ["Grüße an [EMAIL_ADDRESS]!".encode()]


def test_a_plain_text_that_is_none_is_refused() -> None:
    with pytest.raises(Unreadable):
        PASS.read(Call(b"\xff", params=TO, content_type="text/plain"))
