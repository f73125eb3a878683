"""Telling an answer as a response of OpenAI's Responses API, whole or in events.

Both are made of the same items. What the request said in words (instructions, tools) is not
repeated in the answer, where it would be judged again. Events and their order:
https://platform.openai.com/docs/api-reference/responses-streaming (2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.backends._spokes._shape import EVENTS, event
from gateway.backends._spokes._told import Delta, Told, ToolCall

_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}
_ECHOED = ("temperature", "top_p", "max_output_tokens")
# Kinds of text: (the item's type, its content's type, the content's member, the events' series).
_MESSAGE, _REASONING = "message", "reasoning"
_KINDS = {
    "text": (_MESSAGE, "output_text", "text", "response.output_text"),
    "refusal": (_MESSAGE, "refusal", "refusal", "response.refusal"),
    "reasoning": (_REASONING, "reasoning_text", "text", "response.reasoning_text"),
}
_PREFIXES = {_MESSAGE: "msg", _REASONING: "rs"}


def whole(told: Told, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A response with all its items."""
    writer = ResponseWriter(asked)
    writer.begin(told)
    said = told.text.removesuffix(told.refusal)
    writer.add(Delta(said + told.refusal, told.reasoning, told.refusal))
    writer.end(told)
    return writer.response


class ResponseWriter:
    """Writes events, and keeps the response that they tell."""

    media = EVENTS

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self.response: dict[str, Any] = {}
        self._asked = asked
        self._id = ""
        self._number = 0
        self._items: list[dict[str, Any]] = []
        self._kind = ""
        self._written = ""

    def begin(self, told: Told) -> bytes:
        """Two events with the response as it stands: empty."""
        self._id = told.id or "0"
        self.response = self._empty(told)
        out = self._event("response.created", response=self.response)
        return out + self._event("response.in_progress", response=self.response)

    def add(self, delta: Delta) -> bytes:
        """Pieces of what was thought, said and refused."""
        out = b""
        for kind, text in (
            ("reasoning", delta.reasoning),
            ("text", delta.said),
            ("refusal", delta.refusal),
        ):
            if text:
                out += self._piece(kind, text)
        return out

    def end(self, told: Told) -> bytes:
        """An item for each tool call, then the response as a whole."""
        out = self._close_item()
        for tool in told.tools:
            out += self._call(tool)
        reason = _REASONS.get(told.reason)
        status = "incomplete" if reason else "completed"
        self.response = {
            **self.response,
            "status": status,
            "incomplete_details": {"reason": reason} if reason else None,
            "output": self._items,
            "usage": _usage(told),
        }
        return out + self._event(f"response.{status}", response=self.response)

    def _piece(self, kind: str, text: str) -> bytes:
        out = b""
        item_type, content_type, member, series = _KINDS[kind]
        if not self._kind or _KINDS[self._kind][0] != item_type:
            out += self._close_item() + self._open_item(item_type)
        if self._kind != kind:
            out += self._close_part()
            self._kind = kind
            self._item["content"].append(_part(content_type, member, ""))
            part = _part(content_type, member, "")
            out += self._event("response.content_part.added", **self._place(), part=part)
        self._written += text
        pieces = _raw(kind) | {"delta": text}
        return out + self._event(f"{series}.delta", **self._place(), **pieces)

    def _open_item(self, item_type: str) -> bytes:
        item: dict[str, Any] = {"id": self._name(_PREFIXES[item_type]), "type": item_type}
        if item_type == _REASONING:
            item["summary"] = []
        else:
            item["role"] = "assistant"
        item |= {"status": "in_progress", "content": []}
        self._items.append(item)
        return self._event("response.output_item.added", **self._at(), item=item)

    def _close_part(self) -> bytes:
        if not self._kind:
            return b""
        _, content_type, member, series = _KINDS[self._kind]
        part = _part(content_type, member, self._written)
        self._item["content"][-1] = part
        words = _raw(self._kind) | {member: self._written}
        out = self._event(f"{series}.done", **self._place(), **words)
        out += self._event("response.content_part.done", **self._place(), part=part)
        self._kind, self._written = "", ""
        return out

    def _close_item(self) -> bytes:
        out = self._close_part()
        if not out:
            return b""
        self._item["status"] = "completed"
        return out + self._event("response.output_item.done", **self._at(), item=self._item)

    def _call(self, tool: ToolCall) -> bytes:
        arguments = tool.arguments or "{}"
        head = {"id": self._name("fc"), "type": "function_call", "call_id": tool.id,
                "name": tool.name}  # fmt: skip
        self._items.append({**head, "arguments": arguments, "status": "completed"})
        begun = {**head, "arguments": "", "status": "in_progress"}
        place = {"item_id": head["id"], **self._at()}
        series = "response.function_call_arguments"
        return b"".join((
            self._event("response.output_item.added", **self._at(), item=begun),
            self._event(f"{series}.delta", **place, delta=arguments),
            self._event(f"{series}.done", **place, name=tool.name, arguments=arguments),
            self._event("response.output_item.done", **self._at(), item=self._item),
        ))  # fmt: skip

    @property
    def _item(self) -> dict[str, Any]:
        return self._items[-1]

    def _name(self, prefix: str) -> str:
        return f"{prefix}_{self._id}_{len(self._items)}"

    def _at(self) -> dict[str, Any]:
        return {"output_index": len(self._items) - 1}

    def _place(self) -> dict[str, Any]:
        """Where the last part of the last item stands."""
        index = len(self._item["content"]) - 1
        return {"item_id": self._item["id"], **self._at(), "content_index": index}

    def _event(self, kind: str, **members: Any) -> bytes:
        value = {"type": kind, "sequence_number": self._number, **members}
        self._number += 1
        return event(value, kind)

    def _empty(self, told: Told) -> dict[str, Any]:
        choice = self._asked.get("tool_choice")
        return {
            "id": f"resp_{self._id}",
            "object": "response",
            "created_at": told.created,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": told.model,
            "output": [],
            "parallel_tool_calls": self._asked.get("parallel_tool_calls") is not False,
            "previous_response_id": None,
            "store": False,
            "tool_choice": choice if isinstance(choice, str) else "auto",
            "tools": [],
            "usage": None,
            **{key: self._asked.get(key) for key in _ECHOED},
        }


def _part(content_type: str, member: str, text: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": content_type, member: text}
    return part | ({"annotations": [], "logprobs": []} if content_type == "output_text" else {})


def _raw(kind: str) -> dict[str, Any]:
    """The raw tokens that events of a text have beside it: none are known."""
    raw: dict[str, Any] = {"logprobs": []}
    return raw if kind == "text" else {}


def _usage(told: Told) -> dict[str, Any]:
    return {
        "input_tokens": told.prompt_tokens,
        "input_tokens_details": {"cached_tokens": told.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": told.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": told.reasoning_tokens},
        "total_tokens": told.prompt_tokens + told.completion_tokens,
    }
