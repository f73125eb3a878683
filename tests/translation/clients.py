"""What each client dialect asks with, and how its answers are read back."""

from __future__ import annotations

import json
from typing import Any

from tests.translation import gemini, ollama, responses
from tests.translation.heard import CANARY, PNG, SCHEMA, Heard
from tests.translation.heard import events as _events

HELLO: dict[str, dict[str, Any]] = {
    "openai_chat": {
        "messages": [{"role": "user", "content": "Hello."}],
        "stream_options": {"include_usage": True},
    },
    "anthropic_messages": {"max_tokens": 99, "messages": [{"role": "user", "content": "Hello."}]},
    "openai_responses": responses.HELLO,
    "gemini": gemini.HELLO,
    "ollama_chat": ollama.HELLO_CHAT,
    "ollama_generate": ollama.HELLO_GENERATE,
}
# A system prompt, an image, a tool, a call of it, its result, and a last word.
TALK: dict[str, dict[str, Any]] = {
    "openai_chat": {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [
                {"type": "text", "text": "Look at this."},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]},
            {"role": "assistant", "content": "I look.", "tool_calls": [
                {"id": "call_a", "type": "function",
                 "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}]},
            {"role": "tool", "tool_call_id": "call_a", "content": "Rain."},
            {"role": "user", "content": "And now?"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "weather", "description": "Tells it.", "parameters": SCHEMA}}],
        "tool_choice": "required", "temperature": 0.5, "top_p": 0.9, "stop": ["END"],
        "max_tokens": 99,
    },
    "anthropic_messages": {
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "Look at this."},
                {"type": "image", "source": {
                    "type": "base64", "media_type": "image/png", "data": PNG}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_a", "name": "weather",
                 "input": {"city": "Oslo"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_a", "content": [
                    {"type": "text", "text": "Rain."}]},
                {"type": "text", "text": "And now?"}]},
        ],
        "tools": [{"name": "weather", "description": "Tells it.", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any"}, "temperature": 0.5, "top_p": 0.9,
        "stop_sequences": ["END"], "max_tokens": 99,
    },
    "openai_responses": responses.TALK,
    "gemini": gemini.TALK,
    "ollama_chat": ollama.TALK_CHAT,
    "ollama_generate": ollama.TALK_GENERATE,
}  # fmt: skip
JSON: dict[str, dict[str, Any]] = {
    "openai_chat": {"response_format": {
        "type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}},
    "anthropic_messages": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "openai_responses": responses.JSON,
    "gemini": gemini.JSON,
    "ollama_chat": ollama.JSON,
    "ollama_generate": ollama.JSON,
}  # fmt: skip
# Who asks, and whatever else is the vendor's own business.
WHOSE: dict[str, dict[str, Any]] = {
    "openai_chat": {"metadata": {"user_id": CANARY}, "user": CANARY, "safety_identifier": CANARY,
                    "prompt_cache_key": CANARY},
    "anthropic_messages": {"metadata": {"user_id": CANARY}},
    "openai_responses": {"metadata": {"user_id": CANARY}, "user": CANARY,
                         "safety_identifier": CANARY, "prompt_cache_key": CANARY},
    "gemini": {"labels": {"who": CANARY}},
    "ollama_chat": {"keep_alive": CANARY},
    "ollama_generate": {"keep_alive": CANARY},
}  # fmt: skip
FINISH = {
    "anthropic_messages": {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls",
                           "refusal": "content_filter"},
}  # fmt: skip


def asking(dialect: str, text: str) -> dict[str, Any]:
    """HELLO with other words."""
    changed = json.dumps(HELLO[dialect]).replace("Hello.", text)
    return dict(json.loads(changed))


def hear(dialect: str, body: bytes, *, stream: bool) -> Heard:
    """Read an answer of this dialect."""
    return _READERS[dialect, stream](body)


def _chat(body: bytes) -> Heard:
    value = json.loads(body)
    if "error" in value:
        return Heard(error=value["error"]["message"])
    (choice,) = value["choices"]
    message = choice["message"]
    tools = [(c["function"]["name"], json.loads(c["function"]["arguments"]))
             for c in message.get("tool_calls", ())]  # fmt: skip
    usage = value["usage"]["prompt_tokens"], value["usage"]["completion_tokens"]
    return Heard(message["content"] or "", tools, choice["finish_reason"], usage)


def _chat_stream(body: bytes) -> Heard:
    assert body.endswith(b"data: [DONE]\n\n")
    heard, calls = Heard(), {}
    for chunk in _events(body):
        if chunk.get("usage"):
            heard.usage = chunk["usage"]["prompt_tokens"], chunk["usage"]["completion_tokens"]
        for choice in chunk["choices"]:
            heard.text += choice["delta"].get("content") or ""
            heard.finish = choice["finish_reason"] or heard.finish
            for call in choice["delta"].get("tool_calls", ()):
                known = calls.setdefault(call["index"], ["", ""])
                known[0] += call["function"].get("name") or ""
                known[1] += call["function"].get("arguments") or ""
    heard.tools = [(name, json.loads(text)) for name, text in calls.values()]
    return heard


def _messages(body: bytes) -> Heard:
    value = json.loads(body)
    if value["type"] == "error":
        return Heard(error=value["error"]["message"])
    heard = Heard(finish=FINISH["anthropic_messages"][value["stop_reason"]])
    heard.usage = value["usage"]["input_tokens"], value["usage"]["output_tokens"]
    for block in value["content"]:
        if block["type"] == "text":
            heard.text += block["text"]
        elif block["type"] == "tool_use":
            heard.tools.append((block["name"], block["input"]))
    return heard


def _messages_stream(body: bytes) -> Heard:
    first, *rest = _events(body)
    assert first["type"] == "message_start"
    assert [e["type"] for e in rest[-2:]] == ["message_delta", "message_stop"]
    heard = Heard(finish=FINISH["anthropic_messages"][rest[-2]["delta"]["stop_reason"]])
    heard.usage = rest[-2]["usage"]["input_tokens"], rest[-2]["usage"]["output_tokens"]
    opened, index = None, -1
    written = ""
    for event in rest[:-2]:
        if event["type"] == "content_block_start":
            assert opened is None
            assert event["index"] == index + 1
            opened, index, written = event["content_block"], event["index"], ""
            continue
        assert opened is not None
        assert event["index"] == index
        if event["type"] == "content_block_delta":
            delta = event["delta"]
            heard.text += delta.get("text", "")
            written += delta.get("partial_json", "")
        else:
            assert event["type"] == "content_block_stop"
            if opened["type"] == "tool_use":
                heard.tools.append((opened["name"], json.loads(written)))
            opened = None
    assert opened is None
    return heard


_READERS = {
    ("openai_chat", False): _chat,
    ("openai_chat", True): _chat_stream,
    ("anthropic_messages", False): _messages,
    ("anthropic_messages", True): _messages_stream,
    ("openai_responses", False): responses.whole,
    ("openai_responses", True): responses.streamed,
    ("gemini", False): gemini.whole,
    ("gemini", True): gemini.streamed,
    ("ollama_chat", False): ollama.whole,
    ("ollama_chat", True): ollama.streamed,
    ("ollama_generate", False): ollama.whole,
    ("ollama_generate", True): ollama.streamed,
}
