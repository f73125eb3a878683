"""Ollama's operations that answer in text: what chatting and completing do alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import Message
from gateway.dialects._api import JsonApi
from gateway.dialects._fields import Field
from gateway.dialects._ollama import error_reply, logprobs, usage
from gateway.dialects._ollama_stream import OllamaStream
from gateway.dialects._whole import WholeReader


class OllamaApi(JsonApi):
    """One such operation. A dialect gives `said` and, as `events`, what its lines hold."""

    events: Field
    others = ("application/x-ndjson",)

    def said(self, text: str) -> dict[str, Any]:
        """The members of an answer that hold this text."""
        raise NotImplementedError

    def stream_of(self, value: Mapping[str, Any], call: Call) -> bool:
        """It streams unless told not to."""
        return value.get("stream") is not False

    def json_of(self, value: Mapping[str, Any]) -> bool:
        """JSON mode, or a schema."""
        return bool(value.get("format"))

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for JSON lines or for one JSON body."""
        kind = content_type.partition(";")[0].strip().lower()
        if "ndjson" in kind or (message.stream and kind != "application/json"):
            return OllamaStream(self.events, self.said)
        return WholeReader(self.answer, usage_of=usage, withheld=self._withheld, drop=logprobs)

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id)

    def _withheld(self, value: Any, refusal: Refusal, exchange_id: str) -> Reply:
        """An answer that says why it is empty; what was counted stays honest."""
        if not isinstance(value, dict) or "done" not in value:
            return error_reply(refusal, exchange_id)
        kept = {
            key: value[key] for key in ("model", "created_at") if isinstance(value.get(key), str)
        }
        counts = {
            key: item
            for key, item in value.items()
            if isinstance(item, int) and not isinstance(item, bool)
        }
        end = {"done": True, "done_reason": "content_filter"}
        body = json.dumps({**kept, **self.said(""), **end, **counts})
        return Reply(200, {"content-type": "application/json"}, body.encode())
