"""Token counts of each API under our own names, as far as they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gateway.dialects import _anthropic, _gemini, _ollama, _openai, _realtime, _responses
from gateway.dialects._anthropic_stream import MessageStream

Usage = Callable[[Mapping[str, Any]], dict[str, int]]

# whose counts, as they are told, as they are recorded
TOLD: dict[str, tuple[Usage, dict[str, Any], dict[str, int]]] = {
    "chat": (
        _openai.usage,
        {
            "prompt_tokens": 9,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 0},
        },
        {"input": 9, "output": 5, "cached": 3, "cache_write": 2, "reasoning": 4},
    ),
    "chat that speaks": (
        _openai.usage,
        {
            "prompt_tokens": 9,
            "completion_tokens": 5,
            "prompt_tokens_details": {"audio_tokens": 6},
            "completion_tokens_details": {"audio_tokens": 4},
        },
        {"input": 9, "output": 5, "media": 10},
    ),
    "transcript": (
        _openai.usage,
        {"input_tokens": 9, "output_tokens": 5, "input_token_details": {"audio_tokens": 9}},
        {"input": 9, "output": 5, "media": 9},
    ),
    "pictures": (
        _openai.usage,
        {"input_tokens": 9, "output_tokens": 5, "input_tokens_details": {"image_tokens": 7}},
        {"input": 9, "output": 5, "media": 7},
    ),
    "responses": (
        _responses.usage,
        {
            "input_tokens": 9,
            "output_tokens": 5,
            "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
            "output_tokens_details": {"reasoning_tokens": 2},
        },
        {"input": 9, "output": 5, "cached": 3, "cache_write": 1, "reasoning": 2},
    ),
    "realtime": (
        _realtime.usage,
        {
            "input_tokens": 9,
            "output_tokens": 5,
            "input_token_details": {"cached_tokens": 3, "audio_tokens": 4},
            "output_token_details": {"text_tokens": 2, "audio_tokens": 3},
        },
        {"input": 9, "output": 5, "cached": 3, "media": 7},
    ),
    "messages": (
        _anthropic.usage,
        {
            "input_tokens": 9,
            "output_tokens": 5,
            "cache_read_input_tokens": 3,
            "cache_creation_input_tokens": 4,
            "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 1},
        },
        {"input": 9, "output": 5, "cached": 3, "cache_write": 4, "cache_write_1h": 1},
    ),
    "hostile": (
        _openai.usage,
        {
            "prompt_tokens": "9",
            "completion_tokens": 1 << 62,
            "prompt_tokens_details": [],
            "completion_tokens_details": {"audio_tokens": "4", "reasoning_tokens": -1},
        },
        {},
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_counts_are_read_under_our_names(case: str) -> None:
    usage, told, expected = TOLD[case]
    assert usage({"usage": told}) == expected


GEMINI: list[tuple[dict[str, Any], dict[str, int]]] = [
    (
        {
            "promptTokenCount": 9,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "toolUsePromptTokenCount": 2,
            "cachedContentTokenCount": 3,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4},
                                    {"modality": "IMAGE", "tokenCount": 5}],
            "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
        },
        {"input": 9, "output": 5, "cached": 3, "reasoning": 7, "tool_input": 2},
    ),
    (
        {
            "promptTokenCount": 9,
            "candidatesTokenCount": 5,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 9}],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 5}, "no", {}],
        },
        {"input": 9, "output": 5, "media": 14},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "expected"), GEMINI)
def test_what_has_a_price_of_its_own_is_told_apart(
    told: dict[str, Any], expected: dict[str, int]
) -> None:
    assert _gemini.usage({"usageMetadata": told}) == expected


def test_ollama_tells_two_counts() -> None:
    assert _ollama.usage({"prompt_eval_count": 9, "eval_count": 5}) == {"input": 9, "output": 5}


def test_what_a_stream_told_first_and_last_is_one_count() -> None:
    """The last event says how much was written, but not for how long."""
    start = (
        b'event: message_start\ndata: {"type":"message_start","message":{"content":[],"usage":'
        b'{"input_tokens":9,"output_tokens":1,"cache_creation_input_tokens":4,'
        b'"cache_creation":{"ephemeral_1h_input_tokens":4}}}}\n\n'
    )
    end = (
        b'event: message_delta\ndata: {"type":"message_delta","delta":{},"usage":'
        b'{"output_tokens":5,"cache_creation_input_tokens":4}}\n\n'
    )
    stream = MessageStream()
    stream.feed(start + end)
    assert stream.usage == {"input": 9, "output": 5, "cache_write": 4, "cache_write_1h": 4}
