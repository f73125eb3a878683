"""An event that is like an earlier one is read as if it were read by its fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.core.errors import UpstreamError
from gateway.core.message import Frame
from gateway.dialects import _alike, _shape
from gateway.dialects._alike import Alike
from gateway.dialects._anthropic_stream import MessageStream
from gateway.dialects._chat_stream import ChatStream
from gateway.dialects._gemini_stream import GeminiStream
from gateway.dialects._ollama_stream import OllamaStream
from gateway.dialects._responses_stream import ResponsesStream
from gateway.dialects._stream import EventStream
from gateway.dialects.ollama_chat import Member as OllamaChat
from gateway.dialects.openai_chat import CHUNK
from tests.dialects.frames import apart
from tests.dialects.samples import Sample, answers

HEAD: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
SAMPLES = [s for s in answers() if "json" not in s.content_type or "nd" in s.content_type]


def chunk(delta: Any, **more: Any) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": None}], **more}


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


@pytest.fixture
def long_way(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on each event is read by its fields."""
    return lambda: monkeypatch.setattr(Alike, "learn", lambda self, event, frame: None)


def read(stream: EventStream, *events: bytes) -> list[Frame]:
    frames = [frame for data in events for frame in stream.feed(data)]
    return apart([*frames, *stream.flush()])


def known(stream: EventStream, *events: bytes) -> bool:
    """Whether the last of these events is taken for one that is like an earlier one."""
    for data in events[:-1]:
        stream.feed(data)
    return stream._alike.find([events[-1]]) is not None


FIRST = chunk({"content": "a"}, obfuscation="aXq2")
LIKE = [
    chunk({"content": "b"}, obfuscation="x"),
    chunk({"content": 'a\n"\\\u00e9\U0001f600'}, obfuscation="x"),
    chunk({"content": "\u007f"}, obfuscation=""),
    chunk({"content": "b"}, obfuscation="x") | {"created": 2},
]
OTHERS = [
    chunk({"content": ""}, obfuscation="x"),
    chunk({"content": None}, obfuscation="x"),
    chunk({"content": ["b"]}, obfuscation="x"),
    chunk({"content": "b"}, obfuscation="alice smith"),
    chunk({"content": "b"}, obfuscation="4111111111111111"),
    chunk({"content": "b"}),
    chunk({"content": "b"}, obfuscation="x", vendor="y"),
    chunk({"content": "b"}, obfuscation="x") | {"id": "d"},
    chunk({"content": "b"}, obfuscation="x") | {"created": "alice"},
    chunk({"content": "b"}, obfuscation="x") | {"created": 10**16},
    chunk({"reasoning": "b"}, obfuscation="x"),
    chunk({"content": "b", "vendor": "y"}, obfuscation="x"),
]


@pytest.mark.parametrize("value", LIKE)
def test_what_differs_in_its_text_alone_is_like_it(
    value: Any, long_way: Callable[[], None]
) -> None:
    assert known(ChatStream(CHUNK), event(FIRST), event(value))
    short = read(ChatStream(CHUNK), event(FIRST), event(value))
    long_way()
    assert read(ChatStream(CHUNK), event(FIRST), event(value)) == short


@pytest.mark.parametrize("value", OTHERS)
def test_what_says_anything_else_is_not(value: Any) -> None:
    assert not known(ChatStream(CHUNK), event(FIRST), event(value))


NO_STRINGS = [
    b'"b', b'b"', b'"b" ', b'"\n"', b'"\\q"', b'"\\ud800"', b'"\xff"', b'"b","c":"d"', b"7",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_STRINGS)
def test_what_is_no_string_in_its_place_is_not(text: bytes) -> None:
    first = event(chunk({"content": "a"}))
    assert not known(ChatStream(CHUNK), first, first.replace(b'"a"', text))


