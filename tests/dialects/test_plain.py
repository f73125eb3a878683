"""A field that should hold no text is believed only as long as it looks like it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.dialects.openai_chat import Member

MAIL = "anna.lind@example.org"
CARD = "4111111111111111"


def texts(request: dict[str, Any]) -> set[str]:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], **request}
    return {part.text for part in Member().read(Call(json.dumps(body).encode())).parts}


def message(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "x", **fields}]}


PLACES: list[Any] = [
    lambda v: message(role=v),
    lambda v: message(tool_call_id=v),
    lambda v: message(tool_calls=[{"id": v, "type": "function"}]),
    lambda v: message(tool_calls=[{"id": "call_1", "type": v}]),
    lambda v: message(content=[{"type": v}]),
    lambda v: message(content=[{"type": "image_url", "image_url": {"detail": v}}]),
    lambda v: message(content=[{"type": "file", "file": {"file_data": v + " and so on"}}]),
    lambda v: {"service_tier": v},
    lambda v: {"modalities": ["text", v]},
    lambda v: {"audio": {"voice": v}},
    lambda v: {"tools": [{"type": v}]},
    lambda v: {"stream_options": {"note": v}},
    lambda v: {"stream_options": {v: True}},
    lambda v: {"logit_bias": {v: 1}},
]


@pytest.mark.parametrize("value", [MAIL, CARD, "Anna Lind"])
@pytest.mark.parametrize("place", PLACES)
def test_text_in_a_field_for_identifiers_is_judged(place: Any, value: str) -> None:
    assert any(value in text for text in texts(place(value)))


@pytest.mark.parametrize("value", ["call_abc123", "chatcmpl-9F2", "50256", "auto", "gpt-4.1"])
def test_what_looks_like_an_identifier_is_not(value: str) -> None:
    assert value not in texts(message(tool_call_id=value) | {"logit_bias": {value: 1}})


@pytest.mark.parametrize(
    "content",
    [f"data:;base64,write to {MAIL}", f"data:image/png my mail {MAIL};base64,AAAA", "data:,x"],
)
def test_a_text_that_says_it_is_data_is_a_text(content: str) -> None:
    assert content in texts(message(content=content))


def test_a_body_of_too_many_texts_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        texts({"x": ["a"] * 10_001})
    assert "more than 10000" in caught.value.refusal.message


KEYS = [
    "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNNQEXAMPLE", "sk-proj-0aB1cD2eF3gH4iJ5kL6mN7oP8",
    "xoxb-123456789012-AbCdEfGhIjKlMnOp",
    "ghp_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX", "hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh",
    "AIzaSyD3-x9_k2LmN4oP5qR6sT7uV8wX9yZ0aB1", "key-0123456789abcdef0123456789abcdef",
    "GB82WEST12345698765432", "call_4111111111111111",
]  # fmt: skip
NAMES = [
    "call_9dQF3bTz0KxW2mYsLr8VnEhA", "toolu_01A09q90qw90lq917835lq9", "chatcmpl-0b76b1ce-aa40-4950",
    "0b76b1ce-aa40-4950-9c90-0123456789ab", "0123456789abcdef0123456789abcdef", "D681PevKs",
    "web_search_tool_result_20250305", "response.code_interpreter_call_code.delta",
    "computer_use_preview_2025_03_11", "gpt-4o-mini-2024-07-18", "PROHIBITED_CONTENT",
    "functions.get_weather:0", "candidatesTokenCount", "cachedContentTokenCount",
    "msg_68a1f0c9e0c481a2b6d2", "gen-1762141316-uJz6Bq0y8Xf2cW4dKs7A",
]  # fmt: skip


@pytest.mark.parametrize("value", KEYS)
@pytest.mark.parametrize("place", PLACES)
def test_what_could_be_a_key_is_judged_wherever_it_stands(place: Any, value: str) -> None:
    assert any(value in text for text in texts(place(value)))


@pytest.mark.parametrize("value", NAMES)
def test_what_apis_call_their_own_is_not(value: str) -> None:
    assert value not in texts(message(tool_call_id=value) | {"stream_options": {value: 1}})
