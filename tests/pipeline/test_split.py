"""What a client gets of a stream does not depend on how it arrived, and nothing leaves early."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from gateway.core.exchange import Exchange
from gateway.core.judgement import StreamMode
from gateway.pipeline.guard import _BATCH_CHARS
from tests.pipeline.fakes import (
    SAMPLES,
    SSE,
    STREAMS,
    Backend,
    Bundle,
    Inspector,
    answered,
    ask,
    chat,
    cuts,
    heard,
    house,
)

REDACT = {"EMAIL_ADDRESS": "redact", "KEY": "redact"}
VALUES = ("alice.smith@example.com", "key-0a1b2c3d", "alice", "smith@", "0a1b", "2c3d")

# stream -> what its client hears of its texts under REDACT
TEXTS = {
    "azure_text": {"0/content": "Mail [EMAIL_ADDRESS] today"},
    "compatible_cr": {"0/content": "at [EMAIL_ADDRESS]\n"},
    "llamacpp_text": {"0/content": "¡Hola! 私は [EMAIL_ADDRESS]です 😀"},
    "openai_refusal": {"0/refusal": "I will not write to [EMAIL_ADDRESS]."},
    "openai_text": {"0/content": "Write to [EMAIL_ADDRESS] or use [KEY], not later."},
    "openai_logprobs": {"0/content": "Write to [EMAIL_ADDRESS] or use [KEY], not later."},
    "openai_tools": {
        "0/tool_calls/0/function/arguments": (
            '{"to":"[EMAIL_ADDRESS]","body":"use \\"[KEY]\\" \\u2014 now","cc":[]}'
        ),
        "0/tool_calls/1/function/arguments": '{"line":"sent to [EMAIL_ADDRESS]"}',
    },
    "openai_two_choices": {
        "0/content": "He said [EMAIL_ADDRESS] twice.",
        "1/content": "I know [KEY] and not more",
    },
    "router_reasoning": {
        "0/content": "Done.",
        "0/reasoning": "So [EMAIL_ADDRESS] it is then, and no one else at all.",
        "0/reasoning_details/0/text": "So [EMAIL_ADDRESS] it is then, and no one else at all.",
    },
    "vllm_reasoning": {
        "0/content": "Mail goes to [EMAIL_ADDRESS]",
        "0/reasoning_content": "They want [EMAIL_ADDRESS], an address.",
    },
}


def learned(exchange: Exchange) -> object:
    """What the record will say of an answer, but for times."""
    side = exchange.response
    return (
        exchange.outcome,
        side.bytes,
        side.digest,
        side.coverage.texts,
        side.coverage.judged_chars,
        side.findings,
        side.effects,
        exchange.usage,
        exchange.answer_model,
    )


def test_every_stream_sample_is_in_the_table() -> None:
    assert TEXTS.keys() == STREAMS.keys()


@pytest.mark.parametrize("name", TEXTS)
def test_redacted_values_are_gone_at_every_split(name: str) -> None:
    data = STREAMS[name]
    whole = answered(data, SSE, Bundle(REDACT))
    texts = heard(whole.body)
    assert {k: texts[k] for k in TEXTS[name]} == TEXTS[name]
    for cut in cuts(len(data)):
        asked = answered(data, SSE, Bundle(REDACT), *cut)
        assert asked.body == whole.body, cut
        assert learned(asked.exchange) == learned(whole.exchange), cut


@pytest.mark.parametrize("name", TEXTS)
def test_no_character_of_a_redacted_value_ever_leaves(name: str) -> None:
    data = STREAMS[name]
    for size in (1, 5, 40, 200):
        asked = answered(data, SSE, Bundle(REDACT), *range(size, len(data), size))
        final, released = heard(asked.body), b""
        for piece in asked.pieces:
            released += piece
            for lane, text in heard(released).items():
                assert final[lane].startswith(text)
        assert not [v for v in VALUES if v.encode() in asked.body]


@pytest.mark.parametrize("mode", StreamMode)
@pytest.mark.parametrize("model", [False, True])
def test_modes_and_models_change_when_text_leaves_not_what(mode: StreamMode, model: bool) -> None:
    if mode is StreamMode.OBSERVE:
        return  # only for rules that change nothing
    for name, data in STREAMS.items():
        pieces = [data[i : i + 50] for i in range(0, len(data), 50)]
        backend = Backend(*pieces, kind=SSE)
        asked = ask(house(backend, Bundle(REDACT, mode), inspector=Inspector(model=model)), chat())
        texts = heard(asked.body)
        assert {k: texts[k] for k in TEXTS[name]} == TEXTS[name]
        if mode is StreamMode.HOLD and "tools" not in name:
            assert (
                len([p for p in asked.pieces if b"content" in p and b'"content":""' not in p]) <= 4
            )


PROSE = "Ask alice.smith@example.com about key-0a1b2c3d. It is 4.50, not more! " * 60


def streamed(text: str, size: int) -> bytes:
    deltas = [{"content": text[i : i + size]} for i in range(0, len(text), size)]
    chunks = [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks)


ENDLESS = "then alice.smith@example.com said to me, and I to her, and so on it went, " * 60
TEXT = {"sentences": PROSE, "one sentence": ENDLESS, "no spaces": PROSE.replace(" ", "_")}


@pytest.mark.parametrize("text", TEXT.values(), ids=TEXT)
@pytest.mark.parametrize("action", ["redact", "mask", "pseudonymise", "flag"])
@pytest.mark.parametrize("size", [1, 37, 500])
def test_a_stream_says_what_the_same_answer_says_at_once(text: str, action: str, size: int) -> None:
    bundle = Bundle({"EMAIL_ADDRESS": action, "KEY": action})
    message = {"role": "assistant", "content": text}
    body = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
    unary = json.loads(answered(body, "application/json", bundle).body)
    data = streamed(text, size)
    stream = answered(data, SSE, bundle, *range(200, len(data), 200))
    assert heard(stream.body)["0/content"] == unary["choices"][0]["message"]["content"]
    assert stream.exchange.response.findings["fake", "EMAIL_ADDRESS"] == 60


@pytest.mark.parametrize("action", ["redact", "flag"])
@pytest.mark.parametrize("size", [1, 9, 37])
def test_events_that_arrive_together_are_edited_as_those_that_arrive_apart(
    action: str, size: int
) -> None:
    bundle = Bundle({"EMAIL_ADDRESS": action})
    data = streamed(PROSE[:700], size)
    ends = [match.end() for match in re.finditer(b"\n\n", data)]
    apart = answered(data, SSE, bundle, *ends[:-1])
    for cut in ([], ends[3:4], ends[10:100:10], [ends[5] + 20]):
        together = answered(data, SSE, bundle, *cut)
        assert together.body == apart.body
        assert learned(together.exchange) == learned(apart.exchange)


def test_values_written_with_escapes_in_tool_arguments_are_found() -> None:
    arguments = '{"to":"alice\\u002esmith\\u0040example.com","key":1}'
    for at in range(1, len(arguments), 2):
        pieces = arguments[:at], arguments[at:]
        deltas = [{"tool_calls": [{"index": 0, "function": {"arguments": p}}]} for p in pieces]
        chunks = [{"choices": [{"index": 0, "delta": d}]} for d in deltas]
        data = b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks)
        said = heard(answered(data, SSE, Bundle(REDACT)).body)
        assert said["0/tool_calls/0/function/arguments"] == '{"to":"[EMAIL_ADDRESS]","key":1}'


class Overlapping(Inspector):
    """Finds a long value, and one that begins in its end and reaches into the next segment."""

    patterns: Mapping[str, re.Pattern[str]] = {
        "KEY": re.compile("a{50}b{10}"),
        "EMAIL_ADDRESS": re.compile(r"b{10}\. c{30}"),
    }
    triggers = (re.compile("b{10}"), re.compile("c{30}"))


@pytest.mark.parametrize("size", [1, 5, 70, 999])
def test_findings_that_overlap_are_replaced_as_one(size: int) -> None:
    data = streamed("a" * 50 + "b" * 10 + ". " + "c" * 30 + " and more, " * 20, size)
    pieces = [data[i : i + 90] for i in range(0, len(data), 90)]
    asked = ask(house(Backend(*pieces, kind=SSE), Bundle(REDACT), inspector=Overlapping()), chat())
    said = heard(asked.body)["0/content"]
    assert said == "[KEY]" + " and more, " * 20


def test_text_without_findings_is_held_back_by_little_more_than_the_reach() -> None:
    text = "Nothing to see here, only words and words and more words. " * 20
    data = streamed(text, 1)
    asked = answered(data, SSE, Bundle(REDACT), *range(70, len(data), 70))
    first = heard(asked.pieces[0])["0/content"]
    assert len(asked.pieces) > len(text) // (_BATCH_CHARS + 2)
    assert len(first) <= _BATCH_CHARS + 1
    before_end = b"".join(asked.pieces[:-1])
    held = len(text) - len(heard(before_end)["0/content"])
    assert held <= Inspector.reach_chars + _BATCH_CHARS + 2


def test_of_events_that_arrive_together_those_leave_that_are_not_held_back() -> None:
    text = "Nothing to see here, only words and words and more words. " * 10
    data = streamed(text, 3)
    asked = answered(data, SSE, Bundle(REDACT), data.rindex(b"data:"))
    held = len(text) - len(heard(asked.pieces[0])["0/content"])
    assert Inspector.reach_chars <= held <= Inspector.reach_chars + 3


def test_logprobs_leave_with_their_text_or_not_at_all() -> None:
    for name in ("openai_logprobs.sse", "openai_logprobs.json"):
        data, kind = SAMPLES[name]
        assert b'"token"' in answered(data, kind, Bundle({})).body
        body = answered(data, kind, Bundle(REDACT)).body
        assert b"smith" not in body
        assert b"97,108" not in body.replace(b" ", b"")
        assert b'"logprobs":null' in body.replace(b": ", b":")


@pytest.mark.parametrize("finish", ["", "null"])
def test_a_finish_reason_that_says_nothing_ends_nothing(finish: str) -> None:
    def chunk(text: str, reason: str | None = finish) -> bytes:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
        value = {"object": "chat.completion.chunk", "choices": [choice]}
        return b"data: " + json.dumps(value).encode() + b"\n\n"

    pieces = [chunk("mail alice@exa"), chunk("mple.com now"), chunk("", "stop")]
    backend = Backend(b"".join(pieces), kind=SSE)
    asked = ask(house(backend, Bundle({"EMAIL_ADDRESS": "redact"})), chat())
    assert b"alice" not in asked.body
    assert b"[EMAIL_ADDRESS]" in asked.body
