"""What is kept of texts is what policy wants, and never what policy took out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.judgement import StreamMode
from gateway.core.keeping import MAX_CHARS, Keep, Keeping, Payload
from tests.pipeline.fakes import SSE, STREAMS, Asked, Backend, Bundle, Sink, ask, chat, cuts, house

REDACT = {"EMAIL_ADDRESS": "redact", "KEY": "redact"}
MAIL = "to bob.stone@example.com now"
ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"role": "assistant", "content": "key-0a1b2c3d it is"}}]}
).encode()


def kept(
    rules: dict[str, str], texts: Keep, backend: Backend, body: bytes, **how: Any
) -> tuple[Payload | None, Asked]:
    bundle = Bundle(rules, **how)
    bundle.keeping = Keeping(texts, "default")
    sink = Sink()
    asked = ask(house(backend, bundle, sink=sink), body)
    assert [entry.payload for entry in sink.entries[:-1]] == [None] * (len(sink.entries) - 1)
    return sink.entries[-1].payload, asked


def texts_of(payload: Payload | None) -> dict[str, list[str]]:
    assert payload is not None
    document = json.loads(payload.document)
    return {
        side: [each["text"] for each in document[side]["texts"]]
        for side in ("request", "response")
        if side in document
    }


@pytest.mark.parametrize(
    ("texts", "asked", "answered"),
    [
        (Keep.REDACTED, "to [EMAIL_ADDRESS] now", "[KEY] it is"),
        (Keep.FULL, MAIL, "key-0a1b2c3d it is"),
    ],
)
def test_both_sides_are_kept_as_policy_wants(texts: Keep, asked: str, answered: str) -> None:
    payload, _ = kept(REDACT, texts, Backend(ANSWER), chat(MAIL, user="anna"))
    found = texts_of(payload)
    assert asked in found["request"]
    assert answered in found["response"]
    assert payload is not None
    assert payload.retention == "default"


def test_nothing_is_kept_unless_policy_says_so() -> None:
    payload, _ = kept(REDACT, Keep.NONE, Backend(ANSWER), chat(MAIL))
    assert payload is None


def test_a_text_says_whose_it_is_and_where_it_stood() -> None:
    payload, _ = kept({}, Keep.REDACTED, Backend(ANSWER), chat("Hello."))
    assert payload is not None
    document = json.loads(payload.document)
    assert document["v"] == 1
    assert document["request"] == {
        "kept": "redacted",
        "texts": [
            {"place": "/messages/*/content", "role": "user", "kind": "text", "text": "Hello."}
        ],
        "cut": False,
    }


@pytest.mark.parametrize("rules", [{"KEY": "block"}, {"KEY": "block", "EMAIL_ADDRESS": "flag"}])
def test_of_what_was_stopped_nothing_is_kept_that_was_found(rules: dict[str, str]) -> None:
    body = chat("key-0a1b2c3d of bob@example.com")
    payload, asked = kept(rules, Keep.REDACTED, Backend(ANSWER), body)
    assert asked.status == 400
    assert list(texts_of(payload)) == ["request"]
    said = "[KEY] of [EMAIL_ADDRESS]" if len(rules) > 1 else "[KEY] of"
    assert texts_of(payload)["request"][0].startswith(said)


def test_restored_originals_are_not_kept() -> None:
    def answer(said: str) -> bytes:
        message = {"role": "assistant", "content": said}
        return json.dumps({"choices": [{"index": 0, "message": message}]}).encode()

    rules = {"EMAIL_ADDRESS": "pseudonymise"}
    first, _ = kept(rules, Keep.REDACTED, Backend(answer("Hello.")), chat(MAIL))
    placeholder = texts_of(first)["request"][0].split()[1]
    again, asked = kept(
        rules, Keep.REDACTED, Backend(answer(f"Sent to {placeholder}.")), chat(MAIL)
    )
    assert b"bob.stone@example.com" in asked.body
    assert texts_of(again)["response"] == [f"Sent to {placeholder}."]


@pytest.mark.parametrize("mode", [StreamMode.WINDOW, StreamMode.HOLD])
@pytest.mark.parametrize("name", ["openai_text", "openai_tools"])
def test_what_is_kept_of_a_stream_does_not_depend_on_how_it_was_cut(
    name: str, mode: StreamMode
) -> None:
    data = STREAMS[name]

    def of(ends: list[int]) -> dict[str, list[str]]:
        pieces = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
        backend = Backend(*pieces, kind=SSE)
        return texts_of(kept(REDACT, Keep.REDACTED, backend, chat(stream=True), mode=mode)[0])

    whole = of([])
    assert "alice" not in json.dumps(whole)
    assert "0a1b2c" not in json.dumps(whole)
    for ends in list(cuts(len(data)))[::8]:
        assert of(ends) == whole


def test_more_than_so_much_is_left_out_and_said_to_be() -> None:
    text = "a " * MAX_CHARS
    payload, _ = kept({}, Keep.FULL, Backend(ANSWER), chat(text))
    assert payload is not None
    document = json.loads(payload.document)
    assert document["request"]["cut"]
    assert sum(len(each["text"]) for each in document["request"]["texts"]) == MAX_CHARS
