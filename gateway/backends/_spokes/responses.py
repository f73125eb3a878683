"""OpenAI's Responses, for backends that do not speak them: what is asked.

Nothing is kept upstream by a translated call, so what builds on something kept is refused.
Fields: https://platform.openai.com/docs/api-reference/responses and the SDK's types (2026).
"""

from __future__ import annotations

from typing import Any

from gateway.backends._spokes._responses import ResponseWriter, whole
from gateway.backends._spokes._shape import (
    body_of,
    function,
    objects,
    only,
    schema,
    tool_call,
    typed,
    unknown,
    untranslatable,
    usual,
)
from gateway.backends._spokes._told import Told
from gateway.backends._spokes.chat import openai_error
from gateway.core.calls import Outgoing

_CARRIED = ("temperature", "top_p", "parallel_tool_calls")
_READ = ("input", "instructions", "tools", "tool_choice", "text", "max_output_tokens", "reasoning",
         "include")  # fmt: skip
# Who asks is not told to another vendor; the rest says nothing about what is answered.
_LEFT_OUT = ("model", "stream", "stream_options", "user", "safety_identifier", "metadata",
             "service_tier", "prompt_cache_key", "prompt_cache_options",
             "prompt_cache_retention")  # fmt: skip
# These say nothing in their usual values, and cannot be carried in any other.
_USUAL = {"store": False, "background": False, "truncation": "disabled", "top_logprobs": 0}
# What can be included in an answer, and is nowhere to be had: a model's sealed thoughts.
_INCLUDED = ("reasoning.encrypted_content",)
_MESSAGE = ("type", "role", "content", "id", "status", "phase")
_CALL = ("type", "call_id", "name", "arguments", "id", "status")
_OUTPUT = ("type", "call_id", "output", "id", "status")
# Caches and raw tokens stand beside a text, and are not part of it.
_TEXT = ("type", "text", "annotations", "logprobs", "prompt_cache_breakpoint")
_TOOL = ("type", "name", "description", "parameters", "strict")
# Developers are not known to every server; where they are, both words mean the same.
_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}


class Member:
    """The spoke."""

    def ask(self, call: Outgoing) -> dict[str, Any]:
        """The request as a chat completion."""
        body = only(body_of(call), (*_CARRIED, *_READ, *_LEFT_OUT, *_USUAL), "the request")
        usual(body, _USUAL, "the request")
        _included(body.get("include", []))
        asked = {key: body[key] for key in _CARRIED if key in body}
        asked["messages"] = _messages(body)
        if body.get("tools"):
            asked["tools"] = [_tool(tool) for tool in objects(body["tools"], "tools")]
            if "tool_choice" in body:
                asked["tool_choice"] = _choice(body["tool_choice"])
        if "max_output_tokens" in body:
            asked["max_tokens"] = body["max_output_tokens"]
        asked |= _text(body.get("text", {}))
        effort = only(
            body.get("reasoning", {}), ("effort", "summary", "generate_summary"), "reasoning"
        ).get("effort")
        return {**asked, "reasoning_effort": effort} if effort else asked

    def answer(self, told: Told, call: Outgoing) -> dict[str, Any]:
        """A response."""
        return whole(told, body_of(call))

    def writer(self, call: Outgoing) -> ResponseWriter:
        """The Responses API's events."""
        return ResponseWriter(body_of(call))

    def error(self, status: int, message: str) -> dict[str, Any]:
        """OpenAI's error."""
        return openai_error(status, message)


