"""What a request reaches for at its upstream: it is its tenant's, or policy is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway import dialects
from gateway.core.calls import Call
from gateway.core.message import Message
from gateway.dialects._reached import anywhere, at
from tests.pipeline.fakes import SSE, Backend, Bundle, Shelf, ask_async, house

ALL = dialects.load()
RESPONSES, CHAT, CLAUDE = "openai_responses", "openai_chat", "anthropic_messages"


def body(dialect: str, value: Any) -> bytes:
    base: Any = {"model": "m", "store": False, "input": "x"} if dialect == RESPONSES else {}
    if dialect in (CHAT, CLAUDE, "anthropic_count_tokens"):
        base = {"model": "m", "messages": [], "max_tokens": 9}
    return json.dumps({**base, **value}).encode()


def read(dialect: str, value: Any) -> Message:
    return ALL[dialect].read(Call(body(dialect, value), params={"model": "m"}))


def content(*parts: Any, role: str = "user") -> Any:
    return [{"role": role, "content": [*parts]}]


INTERPRETER = {"type": "code_interpreter"}
# What belongs to whoever had it made.
OWNED: list[tuple[str, Any]] = [
    (CHAT, {"messages": content({"type": "file", "file": {"file_id": "x_1"}})}),
    (CHAT, {"messages": [{"role": "assistant", "audio": {"id": "x_1"}}]}),
    (RESPONSES, {"input": content({"type": "input_file", "file_id": "x_1"})}),
    (RESPONSES, {"input": content({"type": "input_image", "file_id": "x_1"})}),
    (RESPONSES, {"input": [{"type": "computer_call_output", "output": {"file_id": "x_1"}}]}),
    (RESPONSES, {"input": [{"type": "function_call_output", "output": [{"file_id": "x_1"}]}]}),
    (RESPONSES, {"tools": [{**INTERPRETER, "container": "x_1"}]}),
    (RESPONSES, {"tools": [{**INTERPRETER, "container": {"type": "auto", "file_ids": ["x_1"]}}]}),
    (RESPONSES, {"tools": [{"type": "shell", "environment": {"container_id": "x_1"}}]}),
    (RESPONSES, {"tools": [{"type": "image_generation", "input_image_mask": {"file_id": "x_1"}}]}),
    (RESPONSES, {"input": [{"type": "tool_search_output", "tools": [{"container": "x_1"}]}]}),
    (RESPONSES, {"prompt": {"id": "p", "variables": {"a": {"file_id": "x_1"}}}}),
    (CLAUDE, {"container": "x_1"}),
    (CLAUDE, {"container": {"id": "x_1", "skills": []}}),
    ("anthropic_count_tokens", {"container": "x_1"}),
]


@pytest.mark.parametrize(("dialect", "value"), OWNED)
def test_what_another_had_made_is_not_there(dialect: str, value: Any) -> None:
    for shelf, status in ((Shelf(), 404), (Shelf({("acme", "x_1"): "m"}), 200)):
        backend = Backend(b"{}")
        here = house(backend, Bundle({}), shelf=shelf)
        asked = asyncio.run(ask_async(here, body(dialect, value), dialect=ALL[dialect]))
        assert (asked.status, len(backend.bodies)) == (status, status // 200 % 2)


# What no operation here makes: what policy is told.
NOBODYS: list[tuple[str, Any, str]] = [
    (RESPONSES, {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}, "vector_store"),
    (RESPONSES, {"prompt": {"id": "pmpt_1"}}, "prompt"),
    (CLAUDE, {"messages": content({"type": "document", "source": {"file_id": "f"}})}, "file_id"),
    (CLAUDE, {"messages": content({"type": "container_upload", "file_id": "f"})}, "file_id"),
    (CLAUDE, {"messages": content({"type": "tool_result", "content": [
        {"type": "image", "source": {"file_id": "f"}}]})}, "file_id"),
    (CLAUDE, {"container": {"skills": [{"type": "custom", "skill_id": "s"}]}}, "skill"),
    ("openai_realtime", {"type": "session.update", "session": {"prompt": {"id": "p"}}}, "prompt"),
    ("gemini", {"contents": [], "cachedContent": "cachedContents/1"}, "cached_content"),
    ("gemini", {"contents": [{"parts": [{"fileData": {"fileUri": "u"}}]}]}, "file_uri"),
    ("gemini", {"contents": {"parts": [{"file_data": {"file_uri": "u"}}]}}, "file_uri"),
    ("gemini_count", {"generateContentRequest": {"cachedContent": "c"}}, "cached_content"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "value", "state"), NOBODYS)
def test_policy_is_told_of_what_is_nobodys(dialect: str, value: Any, state: str) -> None:
    message = read(dialect, value)
    assert (message.states, message.asks) == ((state,), ())


# What a conversation tells of, without reaching for it.
TOLD: list[tuple[str, Any]] = [
    (RESPONSES, {"input": [{"type": "code_interpreter_call", "id": "ci", "container_id": "c"}]}),
    (RESPONSES, {"input": content({"type": "output_text", "text": "x", "annotations": [
        {"type": "file_citation", "file_id": "f"}]}, role="assistant")}),
    (RESPONSES, {"input": [{"type": "file_search_call", "results": [{"file_id": "f"}]}]}),
    (RESPONSES, {"tools": [{**INTERPRETER, "container": {"type": "auto"}}]}),
    (CLAUDE, {"messages": content({"type": "code_execution_tool_result", "content": {
        "type": "code_execution_result", "content": [{"file_id": "f"}]}})}),
    (CLAUDE, {"container": {"skills": [{"type": "anthropic", "skill_id": "pptx"}]}}),
    (CHAT, {"audio": {"voice": "alloy", "format": "wav"}}),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "value"), TOLD)
def test_what_is_only_told_of_is_not_asked_for(dialect: str, value: Any) -> None:
    message = read(dialect, value)
    assert (message.states, message.asks) == ((), ())


def events(*values: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)


CALL = {"type": "code_interpreter_call", "id": "ci_1", "container_id": "x_1"}
SHELL = {"type": "shell_call", "id": "sh_1", "environment": {"container_id": "x_1"}}
BOX = {"id": "x_1", "expires_at": "2026-01-01T00:00:00Z"}
JSON = "application/json"
# What an answer tells the id of: its tenant's from then on.
MADE: Mapping[str, tuple[str, bytes, str]] = {
    "audio": (CHAT, json.dumps(
        {"choices": [{"index": 0, "message": {"audio": {"id": "x_1"}}}]}).encode(), JSON),
    "audio in pieces": (CHAT, events(
        {"choices": [{"index": 0, "delta": {"audio": {"id": "x_1"}}}]}), SSE),
    "code": (RESPONSES, json.dumps({"id": "resp_1", "output": [CALL]}).encode(), JSON),
    "a shell": (RESPONSES, json.dumps({"id": "resp_1", "output": [SHELL]}).encode(), JSON),
    "an item": (RESPONSES, events({"type": "response.output_item.added", "item": CALL}), SSE),
    "a response": (RESPONSES, events(
        {"type": "response.completed", "response": {"id": "resp_1", "output": [CALL]}}), SSE),
    "a message": (CLAUDE, json.dumps({"content": [], "container": BOX}).encode(), JSON),
    "its start": (CLAUDE, events(
        {"type": "message_start", "message": {"content": [], "container": BOX}}), SSE),
    "its end": (CLAUDE, events(
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "container": BOX}}), SSE),
}  # fmt: skip


@pytest.mark.parametrize("case", MADE)
def test_what_an_answer_tells_of_is_its_tenants(case: str) -> None:
    dialect, data, kind = MADE[case]
    shelf = Shelf()
    here = house(Backend(data, kind=kind), Bundle({}), shelf=shelf)
    asked = asyncio.run(ask_async(here, body(dialect, {}), dialect=ALL[dialect]))
    assert (asked.body, shelf.models) == (data, {("acme", "x_1"): "m"})


def test_a_request_that_gives_a_file_names_its_model() -> None:
    value = {"input": content({"type": "input_file", "file_id": "x_1"})}
    call = json.dumps(value).encode()
    here = house(Backend(b"{}"), Bundle({}), shelf=Shelf(own="m"))
    assert asyncio.run(ask_async(here, call, dialect=ALL[RESPONSES])).status == 400


def test_a_path_leads_through_lists_and_objects() -> None:
    value = {"a": [{"b": "x"}, {"b": ""}, {"b": 1}, "b", {"c": {"b": "y"}}]}
    assert list(at(value, "a", "*", "b")) == ["x"]
    assert list(at(value, "a", "*", "*", "b")) == ["y"]
    assert anywhere(value, ("a", "*", "b"), ("a", "*", "*"), ("z",)) == ("x",)
