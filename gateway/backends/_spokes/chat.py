"""OpenAI's chat completions, for backends that speak no dialect of OpenAI's.

Fields: https://platform.openai.com/docs/api-reference/chat (read in 2026).
"""

from __future__ import annotations

from typing import Any

from gateway.backends._spokes._shape import (
    EVENTS,
    body_of,
    event,
    objects,
    only,
    tool_call,
    typed,
    unknown,
    untranslatable,
    usual,
)
from gateway.backends._spokes._told import Delta, Told
from gateway.core.calls import Outgoing

_CARRIED = (
    "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "max_tokens",
    "max_completion_tokens", "temperature", "top_p", "stop", "seed", "presence_penalty",
    "frequency_penalty", "reasoning_effort",
)  # fmt: skip
# Who asks is not told to another vendor; the rest says nothing about what is answered.
_LEFT_OUT = (
    "model", "stream", "stream_options", "user", "safety_identifier", "metadata", "store",
    "service_tier", "prompt_cache_key", "prompt_cache_retention",
)  # fmt: skip
# These say nothing in their usual values, and cannot be carried in any other.
_USUAL: dict[str, Any] = {
    "n": 1, "logprobs": False, "top_logprobs": 0, "modalities": ["text"], "logit_bias": {},
    "verbosity": "medium",
}  # fmt: skip
_PARTS = ("text", "image_url", "file", "refusal")
_MESSAGE = (
    "role", "content", "name", "tool_calls", "tool_call_id", "refusal", "reasoning",
    "reasoning_content", "annotations", "audio", "function_call",
)  # fmt: skip


class Member:
    """The spoke."""

    def ask(self, call: Outgoing) -> dict[str, Any]:
        """The same body, as far as another vendor can be told it."""
        body = only(body_of(call), (*_CARRIED, *_LEFT_OUT, *_USUAL), "the request")
        usual(body, _USUAL, "the request")
        for tool in objects(body.get("tools"), "tools"):
            if tool.get("type") != "function":
                raise unknown(typed(tool, "tools"), "A tool")
        asked = {key: body[key] for key in _CARRIED if key in body}
        asked["messages"] = [_message(m) for m in objects(body.get("messages"), "messages")]
        return asked

    def answer(self, told: Told, call: Outgoing) -> dict[str, Any]:
        """A chat completion."""
        message: dict[str, Any] = {"role": "assistant", "content": told.text or None}
        if told.refusal:
            message |= {"content": None, "refusal": told.refusal}
        if told.reasoning:
            message["reasoning_content"] = told.reasoning
        if told.tools:
            message["tool_calls"] = [tool_call(t.id, t.name, t.arguments) for t in told.tools]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": told.reason}
        return {**_head(told, "chat.completion"), "choices": [choice], "usage": _usage(told)}

    def writer(self, call: Outgoing) -> ChatWriter:
        """Chunks; token counts only if they are asked for."""
        options = body_of(call).get("stream_options")
        return ChatWriter(
            counted=isinstance(options, dict) and options.get("include_usage") is True
        )

    def error(self, status: int, message: str) -> dict[str, Any]:
        """OpenAI's error."""
        return openai_error(status, message)


class ChatWriter:
    """Writes chunks."""

    media = EVENTS

    def __init__(self, *, counted: bool) -> None:
        self._counted = counted
        self._told = Told()

    def begin(self, told: Told) -> bytes:
        """The chunk that says who speaks."""
        self._told = told
        return self._chunk({"role": "assistant", "content": ""})

    def add(self, delta: Delta) -> bytes:
        """A chunk for what was thought, one for what was said."""
        out = b""
        if delta.reasoning:
            out += self._chunk({"reasoning_content": delta.reasoning})
        if delta.text:
            out += self._chunk({"content": delta.text})
        return out

    def end(self, told: Told) -> bytes:
        """A chunk for each tool call, then the end."""
        out = b""
        for index, tool in enumerate(told.tools):
            piece = {"index": index, **tool_call(tool.id, tool.name, tool.arguments)}
            out += self._chunk({"tool_calls": [piece]})
        out += self._chunk({}, told.reason)
        if self._counted:
            head = _head(told, "chat.completion.chunk")
            out += event({**head, "choices": [], "usage": _usage(told)})
        return out + b"data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**_head(self._told, "chat.completion.chunk"), "choices": [choice]})


def openai_error(status: int, message: str) -> dict[str, Any]:
    """An error as all of OpenAI's APIs tell it."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _message(value: dict[str, Any]) -> dict[str, Any]:
    message = only(value, _MESSAGE, "a message")
    if "audio" in message or "function_call" in message:
        raise untranslatable("'audio' or 'function_call' in a message")
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        if typed(part, "a message") not in _PARTS:
            raise unknown(typed(part, "content"), "Content")
    # What another model thought is no part of what it said.
    left_out = ("reasoning", "reasoning_content", "annotations", "name")
    return {key: member for key, member in message.items() if key not in left_out}


def _head(told: Told, kind: str) -> dict[str, Any]:
    return {"id": told.id, "object": kind, "created": told.created, "model": told.model}


def _usage(told: Told) -> dict[str, Any]:
    return {
        "prompt_tokens": told.prompt_tokens,
        "completion_tokens": told.completion_tokens,
        "total_tokens": told.prompt_tokens + told.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": told.cached_tokens},
    }
