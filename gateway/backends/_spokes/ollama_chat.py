"""Ollama's chat, for backends that do not speak it."""

from __future__ import annotations

from typing import Any

from gateway.backends._spokes._matched import Calls
from gateway.backends._spokes._ollama import (
    LEFT_OUT,
    READ,
    USUAL,
    LineWriter,
    content,
    ended,
    error,
    head,
    settings,
)
from gateway.backends._spokes._shape import (
    arguments_of,
    body_of,
    dumps,
    objects,
    only,
    tool_call,
    typed,
    unknown,
    untranslatable,
)
from gateway.backends._spokes._told import Told
from gateway.core.calls import Outgoing

_MESSAGE = ("role", "content", "images", "thinking", "tool_calls", "tool_name", "tool_call_id")


class Member:
    """The spoke."""

    def ask(self, call: Outgoing) -> dict[str, Any]:
        """The request as a chat completion."""
        body = only(body_of(call), (*READ, *LEFT_OUT, *USUAL, "messages", "tools"), "the request")
        asked = settings(body)
        messages = objects(body.get("messages"), "messages")
        if not messages:
            raise untranslatable("A request to load a model")
        calls = Calls()
        asked["messages"] = [_message(only(m, _MESSAGE, "a message"), calls) for m in messages]
        tools = objects(body.get("tools"), "tools")
        for tool in tools:
            if typed(tool, "tools") != "function":
                raise unknown(typed(tool, "tools"), "A tool")
        return {**asked, "tools": tools} if tools else asked

    def answer(self, told: Told, call: Outgoing) -> dict[str, Any]:
        """One message."""
        return {**head(told), **_said(told.reasoning, told.text, told), **ended(told)}

    def writer(self, call: Outgoing) -> LineWriter:
        """A line for each piece."""
        return LineWriter(_said)

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Ollama's error."""
        return error(message)


def _message(message: dict[str, Any], calls: Calls) -> dict[str, Any]:
    role, images = message.get("role"), message.get("images")
    if images and role != "user":
        raise untranslatable("An image that no user gave")
    said = {"role": role, "content": content(message.get("content"), images)}
    if role == "tool":
        return {**said, "tool_call_id": calls.result(
            message.get("tool_name"), message.get("tool_call_id"))}  # fmt: skip
    if role == "assistant":
        made = [_call(value, calls) for value in objects(message.get("tool_calls"), "tool_calls")]
        return {**said, "tool_calls": made} if made else said
    if role not in ("user", "system"):
        raise untranslatable("The role of a message")
    return said


def _call(value: dict[str, Any], calls: Calls) -> dict[str, Any]:
    called = only(value, ("id", "type", "function"), "a tool call")
    named = only(called.get("function"), ("index", "name", "arguments"), "a tool call")
    id_ = calls.call(named.get("name"), called.get("id"))
    return tool_call(id_, named.get("name"), dumps(named.get("arguments", {})))


def _said(thought: str, text: str, told: Told | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if thought:
        message["thinking"] = thought
    if told is not None and told.tools:
        message["tool_calls"] = [
            {"id": t.id, "function": {
                "index": i, "name": t.name, "arguments": arguments_of(t.arguments)}}
            for i, t in enumerate(told.tools)
        ]  # fmt: skip
    return {"message": message}
