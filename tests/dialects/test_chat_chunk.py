"""The short way of reading a chunk finds what the long way finds, or does not take it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.dialects import _chat_stream
from gateway.dialects._chat_chunk import ordinary
from gateway.dialects._chat_stream import ChatStream
from gateway.dialects.openai_chat import CHUNK
from tests.pipeline.fakes import STREAMS

HEAD: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def chunk(delta: Any, **choice: Any) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": None, **choice}]}


ORDINARY = [
    chunk({"content": "a\n\u00e9\U0001f600"}),
    chunk({"content": ""}),
    chunk({"content": None, "role": "assistant"}),
    chunk({}, logprobs=None),
    chunk({"content": "x"}, index=3),
    {**HEAD, "choices": [chunk({"content": c})["choices"][0] for c in "ab"]},
    {**HEAD, "choices": []},
]
OTHERS = [
    chunk({"content": "x", "vendor": "y"}),
    chunk({"reasoning": "x"}),
    chunk({"content": ["x"]}),
    chunk({"tool_calls": []}),
    chunk({"content": "x"}, finish_reason="stop"),
    chunk({"content": "x"}, logprobs={"content": []}),
    chunk({"content": "x"}, vendor="y"),
    chunk({"content": "x"}, index=-1),
    chunk(None),
    {**chunk({"content": "x"}), "vendor": "y"},
    {**chunk({"content": "x"}), "usage": {"prompt_tokens": 1}},
    {**chunk({"content": "x"}), "id": 7},
    {**chunk({"content": "x"}), "object": "error"},
    {"choices": "x"},
    [],
]


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def read(*events: bytes) -> list[Any]:
    stream = ChatStream(CHUNK)
    return [frame for data in events for frame in stream.feed(data)]


@pytest.mark.parametrize("value", ORDINARY)
def test_ordinary_chunks_are_read_as_on_the_long_way(
    value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ordinary(json.dumps(value).encode()) is not None
    short = read(event(HEAD | {"choices": []}), event(value))
    monkeypatch.setattr(_chat_stream, "ordinary", lambda data: None)
    assert read(event(HEAD | {"choices": []}), event(value)) == short


@pytest.mark.parametrize("value", OTHERS)
def test_a_chunk_that_says_more_takes_the_long_way(value: Any) -> None:
    assert ordinary(json.dumps(value).encode()) is None


@pytest.mark.parametrize("data", [b"", b"{", b'{"choices":[', b'"\xff"', b"[" * 100_000])
def test_what_is_no_json_takes_the_long_way(data: bytes) -> None:
    assert ordinary(data) is None


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_streams_read_the_same_both_ways(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = read(STREAMS[name])
    monkeypatch.setattr(_chat_stream, "ordinary", lambda data: None)
    for one, other in zip(short, read(STREAMS[name]), strict=True):
        assert one._replace(parts=()) == other._replace(parts=())
        # Names of fields that are no news: "created" beside a null "usage".
        assert {p.path for p in other.parts} - {p.path for p in one.parts} <= {"/created~"}
