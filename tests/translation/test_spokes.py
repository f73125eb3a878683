"""Single members of requests and answers, where losing one would be noticed by nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.backends._spokes._told import Delta, Told, ToolCall
from gateway.backends._translated import SPOKES
from tests.translation.asking import outgoing
from tests.translation.clients import HELLO
from tests.translation.heard import PNG, events

PDF = f"data:application/pdf;base64,{PNG}"
FILE = {"type": "file", "file": {"filename": "document.pdf", "file_data": PDF}}
CHOSEN = {"type": "function", "function": {"name": "f"}}
_CLAUDE_TOOLS = {"tools": [{"name": "f", "input_schema": {}}]}
_OPENAI_TOOLS = {"tools": [{"type": "function", "name": "f"}]}
_GEMINI_TOOLS = {"tools": [{"functionDeclarations": [{"name": "f"}]}]}


def claude(*content: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


def gemini(*parts: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"contents": [{"role": role, "parts": list(parts)}]}


def calling(mode: str, *names: str) -> dict[str, Any]:
    config = {"mode": mode, "allowedFunctionNames": list(names)}
    return {**_GEMINI_TOOLS, "toolConfig": {"functionCallingConfig": config}}


# (dialect, what is asked, where to look in the chat completion, what is there)
ASKED: list[tuple[str, dict[str, Any], str, Any]] = [
    ("anthropic_messages", claude({"type": "tool_result", "tool_use_id": "a", "content": "No.",
                                   "is_error": True}), "messages/0/content", "Error: No."),
    ("anthropic_messages", claude({"type": "document", "source": {
        "type": "base64", "media_type": "application/pdf", "data": PNG}}),
     "messages/0/content/0", FILE),
    ("anthropic_messages", claude({"type": "document", "source": {
        "type": "text", "data": "Said."}}),
     "messages/0/content/0/text", "Said."),
    ("anthropic_messages", {**_CLAUDE_TOOLS, "tool_choice": {
        "type": "auto", "disable_parallel_tool_use": True}}, "parallel_tool_calls", False),
    ("anthropic_messages", {**_CLAUDE_TOOLS, "tool_choice": {"type": "tool", "name": "f"}},
     "tool_choice", CHOSEN),
    ("anthropic_messages", {**_CLAUDE_TOOLS, "tool_choice": {"type": "none"}},
     "tool_choice", "none"),
    ("anthropic_messages", {"system": [{"type": "text", "text": t} for t in "ab"]},
     "messages/0/content", "a\n\nb"),
    ("openai_chat", {"max_completion_tokens": 7}, "max_completion_tokens", 7),
    ("openai_chat", {"seed": 7}, "seed", 7),
    ("openai_chat", {"reasoning_effort": "low"}, "reasoning_effort", "low"),
    ("openai_chat", {"parallel_tool_calls": False}, "parallel_tool_calls", False),
    ("openai_responses", {"max_output_tokens": 7}, "max_tokens", 7),
    ("openai_responses", {"reasoning": {"effort": "low"}}, "reasoning_effort", "low"),
    ("openai_responses", {"parallel_tool_calls": False}, "parallel_tool_calls", False),
    ("openai_responses", {**_OPENAI_TOOLS, "tool_choice": {"type": "function", "name": "f"}},
     "tool_choice", CHOSEN),
    ("openai_responses", {"input": [{"role": "assistant", "content": [
        {"type": "refusal", "refusal": "No."}]}]}, "messages/0/content", "No."),
    ("openai_responses", {"text": {"format": {"type": "json_object"}}},
     "response_format/type", "json_object"),
    ("gemini", calling("ANY", "f"), "tool_choice", CHOSEN),
    ("gemini", calling("NONE"), "tool_choice", "none"),
    ("gemini", {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
     "reasoning_effort", "low"),
    ("gemini", {"generationConfig": {"responseMimeType": "application/json"}},
     "response_format/type", "json_object"),
    ("gemini", gemini({"inlineData": {"mimeType": "application/pdf", "data": PNG}}),
     "messages/0/content/0", FILE),
    ("gemini", gemini({"text": "Hm.", "thought": True}, {"text": "Yes."}, role="model"),
     "messages/0/content", "Yes."),
    ("gemini", {"contents": [
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {
            "name": "f", "response": {}, "parts": [
                {"inlineData": {"mimeType": "image/png", "data": PNG}}]}}]}]},
     "messages/2/content/0/image_url/url", f"data:image/png;base64,{PNG}"),
    ("ollama_chat", {"think": "low"}, "reasoning_effort", "low"),
    ("ollama_chat", {"format": "json"}, "response_format/type", "json_object"),
    ("ollama_chat", {"options": {"num_predict": 7}}, "max_tokens", 7),
    ("ollama_chat", {"options": {"num_predict": -1}}, "max_tokens", None),
    ("ollama_generate", {"system": "Be kind."}, "messages/0/content", "Be kind."),
    ("ollama_generate", {"images": [PNG]}, "messages/0/content/1/type", "image_url"),
]  # fmt: skip


def at(value: Any, path: str) -> Any:
    """What stands at a path; None if nothing does."""
    for step in path.split("/"):
        value = value[int(step)] if isinstance(value, list) else value.get(step)
    return value


@pytest.mark.parametrize(("dialect", "change", "path", "expected"), ASKED)
def test_what_is_asked_is_carried(
    dialect: str, change: dict[str, Any], path: str, expected: Any
) -> None:
    asked = SPOKES[dialect].ask(outgoing(dialect, {**HELLO[dialect], **change}, "m"))
    assert at(asked, path) == expected


COUNTED = {"prompt_tokens": 11, "cached_tokens": 4, "completion_tokens": 7, "reasoning_tokens": 5}
TOLD = Told(id="7", model="m", created=7, text="Yes.", reasoning="Hm.", finish="stop",
            tools=[ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}")], **COUNTED)  # fmt: skip
NO = Told(id="7", model="m", text="No.", refusal="No.", finish="stop")
# (dialect, what the model says, where to look in the answer, what is there)
ANSWERED: list[tuple[str, Told, str, Any]] = [
    ("anthropic_messages", TOLD, "content/0/thinking", "Hm."),
    ("anthropic_messages", TOLD, "usage/input_tokens", 7),
    ("anthropic_messages", TOLD, "usage/cache_read_input_tokens", 4),
    ("anthropic_messages", NO, "stop_reason", "refusal"),
    ("openai_chat", TOLD, "choices/0/message/reasoning_content", "Hm."),
    ("openai_chat", TOLD, "choices/0/message/tool_calls/1/id", "b"),
    ("openai_chat", TOLD, "usage/prompt_tokens_details/cached_tokens", 4),
    ("openai_chat", NO, "choices/0/message/refusal", "No."),
    ("openai_chat", NO, "choices/0/message/content", None),
    ("openai_responses", TOLD, "output/0/content/0/text", "Hm."),
    ("openai_responses", TOLD, "usage/input_tokens_details/cached_tokens", 4),
    ("openai_responses", TOLD, "usage/output_tokens_details/reasoning_tokens", 5),
    ("openai_responses", NO, "output/0/content/0/refusal", "No."),
    ("gemini", TOLD, "candidates/0/content/parts/0", {"text": "Hm.", "thought": True}),
    ("gemini", TOLD, "usageMetadata/candidatesTokenCount", 2),
    ("gemini", TOLD, "usageMetadata/thoughtsTokenCount", 5),
    ("gemini", TOLD, "usageMetadata/cachedContentTokenCount", 4),
    ("gemini", TOLD, "usageMetadata/totalTokenCount", 18),
    ("ollama_chat", TOLD, "message/thinking", "Hm."),
    ("ollama_chat", TOLD, "message/tool_calls/1/function/index", 1),
    ("ollama_generate", TOLD, "thinking", "Hm."),
    ("ollama_generate", TOLD, "eval_count", 7),
]


@pytest.mark.parametrize(("dialect", "told", "path", "expected"), ANSWERED)
def test_what_is_said_is_told(dialect: str, told: Told, path: str, expected: Any) -> None:
    answer = SPOKES[dialect].answer(told, outgoing(dialect, HELLO[dialect], "m"))
    assert at(answer, path) == expected


def streamed(dialect: str, told: Told, *deltas: Delta, **body: Any) -> list[Any]:
    asked = {**HELLO[dialect], **body}
    writer = SPOKES[dialect].writer(outgoing(dialect, asked, "m", stream=True))
    out = writer.begin(told) + b"".join(writer.add(delta) for delta in deltas) + writer.end(told)
    if dialect.startswith("ollama"):
        return [json.loads(line) for line in out.splitlines()]
    return events(out)


THOUGHTS = {
    "anthropic_messages": ["Hm."],
    "openai_chat": ["Hm."],
    # Once in its piece, and in each of the four places that say it as a whole.
    "openai_responses": ["Hm."] * 5,
    "gemini": ["Hm."],
    "ollama_chat": ["Hm."],
    "ollama_generate": ["Hm."],
}


def found(value: Any, text: str) -> list[str]:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [hit for member in inner for hit in found(member, text)]
    return [text] if value == text else []


@pytest.mark.parametrize("dialect", THOUGHTS)
def test_thoughts_are_streamed_apart(dialect: str) -> None:
    told = Told(id="7", model="m")
    assert found(streamed(dialect, told, Delta(reasoning="Hm.")), "Hm.") == THOUGHTS[dialect]


def test_chunks_number_calls_and_count_only_if_asked() -> None:
    plain = streamed("openai_chat", TOLD, stream_options=None)
    numbers = [
        call["index"]
        for chunk in plain
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]
    assert numbers == [0, 1]
    assert not [chunk for chunk in plain if "usage" in chunk]
    counted = streamed("openai_chat", TOLD, stream_options={"include_usage": True})
    assert counted[-1]["usage"]["total_tokens"] == 18


def test_chunks_add_up_whatever_their_numbers() -> None:
    told = Told()
    for index, text in ((3, '{"a"'), (5, "{"), (3, ":1}"), (5, "}")):
        call = {"index": index, "function": {"arguments": text}}
        told.add({"choices": [{"delta": {"tool_calls": [call]}}]})
    assert [tool.arguments for tool in told.tools] == ['{"a":1}', "{}"]
    assert told.reason == "tool_calls"


def test_counts_are_read_with_their_details() -> None:
    told = Told().whole({"usage": {
        "prompt_tokens": 11, "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens": 7, "completion_tokens_details": {"reasoning_tokens": 5}}})  # fmt: skip
    assert {name: getattr(told, name) for name in COUNTED} == COUNTED
