"""Anthropic's messages, as the API reference and SDK types of 2026 describe them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import Message
from gateway.dialects._anthropic import (
    BESIDE,
    ID_HEADER,
    asked,
    containers,
    error_reply,
    states,
    stopped,
    usage,
)
from gateway.dialects._anthropic_fields import ANSWER, EVENT, REQUEST
from gateway.dialects._anthropic_stream import MessageStream
from gateway.dialects._api import JsonApi
from gateway.dialects._whole import WholeReader


class Member(JsonApi):
    """The dialect."""

    name = "anthropic_messages"
    operation = "chat"
    paths = ("/v1/messages",)
    id_header = ID_HEADER
    beside = BESIDE
    request = REQUEST
    answer = ANSWER
    events = EVENT
    needs: ClassVar = {"messages": (list,)}

    def json_of(self, value: Mapping[str, Any]) -> bool:
        """Structured output, by its name of today or of the beta."""
        output = value.get("output_config")
        return (isinstance(output, dict) and "format" in output) or "output_format" in value

    def asks_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """The container that is gone on in."""
        return asked(value)

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """What was made past this gateway, and is recalled."""
        return states(value)

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for an event stream or for one JSON body."""
        if "text/event-stream" in content_type.lower():
            return MessageStream()
        return WholeReader(ANSWER, usage_of=usage, withheld=_withheld, kept_of=containers)

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id)


def _withheld(value: Any, refusal: Refusal, exchange_id: str) -> Reply:
    """A message without content that says it was refused; usage stays honest."""
    if not isinstance(value, dict) or "content" not in value:
        return error_reply(refusal, exchange_id)
    body = {
        "id": f"msg_{exchange_id}",
        "type": "message",
        "role": "assistant",
        "model": value.get("model") if isinstance(value.get("model"), str) else "",
        "content": [],
        **stopped(refusal),
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    if isinstance(value.get("usage"), dict):
        body["usage"] = value["usage"]
    headers = {"content-type": "application/json", ID_HEADER: exchange_id}
    return Reply(200, headers, json.dumps(body, ensure_ascii=False).encode())
