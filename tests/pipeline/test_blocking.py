"""What is blocked, says so in the client's own format and goes no further."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.core.calls import Call
from gateway.core.exchange import Exchange, Outcome
from gateway.core.judgement import Context, StreamMode
from gateway.pipeline.run import run
from tests.pipeline.fakes import (
    CHAT,
    SAMPLES,
    SSE,
    STREAMS,
    WHO,
    WHOLES,
    Asked,
    Backend,
    Bundle,
    Inspector,
    Sink,
    answered,
    ask,
    chat,
    cuts,
    finish_reasons,
    heard,
    house,
)

BLOCK = {"KEY": "block", "EMAIL_ADDRESS": "redact"}
HIDDEN = (b"key-0a", b"2c3d", b"alice.smith", b"@example")


def assert_refused(asked: Asked, status: int = 400) -> None:
    assert asked.status == status
    assert asked.headers["x-should-retry"] == "false"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["content-length"] == str(len(asked.body))
    assert asked.error["gateway"]["request_id"] == "id-1"


@pytest.mark.parametrize("stream", [False, True])
def test_blocked_request_never_reaches_backend(stream: bool) -> None:
    backend = Backend(b"{}")
    asked = ask(house(backend, Bundle(BLOCK)), chat("use key-0a1b2c3d", stream=stream))
    assert_refused(asked)
    assert backend.bodies == []
    assert asked.error["code"] == "policy_violation"
    assert asked.error["param"] == "messages"
    assert asked.exchange.outcome is Outcome.BLOCKED
    assert b"0a1b" not in asked.body


@pytest.mark.parametrize("name", ["openai_text", "openai_tools"])
def test_a_whole_answer_that_is_blocked_is_a_filtered_completion(name: str) -> None:
    asked = answered(WHOLES[name], "application/json", Bundle(BLOCK))
    value = json.loads(asked.body)
    assert asked.status == 200
    assert [c["finish_reason"] for c in value["choices"]] == ["content_filter"]
    assert value["choices"][0]["message"]["content"] is None
    assert "tool_calls" not in value["choices"][0]["message"]
    assert value.get("usage") == json.loads(WHOLES[name]).get("usage")
    assert not [h for h in HIDDEN if h in asked.body]
    assert asked.exchange.outcome is Outcome.BLOCKED


def test_a_blocked_error_of_the_upstream_is_an_error_still() -> None:
    rules = Bundle({"EMAIL_ADDRESS": "block"})
    for name in ("openai_error.json", "proxy_error.json"):
        data, kind = SAMPLES[name]
        asked = ask(house(Backend(data, kind=kind, status=502), rules), chat())
        assert asked.status == 400
        assert b"alice" not in asked.body


def test_a_stream_blocked_before_its_first_byte_is_a_plain_refusal() -> None:
    data = STREAMS["openai_text"]
    asked = answered(data, SSE, Bundle(BLOCK))
    assert_refused(asked)
    assert asked.exchange.outcome is Outcome.BLOCKED


@pytest.mark.parametrize("name", ["openai_text", "openai_logprobs", "openai_tools"])
def test_a_stream_blocked_in_the_middle_ends_as_filtered(name: str) -> None:
    data = STREAMS[name]
    for cut in cuts(len(data)):
        asked = answered(data, SSE, Bundle(BLOCK), *cut)
        if asked.status == 400:
            assert_refused(asked)
            continue
        assert asked.body.endswith(b"data: [DONE]\n\n")
        assert finish_reasons(asked.body) == ["content_filter"]
        assert not [h for h in HIDDEN if h in asked.body]
        assert heard(asked.body).get("0/tool_calls/0/function/arguments", "") == ""


def test_the_last_chunk_of_a_stopped_stream_looks_like_the_ones_before() -> None:
    data = STREAMS["openai_text"]
    body = answered(data, SSE, Bundle(BLOCK), *range(50, len(data), 50)).body
    chunks = [json.loads(e[6:]) for e in body.decode().split("\n\n") if e.startswith("data: {")]
    assert len(chunks) > 1
    for key in ("id", "created", "model", "object", "system_fingerprint"):
        assert {c[key] for c in chunks} == {chunks[0][key]}


def chunk(index: int, text: str, finish: str | None = None) -> bytes:
    choice = {"index": index, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("first", "reasons"),
    [
        ([chunk(1, "Hi", "stop"), chunk(0, "x" * 99)], ["stop", "content_filter"]),
        ([chunk(0, "x" * 99), chunk(1, "Hi", "stop")], ["content_filter", "content_filter"]),
    ],
    ids=["its end has left", "its end was held back"],
)
def test_every_choice_of_a_stopped_stream_ends_once(first: list[bytes], reasons: list[str]) -> None:
    backend = Backend(
        chunk(0, ""), *first, chunk(0, " key-0a1b2c3d "), chunk(0, "", "stop"), kind=SSE
    )
    body = ask(house(backend, Bundle(BLOCK)), chat(stream=True)).body
    assert finish_reasons(body) == reasons
    assert b"0a1b" not in body


def test_a_blocked_stream_ends_the_upstream_call() -> None:
    data = STREAMS["openai_text"]
    pieces = [data[i : i + 50] for i in range(0, len(data), 50)]
    backend = Backend(*pieces, kind=SSE, fail="hang")
    asked = ask(house(backend, Bundle(BLOCK)), chat(stream=True))
    assert asked.body.endswith(b"[DONE]\n\n")
    assert backend.closed == 1


def test_held_answers_are_judged_before_their_first_byte() -> None:
    data = STREAMS["openai_text"]
    for cut in cuts(len(data)):
        assert_refused(answered(data, SSE, Bundle(BLOCK, StreamMode.HOLD), *cut))


@pytest.mark.parametrize("where", ["request", "answer"])
def test_a_detector_that_fails_blocks(where: str) -> None:
    text = "at @" if where == "request" else "Hello."
    backend = Backend(WHOLES["openai_text"])
    broken = Inspector(broken=True)
    asked = ask(house(backend, Bundle({"KEY": "flag"}), inspector=broken), chat(text))
    assert asked.exchange.outcome is Outcome.BLOCKED
    assert len(backend.bodies) == (where == "answer")
    assert b"alice" not in asked.body


def test_a_detector_that_fails_in_mid_stream_stops_it() -> None:
    data = STREAMS["openai_text"]
    pieces = [data[i : i + 50] for i in range(0, len(data), 50)]
    backend = Backend(*pieces, kind=SSE)
    asked = ask(house(backend, Bundle({"KEY": "redact"}), inspector=Inspector(broken=True)), chat())
    assert asked.status == 400 or finish_reasons(asked.body) == ["content_filter"]
    assert not [h for h in HIDDEN if h in asked.body]


def test_rules_know_what_the_caller_reads_and_the_record_does_not() -> None:
    asked: list[Context] = []

    class Listens(Bundle):
        def bind(self, context: object) -> Bundle:
            assert isinstance(context, Context)
            asked.append(context)
            return self

    async def main(sink: Sink) -> None:
        headers = {"accept-language": "de-CH, zanzibar, en;q=0.5"}
        exchange = Exchange("id", WHO, CHAT.name, CHAT.paths[0], headers, Call(chat()))
        house_ = house(Backend(WHOLES["openai_text"]), Listens({}), sink=sink)
        async for _ in run(exchange, CHAT, house_):
            pass

    sink = Sink()
    asyncio.run(main(sink))
    assert [context.languages for context in asked] == [("de-ch", "en")] * 2
    assert "de-ch" not in json.dumps([entry.core for entry in sink.entries]).lower()
