from __future__ import annotations

import json

import pytest

from gateway.core.calls import Call
from gateway.core.message import Kind
from gateway.dialects.openai_transcriptions import Member
from tests.pipeline.fakes import SSE, WIRE, Asked, Backend, Bundle, ask, call_of, house

TRANSCRIPTIONS = Member()
WIRE_HERE = WIRE.parent / "openai_transcriptions"
REDACT = Bundle({"EMAIL_ADDRESS": "redact"})


def through(answer: bytes, kind: str = "application/json", bundle: Bundle = REDACT) -> Asked:
    call = call_of(WIRE_HERE / "plain.request.form")
    return ask(house(Backend(answer, kind=kind), bundle), call, dialect=TRANSCRIPTIONS)


def test_the_sound_is_opaque_and_the_rest_is_text() -> None:
    message = TRANSCRIPTIONS.read(call_of(WIRE_HERE / "verbose.request.form"))
    assert [(o.path, o.media_type, o.size_bytes) for o in message.opaque] == [
        ("/file/0", "audio/wav", 29)
    ]
    assert [(p.path, p.text, p.kind) for p in message.parts] == [
        ("/keywords[]/0", "bob@example.org", Kind.TEXT),
        ("/keywords[]/1", "acme", Kind.TEXT),
        ("/file/0/filename", "a.wav", Kind.METADATA),
    ]
    assert (message.model, message.stream) == ("whisper-1", False)


def test_a_field_nobody_knows_is_judged_with_its_name() -> None:
    message = TRANSCRIPTIONS.read(call_of(WIRE_HERE / "stream.request.form"))
    texts = {p.path: p.text for p in message.parts}
    assert texts["/note~"] == "note"
    assert texts["/note"] == "odd bob@example.org"
    assert message.stream


@pytest.mark.parametrize("path", TRANSCRIPTIONS.paths)
def test_each_operation_goes_where_it_came_from(path: str) -> None:
    call = call_of(WIRE_HERE / "plain.request.form")
    again = Call(call.body, content_type=call.content_type, path=path)
    assert TRANSCRIPTIONS.read(again).path == path


def test_what_repeats_a_changed_text_goes() -> None:
    value = json.loads(through((WIRE_HERE / "verbose.json").read_bytes()).body)
    assert value["text"] == "Write to [EMAIL_ADDRESS] today. Bye."
    assert value["segments"][0]["text"] == " Write to [EMAIL_ADDRESS] today."
    assert [s["tokens"] for s in value["segments"]] == [None, None]
    assert value["words"] is None


def test_segments_that_a_finding_runs_over_go_too() -> None:
    value = json.loads(through((WIRE_HERE / "diarized.json").read_bytes()).body)
    assert "alice" not in json.dumps(value)
    assert value["segments"] is None


def test_tokens_beside_an_edited_delta_are_dropped() -> None:
    body = through((WIRE_HERE / "stream.sse").read_bytes(), SSE).body
    assert b".smith" not in body
    assert body.count(b'"logprobs":null') == 6
    assert b'"text":"Write to [EMAIL_ADDRESS] now."' in body


@pytest.mark.parametrize("text", [b"4111", b"write to bob@example.org", b'{"a": 1}'])
def test_plain_text_is_text_whatever_it_looks_like(text: bytes) -> None:
    asked = through(text, "text/plain; charset=utf-8", Bundle({}))
    assert asked.body == text
    assert asked.exchange.response.coverage.judged_chars == len(text)


def test_a_blocked_stream_ends_in_an_error() -> None:
    deltas = [b'data: {"type":"transcript.text.delta","delta":"%b"}\n\n' % (b"word " * 40)] * 3
    deltas.append(b'data: {"type":"transcript.text.delta","delta":"key-0123abcd "}\n\n')
    asked = through(b"".join(deltas), SSE, Bundle({"KEY": "block"}))
    last = asked.body.split(b"\n\n")[-2].removeprefix(b"data: ")
    assert json.loads(last)["error"]["code"] == "policy_violation"
    assert b"key-" not in asked.body
