"""What Ollama's own endpoints share, as its API reference and Python client of 2026 have it.

An error is `{"error": "text"}` and nothing beside it, in a stream too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal
from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, exempt, model_name, plain, tokens

ENUM = plain("one of the API's own words")
IMAGES = Field(items=Field(media="image/*"))
NUMBER = plain("a number or a switch")
# What every request may hold besides its text.
REQUEST: Mapping[str, Field] = {
    "model": exempt("the model's name, looked up in the catalogue"),
    "options": Field(plain="settings of the sampler", fields={"stop": Field(items=TEXT)}),
    "keep_alive": plain("a duration"),
    "think": ENUM,
    "stream": NUMBER,
    "logprobs": NUMBER,
    "top_logprobs": NUMBER,
    "format": Field(kind=Kind.TOOL_DEFINITION),
}
# What every answer may hold besides its text.
ANSWER: Mapping[str, Field] = {
    "model": model_name("the name of the model that answered"),
    "created_at": plain("a time"),
    "remote_model": model_name("the name of the model that answered"),
    "remote_host": Field(streamed=False),
    "done": NUMBER,
    "done_reason": ENUM,
    "total_duration": NUMBER,
    "load_duration": NUMBER,
    "prompt_eval_count": NUMBER,
    "prompt_eval_duration": NUMBER,
    "eval_count": NUMBER,
    "eval_duration": NUMBER,
    "logprobs": tokens("dropped when the text beside them is changed"),
    "error": Field(kind=Kind.ERROR, streamed=False),
}


def logprobs(path: str) -> str:
    """Where the raw tokens of an edited text stand; they would tell what was taken out."""
    return "/logprobs"


def usage(value: Mapping[str, Any]) -> dict[str, int]:
    """Token counts under their own names."""
    counts = {"input": value.get("prompt_eval_count"), "output": value.get("eval_count")}
    return {k: v for k, v in counts.items() if isinstance(v, int) and 0 <= v < 1 << 62}


def error_body(refusal: Refusal, exchange_id: str) -> bytes:
    """The error. The request's id stands in its text, for it has no other place."""
    error = {"error": f"{refusal.message} ({refusal.code}, request {exchange_id})"}
    return json.dumps(error, ensure_ascii=False).encode()


def error_reply(refusal: Refusal, exchange_id: str) -> Reply:
    """A refusal as a whole answer. Only what may pass by itself is worth a retry."""
    retry = refusal.retry_after_s is not None
    headers = {"content-type": "application/json", "x-should-retry": "true" if retry else "false"}
    if retry:
        headers["retry-after"] = str(refusal.retry_after_s)
    return Reply(refusal.status, headers, error_body(refusal, exchange_id))
