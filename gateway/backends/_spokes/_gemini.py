"""Telling an answer as Gemini's, whole, in events or in one JSON array that grows.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse (2026).
"""

from __future__ import annotations

from typing import Any

from gateway.backends._spokes._shape import EVENTS, arguments_of, dumps, event
from gateway.backends._spokes._told import Delta, Told

_ENDS = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}
# google.rpc.Code by HTTP status, as google/rpc/code.proto maps them.
STATUSES = {
    401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
    429: "RESOURCE_EXHAUSTED", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip


class ChunkWriter:
    """Writes chunks. events: as server-sent events, else as the elements of an array."""

    def __init__(self, *, events: bool) -> None:
        self.media = EVENTS if events else "application/json; charset=utf-8"
        self._events = events
        self._before = "["
        self._told = Told()

    def begin(self, told: Told) -> bytes:
        """Nothing: each chunk has the head in it."""
        self._told = told
        return b""

    def add(self, delta: Delta) -> bytes:
        """A chunk with what was thought and what was said."""
        parts = _texts(delta.reasoning, delta.text)
        return self._write(chunk(self._told, parts)) if parts else b""

    def end(self, told: Told) -> bytes:
        """A chunk with the calls of tools, the reason of the end and the counts."""
        last = self._write(chunk(told, _calls(told) or [{"text": ""}], ended=True))
        return last if self._events else last + b"]"

    def _write(self, value: dict[str, Any]) -> bytes:
        if self._events:
            return event(value)
        before, self._before = self._before, ",\r\n"
        return f"{before}{dumps(value)}".encode()


def chunk(told: Told, parts: list[dict[str, Any]], *, ended: bool = False) -> dict[str, Any]:
    """One answer or piece of one."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if ended:
        candidate["finishReason"] = _ENDS.get(told.reason, "STOP")
    counted = {"usageMetadata": _usage(told)} if ended else {}
    head = {"modelVersion": told.model, "responseId": told.id}
    return {"candidates": [candidate], **counted, **head}


def parts_of(told: Told) -> list[dict[str, Any]]:
    """All that a whole answer holds."""
    return _texts(told.reasoning, told.text) + _calls(told)


def _texts(thought: str, said: str) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"text": thought, "thought": True}] if thought else []
    return [*parts, {"text": said}] if said else parts


def _calls(told: Told) -> list[dict[str, Any]]:
    return [
        {"functionCall": {"id": t.id, "name": t.name, "args": arguments_of(t.arguments)}}
        for t in told.tools
    ]


def _usage(told: Told) -> dict[str, int]:
    """Thoughts are counted beside the candidates' tokens here, not among them."""
    thought = {"thoughtsTokenCount": told.reasoning_tokens} if told.reasoning_tokens else {}
    cached = {"cachedContentTokenCount": told.cached_tokens} if told.cached_tokens else {}
    return {
        "promptTokenCount": told.prompt_tokens,
        "candidatesTokenCount": max(told.completion_tokens - told.reasoning_tokens, 0),
        "totalTokenCount": told.prompt_tokens + told.completion_tokens,
        **thought,
        **cached,
    }