@pytest.mark.parametrize(
    "value",
    [
        chunk({"content": "a"}, vendor="y"),
        chunk({"content": "a", "tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}),
        {**HEAD, "choices": [chunk({"content": c})["choices"][0] for c in "ab"]},
        {**HEAD, "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]},
    ],
)
def test_nothing_is_learned_from_what_says_more_than_a_text(value: Any) -> None:
    assert not known(ChatStream(CHUNK), event(value), event(value))


def test_nothing_is_learned_from_a_name_that_stands_twice() -> None:
    twice = event(chunk({"content": "a"})).replace(b'"id": "c"', b'"id": "c", "id": "c"')
    with pytest.raises(UpstreamError):
        ChatStream(CHUNK).feed(twice)


def test_events_that_take_turns_are_known_each() -> None:
    both = [event(chunk({"content": "a"}) | {"id": i}) for i in "cd"]
    stream = ChatStream(CHUNK)
    assert known(stream, *both, both[0])
    assert known(stream, both[1])


def test_a_stream_whose_events_are_never_alike_is_not_learned_for_ever() -> None:
    stream = ChatStream(CHUNK)
    looked = [stream._alike]
    for i in range(40):
        stream.feed(event(chunk({"content": "a"}) | {"id": f"c{i}"}))
    assert looked[0]._tries == 0
    assert len(looked[0]._moulds) == _alike._KNOWN


def test_counts_of_later_events_are_told() -> None:
    def gemini(text: str, count: int) -> bytes:
        said = {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}]}
        counts = {"promptTokenCount": 3, "candidatesTokenCount": count}
        return event({**said, "usageMetadata": counts, "modelVersion": "g"})

    stream = GeminiStream()
    assert known(stream, gemini("a", 1), gemini("b", 2))
    stream.feed(gemini("b", 2))
    assert stream.usage == {"input": 3, "output": 2}


USUAL: dict[str, Any] = {
    "type": "response.output_text.delta", "item_id": "m", "output_index": 0,
    "content_index": 0, "delta": "a", "sequence_number": 1, "logprobs": [], "obfuscation": "aXq2",
}  # fmt: skip
BLOCK = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
SAID_BY_OLLAMA = (
    b'{"model":"m","created_at":"2026-01-01T01:01:01.5Z",'
    b'"message":{"role":"assistant","content":"a"},"done":false}\n'
)


def response() -> EventStream:
    return ResponsesStream(keeps=False)


def ollama() -> EventStream:
    return OllamaStream(OllamaChat.events, dict)


SAID: list[tuple[Callable[[], EventStream], bytes, dict[str, Any], bool]] = [
    (response, event(USUAL), {}, True),
    (response, event(USUAL), {"sequence_number": 12}, True),
    (response, event(USUAL), {"obfuscation": "alice smith"}, False),
    (response, event(USUAL), {"output_index": 1}, False),
    (response, event(USUAL), {"logprobs": [{"token": "a"}]}, False),
    (MessageStream, b"event: content_block_delta\n" + event(BLOCK), {}, True),
    (ollama, SAID_BY_OLLAMA, {}, True),
]


@pytest.mark.parametrize(("made", "first", "more", "alike"), SAID)
def test_each_dialects_deltas_are_known(
    made: Callable[[], EventStream], first: bytes, more: dict[str, Any], alike: bool
) -> None:
    then = first.replace(b'"a"', b'"b"').replace(b":01.5Z", b":02Z")
    if more:
        then = event({**USUAL, **more})
    assert known(made(), first, then) is alike


def test_those_in_a_row_are_one_frame_up_to_one_that_is_not() -> None:
    texts = ["a", "b", 'c\n"', "d", "e"]
    other = event(chunk({"content": "x"}, vendor="y"))
    stream = ChatStream(CHUNK)
    events = [event(chunk({"content": text})) for text in texts]
    first, run, between, last = stream.feed(b"".join([*events[:4], other, events[4]]))
    assert first.several is between.several is last.several is None
    assert (run.raw, run.fragments[0].text) == (b"".join(events[1:4]), 'bc\n"d')
    assert run.several is not None
    assert run.several.ends == [1, 4, 5]
    part = run.several.frame(0, 2)
    assert (part.raw, part.fragments[0].text) == (b"".join(events[1:3]), 'bc\n"')


@pytest.mark.parametrize(
    "literal",
    [b'"b"', b'"\\u00e9\\n\\""', '"é"'.encode(), b'""', b'"', b'"b', b'b"', b'"\\"', b'"b","c":"d"',
     b'"b"},"x":{"y":"z"', b"null", b"", b'"\n"', b' "b"', b'"b" '],
)  # fmt: skip
def test_comparing_bytes_takes_what_matching_takes(
    literal: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = event(chunk({"content": "a"}))
    before, behind = first.split(b'"a"')
    other = before + literal + behind
    compared = known(ChatStream(CHUNK), first, other)
    (mould,) = taught(first)
    assert mould._same([other], 0)[1] == ([literal] if compared else [])
    monkeypatch.setattr(_alike._Mould, "_same", lambda self, raws, at: ([], []))
    assert known(ChatStream(CHUNK), first, other) is compared


def taught(first: bytes) -> list[_alike._Mould]:
    stream = ChatStream(CHUNK)
    stream.feed(first)
    return stream._alike._moulds


def test_a_shape_is_known_to_all_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    first = event(chunk({"content": "a"}, system_fingerprint="fp_1"))
    assert known(ChatStream(CHUNK), first, first)
    monkeypatch.setattr(_shape, "values", None)
    other = event(chunk({"content": "b"}, system_fingerprint="fp_2") | {"id": "d"})
    assert known(ChatStream(CHUNK), other, other)
    assert not known(ChatStream(CHUNK), first, other)


@pytest.mark.parametrize("odd", [{"created": 10**16}, {"created": "1"}])
def test_a_shape_that_lets_less_pass_is_not_kept(odd: dict[str, Any]) -> None:
    first = chunk({"content": "a"}, service_tier="default")
    ChatStream(CHUNK).feed(event(first | odd))
    assert known(ChatStream(CHUNK), event(first), event(first | {"created": 2}))


def test_a_run_ends_before_a_text_that_parsers_may_differ_in() -> None:
    events = [event(chunk({"content": text})) for text in "abc"]
    half = events[0].replace(b'"a"', b'"\\ud800"')
    stream = ChatStream(CHUNK)
    frames = stream.feed(b"".join([*events, half, events[0]]))
    assert [frame.raw for frame in frames] == [events[0], b"".join(events[1:]), half, events[0]]


def test_an_event_that_is_too_long_is_not_learned() -> None:
    wide = event(chunk({"content": "a"}, **{f"n{i}": None for i in range(1_000)}))
    assert not known(ChatStream(CHUNK), wide, wide)
    long = event(chunk({"content": "a" * 100_000}))
    assert known(ChatStream(CHUNK), long, long)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_samples_read_the_same_in_the_long_way(
    sample: Sample, long_way: Callable[[], None]
) -> None:
    def frames() -> list[Frame]:
        message = sample.dialect.read(sample.call)
        reader = sample.dialect.reader(message, status=200, content_type=sample.content_type)
        return apart([*reader.feed(sample.answer), *reader.flush()])

    short = frames()
    long_way()
    assert frames() == short
