"""Anthropic's Messages, for backends that do not speak them.

Fields and events: https://docs.claude.com/en/api/messages and .../messages-streaming (2026).
"""

from __future__ import annotations

from typing import Any

from gateway.backends._spokes._shape import (
    EVENTS,
    arguments_of,
    body_of,
    dumps,
    event,
    function,
    image,
    objects,
    only,
    schema,
    tool_call,
    typed,
    unknown,
    untranslatable,
)
from gateway.backends._spokes._told import Delta, Told
from gateway.core.calls import Outgoing

_CARRIED = ("max_tokens", "temperature", "top_p", "top_k")
_READ = ("messages", "system", "tools", "tool_choice", "stop_sequences", "output_config",
         "output_format")  # fmt: skip
# Who asks is not told to another vendor. The rest is about Claude's own thinking, caches,
# prices and context, and says nothing about what is answered.
_LEFT_OUT = ("model", "stream", "metadata", "service_tier", "thinking", "context_management",
             "cache_control", "speed", "diagnostics")  # fmt: skip
_TOOL = ("name", "description", "input_schema", "strict", "type", "cache_control",
         "eager_input_streaming", "defer_loading", "input_examples", "allowed_callers")  # fmt: skip
_ENDS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use",
         "content_filter": "refusal"}  # fmt: skip
_ERRORS = {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error",
           403: "permission_error", 404: "not_found_error", 409: "conflict_error",
           413: "request_too_large", 422: "invalid_request_error", 429: "rate_limit_error",
           504: "timeout_error", 529: "overloaded_error"}  # fmt: skip


class Member:
    """The spoke."""

    def ask(self, call: Outgoing) -> dict[str, Any]:
        """The request as a chat completion."""
        body = only(body_of(call), (*_CARRIED, *_READ, *_LEFT_OUT), "the request")
        asked = {key: body[key] for key in _CARRIED if key in body}
        messages: list[dict[str, Any]] = []
        if body.get("system"):
            messages.append({"role": "system", "content": _text(body["system"], "system")})
        for message in objects(body.get("messages"), "messages"):
            messages += _messages(only(message, ("role", "content"), "a message"))
        asked["messages"] = messages
        if body.get("tools"):
            asked["tools"] = [_tool(tool) for tool in objects(body["tools"], "tools")]
        if "tool_choice" in body and body.get("tools"):
            asked |= _choice(body["tool_choice"])
        if body.get("stop_sequences"):
            asked["stop"] = body["stop_sequences"]
        output = only(body.get("output_config", {}), ("effort", "format"), "output_config")
        form = body.get("output_format") or output.get("format")
        if form is not None:
            form = only(form, ("type", "schema"), "the output's format")
            asked["response_format"] = schema("answer", form.get("schema"))
        return asked

    def answer(self, told: Told, call: Outgoing) -> dict[str, Any]:
        """A message."""
        content: list[dict[str, Any]] = []
        if told.reasoning:
            content.append({"type": "thinking", "thinking": told.reasoning, "signature": ""})
        if told.text:
            content.append({"type": "text", "text": told.text})
        content += [
            {"type": "tool_use", "id": t.id, "name": t.name, "input": arguments_of(t.arguments)}
            for t in told.tools
        ]
        end = {"stop_reason": _end(told), "stop_sequence": None}
        return {**_head(told), "content": content, **end, "usage": _usage(told)}

    def writer(self, call: Outgoing) -> MessageWriter:
        """Anthropic's events."""
        return MessageWriter()

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Anthropic's error."""
        kind = _ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": None}


