"""Every string that the SDK knows of the Responses API is judged, or named here with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from openai.types.responses import (
    CompactedResponse,
    Response,
    ResponseStreamEvent,
    input_token_count_params,
    response_compact_params,
    response_create_params,
)
from openai.types.responses.response_item_list import ResponseItemList

from gateway import dialects
from gateway.core.calls import Call
from gateway.dialects._responses import STREAMED
from tests.dialects.walk import answered, heard, strings

ALL = dialects.load()
# By the last name in a place's path; what of it looks like text is judged all the same.
NOT_JUDGED = {
    **dict.fromkeys(
        ["approval_request_id", "call_id", "caller_id", "comparison_response_id", "connector_id",
         "container", "container_id", "conversation", "created_by", "file_id", "file_ids",
         "first_id", "id", "item_id", "last_id", "previous_response_id", "vector_store_ids",
         "version"],
        "an identifier made by the API",
    ),
    **dict.fromkeys(
        ["background", "button", "code", "context", "detail", "effort", "execution",
         "generate_summary", "include", "input_fidelity", "memory_limit", "mode", "moderation",
         "object", "output_format", "param", "phase", "prompt_cache_retention", "quality",
         "reason", "role", "search_context_size", "service_tier", "size", "status", "stream",
         "summary", "syntax", "tool_choice", "truncation", "ttl", "type", "verbosity"],
        "one of the API's own words",
    ),
    "model": "looked up in the catalogue, or the name of what answered",
    "encrypted_content": "encrypted by the API, for itself",
    "token": "emptied when the text beside it is changed",
    "obfuscation": "characters that hide an event's length",
}  # fmt: skip
REQUESTS = [
    ("openai_responses", response_create_params.ResponseCreateParamsNonStreaming),
    ("openai_responses_compact", response_compact_params.ResponseCompactParams),
    ("openai_responses_tokens", input_token_count_params.InputTokenCountParams),
]
ANSWERS = [
    ("openai_responses", Response, "application/json"),
    ("openai_responses_compact", CompactedResponse, "application/json"),
    ("openai_responses_items", ResponseItemList, "application/json"),
    ("openai_responses", ResponseStreamEvent, "text/event-stream"),
]
# Text whose place has a name that elsewhere stands for something else.
TEXTS = [
    {"type": "code_interpreter_call", "code": "canary"},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "canary"}]},
    {"type": "shell_call", "action": {"commands": ["canary"]}},
    {"type": "function_call", "arguments": '{"a": "canary"}'},
    {"type": "of_tomorrow", "code": "canary"},
]


def last(path: str) -> str:
    return next(step for step in reversed(path.split("/")) if not step.isdigit())


def walked(kind: Any) -> Iterator[tuple[str, bytes]]:
    """As `strings`, each value once, as JSON; a place may hold objects of several types."""
    seen: set[bytes] = set()
    for path, value in strings(kind):
        data = json.dumps(value).encode()
        if data not in seen:
            seen.add(data)
            yield path, data


def in_request(dialect: str, data: bytes) -> bool:
    body = json.dumps({"model": "m", **json.loads(data)}).encode()
    return heard(ALL[dialect].read(Call(body)))


def in_answer(dialect: str, data: bytes, kind: str) -> bool:
    wire = b"data: " + data + b"\n\n" if "event" in kind else data
    return heard(answered(ALL[dialect], wire, kind))


@pytest.mark.parametrize(("dialect", "kind"), REQUESTS)
def test_every_string_of_a_request_is_judged_or_named(dialect: str, kind: Any) -> None:
    places = list(walked(kind))
    assert len(places) > 300
    assert {last(path) for path, data in places if not in_request(dialect, data)} <= set(NOT_JUDGED)


@pytest.mark.parametrize(("dialect", "kind", "media"), ANSWERS)
def test_every_string_of_an_answer_is_judged_or_named(dialect: str, kind: Any, media: str) -> None:
    places = list(walked(kind))
    assert len(places) > 400
    unheard = {last(path) for path, data in places if not in_answer(dialect, data, media)}
    assert unheard <= set(NOT_JUDGED)


@pytest.mark.parametrize("item", TEXTS, ids=lambda item: item["type"])
def test_text_under_a_name_of_two_meanings_is_judged(item: dict[str, Any]) -> None:
    assert in_request("openai_responses", json.dumps({"input": [item]}).encode())
    assert in_answer("openai_responses", json.dumps({"output": [item]}).encode(), "json")
    event = {"type": "response.output_item.done", "item": item}
    assert in_answer("openai_responses", json.dumps(event).encode(), "text/event-stream")


def test_every_streamed_event_of_the_sdk_is_known() -> None:
    kinds = {
        word
        for model in get_args(get_args(ResponseStreamEvent)[0])
        for word in get_args(model.model_fields["type"].annotation)
    }
    streamed = {kind.removesuffix(".delta") for kind in kinds if kind.endswith(".delta")}
    assert streamed - {"response.audio"} <= set(STREAMED)
    assert len(kinds) > 50
