"""OpenAI's legacy completions, as the API reference and SDK types of 2026 describe them.

Also what vLLM and llama.cpp serve for base models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from gateway.core.apis import Reader, Reply
from gateway.core.judgement import Refusal
from gateway.core.message import Kind, Message
from gateway.dialects._completion_stream import CompletionStream
from gateway.dialects._counted import CountedApi
from gateway.dialects._fields import TEXT, Field, plain, tokens
from gateway.dialects._openai import choice_of, error_reply, logprobs, usage
from gateway.dialects._openai_fields import (
    ANSWERED_MODEL,
    ASKED_MODEL,
    ERROR,
    ID,
    NUMBER,
    SWITCHES,
    TOKENS,
    USAGE,
    WORD,
)
from gateway.dialects._whole import WholeReader

# fmt: off
_NUMBERS = (
    "best_of", "echo", "frequency_penalty", "logprobs", "max_tokens", "n", "presence_penalty",
    "seed", "stream", "temperature", "top_p",
)
# fmt: on
REQUEST = Field(
    fields={
        "model": ASKED_MODEL,
        "prompt": Field(kind=Kind.TEXT, role="user", numbers=TOKENS),
        "suffix": Field(kind=Kind.TEXT, role="user"),
        "stop": TEXT,
        "user": TEXT,
        "logit_bias": plain("token numbers and weights"),
        "stream_options": SWITCHES,
        **dict.fromkeys(_NUMBERS, NUMBER),
    }
)
_CHOICE = Field(
    fields={
        "index": NUMBER,
        "finish_reason": WORD,
        "text": Field(kind=Kind.TEXT, role="assistant"),
        "logprobs": tokens("dropped when the text beside them is changed"),
        "token_ids": Field(numbers=TOKENS),
    }
)
_ANSWER: dict[str, Field] = {
    "id": ID,
    "object": WORD,
    "created": NUMBER,
    "model": ANSWERED_MODEL,
    "system_fingerprint": ID,
    "usage": USAGE,
    "error": ERROR,
}
ANSWER = Field(fields={**_ANSWER, "choices": Field(items=_CHOICE)})
CHUNK = Field(fields={**_ANSWER, "choices": Field(items=replace(_CHOICE, streamed=True))})


class Member(CountedApi):
    """The dialect."""

    name = "openai_completions"
    operation = "completion"
    paths = ("/v1/completions",)
    request = REQUEST
    answer = ANSWER
    others = ("text/event-stream",)
    needs: ClassVar = {"prompt": (str, list)}

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for an event stream or for one JSON body."""
        if "text/event-stream" in content_type.lower():
            return CompletionStream(CHUNK, unasked=message.uncounted)
        return WholeReader(
            ANSWER, usage_of=usage, withheld=withheld, drop=logprobs, group=choice_of
        )

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id, param="prompt" if refusal.rule else None)


def withheld(value: Any, refusal: Refusal, exchange_id: str) -> Reply:
    """A completion that says it was filtered; usage stays honest."""
    if not isinstance(value, Mapping) or "choices" not in value:
        return error_reply(refusal, exchange_id)
    body = {
        "id": f"cmpl-{exchange_id}",
        "object": "text_completion",
        "created": value.get("created") if isinstance(value.get("created"), int) else 0,
        "model": value.get("model") if isinstance(value.get("model"), str) else "",
        "choices": [{"index": 0, "text": "", "logprobs": None, "finish_reason": "content_filter"}],
    }
    if isinstance(value.get("usage"), dict):
        body["usage"] = value["usage"]
    return Reply(200, {"content-type": "application/json"}, json.dumps(body).encode())
