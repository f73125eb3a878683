"""A backend that needs no account: it answers with what it received.

Its answer is the text of the last user message as it arrived here, so that anyone can
see what would have left the house.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from gateway.core.apis import Answer, BackendOptions
from gateway.core.calls import Outgoing
from gateway.core.ids import new_id

_WORD = re.compile(r"\s*\S+|\s+$")


class Member:
    """Speaks OpenAI chat completions; clients of other APIs are translated for."""

    def __init__(self, options: BackendOptions) -> None:
        self._options = options

    def speaks(self, dialect: str) -> bool:
        """Chat completions only."""
        return dialect == "openai_chat"

    async def send(self, call: Outgoing) -> Answer:
        """Answer at once, or word by word if a stream was asked for."""
        request = json.loads(call.body)
        text = _last_user_text(request)
        head = {"id": f"chatcmpl-{new_id()}", "created": 0, "model": str(request["model"])}
        words = len(text.split())
        usage = {"prompt_tokens": words, "completion_tokens": words, "total_tokens": 2 * words}
        if request.get("stream") is not True:
            pieces = [_whole(head, text, usage)]
            kind = "application/json"
        else:
            options = request.get("stream_options")
            counted = isinstance(options, dict) and options.get("include_usage") is True
            pieces = _chunks(head, text, usage if counted else None)
            kind = "text/event-stream; charset=utf-8"
        return Answer(200, {"content-type": kind}, _each(pieces), _nothing)

    async def aclose(self) -> None:
        """Nothing to give back."""


def _last_user_text(request: Mapping[str, Any]) -> str:
    for message in reversed(request["messages"]):
        if isinstance(message, dict) and message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, str):
                return content
            if isinstance(content, list):
                texts = (item.get("text") for item in content if isinstance(item, dict))
                return "\n".join(text for text in texts if isinstance(text, str))
    return ""


def _whole(head: Mapping[str, Any], text: str, usage: Mapping[str, int]) -> bytes:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return _json({**head, "object": "chat.completion", "choices": [choice], "usage": usage})


def _chunks(head: Mapping[str, Any], text: str, usage: Mapping[str, int] | None) -> list[bytes]:
    common = {**head, "object": "chat.completion.chunk"}
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": word}, None) for word in _WORD.findall(text)]
    deltas.append(({}, "stop"))
    chunks = [
        {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in deltas
    ]
    if usage is not None:
        chunks.append({**common, "choices": [], "usage": usage})
    return [b"data: " + _json(chunk) + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def _each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _nothing() -> None:
    return None