class MessageWriter:
    """Writes events: one block after the other, each opened and closed."""

    media = EVENTS

    def __init__(self) -> None:
        self._index = -1
        self._open = ""

    def begin(self, told: Told) -> bytes:
        """The message's head. What the request cost is only known at the end."""
        usage = {"input_tokens": told.prompt_tokens, "output_tokens": 0}
        head: dict[str, Any] = {
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        return _event({"type": "message_start", "message": {**_head(told), **head}})

    def add(self, delta: Delta) -> bytes:
        """Pieces of a thinking block and of a text block."""
        out = b""
        if delta.reasoning:
            out += self._block("thinking", {"type": "thinking", "thinking": "", "signature": ""})
            out += self._piece({"type": "thinking_delta", "thinking": delta.reasoning})
        if delta.text:
            out += self._block("text", {"type": "text", "text": ""})
            out += self._piece({"type": "text_delta", "text": delta.text})
        return out

    def end(self, told: Told) -> bytes:
        """A block for each tool call, then the end."""
        out = b""
        for tool in told.tools:
            out += self._close()
            block = {"type": "tool_use", "id": tool.id, "name": tool.name, "input": {}}
            arguments = dumps(arguments_of(tool.arguments))
            out += self._block("tool_use", block)
            out += self._piece({"type": "input_json_delta", "partial_json": arguments})
        out += self._close()
        delta = {"stop_reason": _end(told), "stop_sequence": None}
        out += _event({"type": "message_delta", "delta": delta, "usage": _usage(told)})
        return out + _event({"type": "message_stop"})

    def _block(self, kind: str, block: dict[str, Any]) -> bytes:
        if self._open == kind:
            return b""
        out = self._close()
        self._index, self._open = self._index + 1, kind
        start = {"type": "content_block_start", "index": self._index, "content_block": block}
        return out + _event(start)

    def _piece(self, delta: dict[str, Any]) -> bytes:
        return _event({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        return _event({"type": "content_block_stop", "index": self._index})


def _messages(message: dict[str, Any]) -> list[dict[str, Any]]:
    """One message as one or several: results of tools are messages of their own there."""
    role, content = message.get("role"), message.get("content")
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    blocks = objects(content, "a message's content")
    if role == "assistant":
        return [_said(blocks)]
    if role == "system":
        return [{"role": role, "content": _text(blocks, "a message's content")}]
    results: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    for block in blocks:
        if typed(block, "content") == "tool_result":
            text, images = _result(block)
            results.append(
                {"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": text}
            )
            parts += images
        else:
            parts.append(_part(block))
    return [*results, *([{"role": "user", "content": parts}] if parts else [])]


def _said(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    for block in blocks:
        kind = typed(block, "content")
        if kind == "text":
            texts.append(block.get("text", ""))
        elif kind == "tool_use":
            arguments = dumps(block.get("input") or {})
            calls.append(tool_call(block.get("id"), block.get("name"), arguments))
        elif kind not in ("thinking", "redacted_thinking"):
            raise unknown(kind, "Content")
        # What another model thought is no part of what it said.
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or None}
    return {**message, "tool_calls": calls} if calls else {**message, "content": "".join(texts)}


def _result(block: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """(its text, its images): there, a tool's message holds text only."""
    only(block, ("type", "tool_use_id", "content", "is_error", "cache_control"), "a tool's result")
    content = block.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else []
    if not parts:
        parts = [_part(inner) for inner in objects(content, "a tool's result")]
    text = "\n".join(part["text"] for part in parts if part["type"] == "text")
    failed = "Error: " if block.get("is_error") is True else ""
    return failed + text, [part for part in parts if part["type"] != "text"]


def _part(block: dict[str, Any]) -> dict[str, Any]:
    kind = typed(block, "content")
    if kind == "text":
        return {"type": "text", "text": block.get("text", "")}
    source = block.get("source")
    form = typed(source, "source") if isinstance(source, dict) else ""
    if kind == "image" and isinstance(source, dict) and form == "base64":
        return image(source.get("media_type"), source.get("data"))
    if kind == "document" and isinstance(source, dict) and form == "text":
        return {"type": "text", "text": source.get("data", "")}
    if kind == "document" and isinstance(source, dict) and form == "base64":
        data = f"data:{source.get('media_type')};base64,{source.get('data')}"
        return {"type": "file", "file": {"filename": "document.pdf", "file_data": data}}
    if kind in ("image", "document"):
        raise untranslatable(f"An {kind} whose bytes are not in the request")
    raise unknown(kind, "Content")


def _text(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    blocks = objects(value, where)
    for block in blocks:
        if typed(block, where) != "text":
            raise unknown(typed(block, where), "Content")
    return "\n\n".join(block.get("text", "") for block in blocks)


def _tool(value: dict[str, Any]) -> dict[str, Any]:
    if typed(value, "tools") not in ("", "custom"):
        raise unknown(typed(value, "tools"), "A tool")
    tool = only(value, _TOOL, "a tool")
    return function(
        tool.get("name"), tool.get("description"), tool.get("input_schema"), tool.get("strict")
    )


def _choice(value: Any) -> dict[str, Any]:
    choice = only(value, ("type", "name", "disable_parallel_tool_use"), "tool_choice")
    kind = choice.get("type")
    made: Any = {"auto": "auto", "any": "required", "none": "none"}.get(str(kind))
    if kind == "tool":
        made = {"type": "function", "function": {"name": choice.get("name")}}
    if made is None:
        raise unknown(typed(choice, "tool_choice"), "A choice of tools")
    alone = choice.get("disable_parallel_tool_use") is True
    return {"tool_choice": made, **({"parallel_tool_calls": False} if alone else {})}


def _head(told: Told) -> dict[str, Any]:
    name = told.id if told.id.startswith("msg_") else f"msg_{told.id}"
    return {"id": name, "type": "message", "role": "assistant", "model": told.model}


def _usage(told: Told) -> dict[str, Any]:
    return {
        "input_tokens": max(told.prompt_tokens - told.cached_tokens, 0),
        "cache_read_input_tokens": told.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": told.completion_tokens,
    }


def _end(told: Told) -> str:
    return "refusal" if told.refusal else _ENDS.get(told.reason, "end_turn")


def _event(value: dict[str, Any]) -> bytes:
    return event(value, value["type"])
