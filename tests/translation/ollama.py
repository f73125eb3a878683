"""Clients of Ollama's own chat and completion: what they ask with, and how they read answers."""

from __future__ import annotations

import json
from typing import Any

from tests.translation.heard import PNG, SCHEMA, Heard

HELLO_CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello."}]}
HELLO_GENERATE: dict[str, Any] = {"prompt": "Hello."}
_OPTIONS = {"temperature": 0.5, "top_p": 0.9, "stop": ["END"], "num_predict": 99, "num_ctx": 8192}
TALK_CHAT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Look at this.", "images": [PNG]},
        {"role": "assistant", "content": "I look.", "thinking": "Hm.", "tool_calls": [
            {"function": {"name": "weather", "arguments": {"city": "Oslo"}}}]},
        {"role": "tool", "tool_name": "weather", "content": "Rain."},
        {"role": "user", "content": "And now?"},
    ],
    "tools": [{"type": "function", "function": {
        "name": "weather", "description": "Tells it.", "parameters": SCHEMA}}],
    "options": _OPTIONS,
}  # fmt: skip
TALK_GENERATE: dict[str, Any] = {
    "system": "Be kind.", "prompt": "Look at this.", "images": [PNG], "options": _OPTIONS,
}  # fmt: skip
JSON: dict[str, Any] = {"format": SCHEMA}


def whole(body: bytes) -> Heard:
    """One body: an answer, or an error."""
    value = json.loads(body)
    return Heard(error=value["error"]) if "error" in value else _together([value])


def streamed(body: bytes) -> Heard:
    """Lines."""
    assert body.endswith(b"\n")
    return _together([json.loads(line) for line in body.splitlines()])


def _together(lines: list[Any]) -> Heard:
    heard = Heard()
    for line in lines:
        assert line["done"] is (line is lines[-1])
        assert line["created_at"].endswith("Z")
        message = line.get("message", {})
        heard.text += message.get("content", "") + line.get("response", "")
        for call in message.get("tool_calls", ()):
            heard.tools.append((call["function"]["name"], call["function"]["arguments"]))
    heard.usage = lines[-1]["prompt_eval_count"], lines[-1]["eval_count"]
    # It has no word of its own for calls.
    heard.finish = "tool_calls" if heard.tools else lines[-1]["done_reason"]
    return heard
