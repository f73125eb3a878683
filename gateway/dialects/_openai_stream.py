"""What OpenAI's event streams have in common: their end, their errors, what they count."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Fragment, Frame
from gateway.dialects._openai import error_body, error_reply, usage
from gateway.dialects._sse import Event, Events
from gateway.dialects._stream import EventStream

DONE = b"data: [DONE]\n\n"


class OpenAiStream(EventStream):
    """Server-sent events that end with [DONE], or with the connection.

    param: which parameter an error before the first event is about. To be given: `spec`,
    `lane` and, where there is more to say than an error, `add` and `stop`.
    """

    ping = b": ping\n\n"

    def __init__(self, param: str | None = None) -> None:
        super().__init__(Events())
        self._param = param

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """Nothing: a notice has no place in this stream."""
        return b""

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """An error event: these streams have no word for being filtered."""
        return b"" if ALL in ended else error_event(refusal, exchange_id)

    def broken(self, error: str, exchange_id: str) -> bytes:
        """An error event: SDKs raise it and do not send the request again."""
        return error_event(Refusal("upstream_error", error, 502), exchange_id)

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """Nothing was sent yet, so a plain error says it best."""
        return error_reply(refusal, exchange_id, param=self._param)

    def note(self, value: Any) -> None:
        """Remember what an event tells about its answer as a whole."""
        if not isinstance(value, dict):
            return
        if value.get("error") or value.get("object") == "error" or value.get("type") == "error":
            self.failed = True
        if not self.model and isinstance(value.get("model"), str):
            self.model = value["model"]
        if isinstance(value.get("usage"), dict):
            self.usage = usage(value)

    def _frame(self, event: Event) -> Frame:
        if event.data.strip() == b"[DONE]":
            return Frame(event.raw, closes=(ALL,))
        return super()._frame(event)


def error_event(refusal: Refusal, exchange_id: str) -> bytes:
    """An event whose `error` the SDKs raise."""
    return event(error_body(refusal, exchange_id))


def event(value: Mapping[str, Any]) -> bytes:
    """One event without a name."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
