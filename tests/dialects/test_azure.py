from __future__ import annotations

import json

import pytest

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.judgement import Refusal, Route
from gateway.dialects.azure_chat import Member
from gateway.dialects.azure_completions import Member as Completions
from tests.pipeline.fakes import SSE, WIRE, Asked, Backend, Bundle, ask, heard, house

CHAT = Member()
BLOCK = Refusal("policy_violation", "Not allowed.", rule="r", policy="p", categories=("KEY",))
RESULTS = {"custom_blocklists": {"filtered": True, "details": [{"filtered": True, "id": "test/r"}]}}
AT = {"deployment": "dep-1"}
BODY = b'{"messages": [{"role":"user","content":"x"}]}'


def to(upstream: str) -> Route:
    return Route("dep-1", upstream, "b", "p")


def call(body: bytes = BODY, version: str = "2024-10-21") -> Call:
    return Call(body, params=AT, query=(("api-version", version),))


@pytest.mark.parametrize(
    ("body", "upstream", "sent"),
    [
        (b'{"messages":[]}', "dep-1", b'{"model": "dep-1","messages":[]}'),
        (b'{"messages":[],"model":"dep-1"}', "dep-1", b'{"messages":[],"model":"dep-1"}'),
        (b'{"model":"odd","messages":[]}', "dep-1", b'{"model":"dep-1","messages":[]}'),
        (b'{"model":"","messages":[]}', "other", b'{"model":"other","messages":[]}'),
    ],
)
def test_the_deployment_is_the_model(body: bytes, upstream: str, sent: bytes) -> None:
    message = CHAT.read(call(body))
    assert (message.model, message.path) == ("dep-1", "/v1/chat/completions")
    assert CHAT.forward(message, {}, to(upstream)) == sent


@pytest.mark.parametrize(
    "bad", [call(b'{"messages":[],"model":5}'), call(version="for alice"), Call(BODY)]
)
def test_what_could_be_more_than_a_name_is_refused(bad: Call) -> None:
    with pytest.raises(Unreadable):
        CHAT.read(bad)


def test_a_rule_speaks_as_azures_own_filter() -> None:
    reply = CHAT.refuse(BLOCK, "id-1")
    error = json.loads(reply.body)["error"]
    assert (reply.status, error["code"], error["param"]) == (400, "content_filter", "prompt")
    assert error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    details = error["innererror"]["content_filter_result"]["custom_blocklists"]["details"]
    assert details == [{"filtered": True, "id": "p/r"}]
    assert reply.headers["apim-request-id"] == "id-1"
    assert reply.headers["x-should-retry"] == "false"


def test_other_refusals_are_plain_errors() -> None:
    error = json.loads(CHAT.refuse(Refusal("model_not_found", "No.", 404), "id-1").body)["error"]
    assert error["code"] == "model_not_found"
    assert "innererror" not in error


def through(*pieces: bytes, kind: str = "application/json") -> Asked:
    backend = Backend(*pieces, kind=kind)
    return ask(house(backend, Bundle({"KEY": "block"})), call(), dialect=CHAT)


def test_a_withheld_answer_says_by_what() -> None:
    message = {"role": "assistant", "content": "key-0123abcd"}
    asked = through(json.dumps({"choices": [{"index": 0, "message": message}]}).encode())
    (choice,) = json.loads(asked.body)["choices"]
    assert choice["finish_reason"] == "content_filter"
    assert choice["content_filter_results"] == RESULTS


def test_a_stopped_stream_says_by_what() -> None:
    events = (WIRE.parent / "azure_chat" / "text.sse").read_bytes()
    secret = json.dumps({"choices": [{"index": 0, "delta": {"content": " key-0123abcd "}}]})
    first = events.partition(b'"content":"Ask')[0].rpartition(b"data: ")[0]
    words = (b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"a " * 90)) * 2
    asked = through(first, words, b"data: " + secret.encode() + b"\n\n", kind=SSE)
    (*_, last, done, _) = asked.body.split(b"\n\n")
    (choice,) = json.loads(last.removeprefix(b"data: "))["choices"]
    assert (choice["finish_reason"], choice["content_filter_results"]) == (
        "content_filter",
        RESULTS,
    )
    assert done == b"data: [DONE]"


def test_completions_say_it_too() -> None:
    answer = json.dumps({"choices": [{"index": 0, "text": "key-0123abcd"}]}).encode()
    given = call(b'{"prompt":"x"}')
    asked = ask(house(Backend(answer), Bundle({"KEY": "block"})), given, dialect=Completions())
    (choice,) = json.loads(asked.body)["choices"]
    assert choice["content_filter_results"] == RESULTS


def test_a_text_behind_an_event_without_choices_is_one_text() -> None:
    events = (WIRE.parent / "azure_chat" / "text.sse").read_bytes()
    given = house(Backend(events, kind=SSE), Bundle({"EMAIL_ADDRESS": "redact"}))
    body = ask(given, call(), dialect=CHAT).body
    assert heard(body)["0/content"] == "Ask [EMAIL_ADDRESS] or [EMAIL_ADDRESS]"


def test_a_last_event_of_ours_has_the_answers_id() -> None:
    stream = CHAT.reader(CHAT.read(call()), status=200, content_type=SSE)
    stream.feed((WIRE.parent / "azure_chat" / "text.sse").read_bytes())
    assert b'"chatcmpl-Az1"' in stream.stop(BLOCK, "id-1", ())