class _Talk:
    """Items of a conversation as messages: calls join what was said, results follow them."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._shown: list[dict[str, Any]] = []

    def say(self, item: dict[str, Any]) -> None:
        """A message."""
        self.end()
        item = only(item, _MESSAGE, "a message")
        role = _ROLES.get(str(item.get("role")))
        if role is None:
            raise untranslatable("The role of a message")
        content = item.get("content")
        if not isinstance(content, str):
            parts = [_part(part) for part in objects(content, "a message's content")]
            content = parts if role == "user" else _said(parts)
        self.messages.append({"role": role, "content": content})

    def call(self, item: dict[str, Any]) -> None:
        """A call of a tool."""
        self.end()
        item = only(item, _CALL, "a function call")
        if not self.messages or self.messages[-1]["role"] != "assistant":
            self.messages.append({"role": "assistant", "content": None})
        called = tool_call(item.get("call_id"), item.get("name"), item.get("arguments", "{}"))
        self.messages[-1].setdefault("tool_calls", []).append(called)

    def result(self, item: dict[str, Any]) -> None:
        """What it gave. There, a tool's message holds text only: images are said behind it."""
        item = only(item, _OUTPUT, "a function call's output")
        output = item.get("output", "")
        if not isinstance(output, str):
            parts = [_part(part) for part in objects(output, "a function call's output")]
            output = "\n".join(part["text"] for part in parts if part["type"] == "text")
            self._shown += [part for part in parts if part["type"] != "text"]
        call_id = item.get("call_id")
        self.messages.append({"role": "tool", "tool_call_id": call_id, "content": output})

    def end(self) -> None:
        """Say what results have shown: not between two of them."""
        if self._shown:
            self.messages.append({"role": "user", "content": self._shown})
            self._shown = []


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    talk = _Talk()
    if body.get("instructions"):
        talk.say({"role": "system", "content": body["instructions"]})
    items = body.get("input")
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    for item in objects(items, "the input"):
        kind = typed(item, "the input") or "message"
        if kind == "message":
            talk.say(item)
        elif kind == "function_call":
            talk.call(item)
        elif kind == "function_call_output":
            talk.result(item)
        elif kind != "reasoning":
            raise unknown(kind, "An item")
        # What another model thought is no part of what it said.
    talk.end()
    return talk.messages


def _part(part: dict[str, Any]) -> dict[str, Any]:
    kind = typed(part, "content")
    if kind in ("input_text", "output_text"):
        only(part, _TEXT, "content")
        return {"type": "text", "text": part.get("text", "")}
    if kind == "refusal":
        return {"type": "text", "text": part.get("refusal", "")}
    if kind == "input_image":
        shown = only(part, ("type", "image_url", "detail"), "an image")
        detail = {"detail": shown["detail"]} if "detail" in shown else {}
        return {"type": "image_url", "image_url": {"url": shown.get("image_url"), **detail}}
    if kind == "input_file":
        file = only(part, ("type", "filename", "file_data"), "a file")
        held = {"filename": file.get("filename", "file"), "file_data": file.get("file_data")}
        return {"type": "file", "file": held}
    raise unknown(kind, "Content")


def _said(parts: list[dict[str, Any]]) -> str:
    """Only users show things."""
    for part in parts:
        if part["type"] != "text":
            raise unknown(part["type"], "Content that no user gave")
    return "\n\n".join(part["text"] for part in parts)


def _tool(value: dict[str, Any]) -> dict[str, Any]:
    if typed(value, "tools") != "function":
        raise unknown(typed(value, "tools"), "A tool")
    tool = only(value, _TOOL, "a tool")
    return function(
        tool.get("name"), tool.get("description"), tool.get("parameters"), tool.get("strict")
    )


def _choice(value: Any) -> Any:
    if value in ("auto", "none", "required"):
        return value
    choice = only(value, ("type", "name"), "tool_choice")
    if typed(choice, "tool_choice") != "function":
        raise unknown(typed(choice, "tool_choice"), "A choice of tools")
    return {"type": "function", "function": {"name": choice.get("name")}}


def _text(value: Any) -> dict[str, Any]:
    """The form that the answer must have."""
    text = only(value, ("format", "verbosity"), "text")
    usual(text, {"verbosity": "medium"}, "text")
    form = only(
        text.get("format", {}), ("type", "name", "schema", "strict", "description"), "text.format"
    )
    kind = typed(form, "text.format") or "text"
    if kind == "text":
        return {}
    if kind == "json_object":
        return {"response_format": {"type": "json_object"}}
    if kind != "json_schema":
        raise unknown(kind, "A format")
    made = schema(form.get("name", "answer"), form.get("schema"), form.get("strict"))
    if "description" in form:
        made["json_schema"]["description"] = form["description"]
    return {"response_format": made}


def _included(value: Any) -> None:
    for name in value if isinstance(value, list) else [value]:
        if name not in _INCLUDED:
            raise untranslatable("'include' in the request")
