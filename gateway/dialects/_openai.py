"""What all of OpenAI's endpoints share: the shape of an error, and whose words it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal

# From the API reference's error page and the Python SDK's exception table, 2026.
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}
# What requests and answers are counted by in detail, as the endpoints call it.
_SENT = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_SAID = ("completion_tokens_details", "output_tokens_details", "output_token_details")


def error_body(refusal: Refusal, exchange_id: str, *, param: str | None = None) -> dict[str, Any]:
    """The error object. What is ours stands under `gateway`, which SDKs pass over."""
    kind = _TYPES.get(refusal.status)
    if kind is None:
        kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    gateway: dict[str, Any] = {"request_id": exchange_id}
    if refusal.rule:
        gateway |= {
            "policy": refusal.policy,
            "rule": refusal.rule,
            "categories": list(refusal.categories),
        }
    return {
        "error": {
            "message": refusal.message,
            "type": kind,
            "param": param,
            "code": refusal.code,
            "gateway": gateway,
        }
    }


def error_reply(refusal: Refusal, exchange_id: str, *, param: str | None = None) -> Reply:
    """A refusal as a whole answer. Only what may pass by itself is worth a retry."""
    retry = refusal.retry_after_s is not None
    headers = {"content-type": "application/json", "x-should-retry": "true" if retry else "false"}
    if retry:
        headers["retry-after"] = str(refusal.retry_after_s)
    body = json.dumps(error_body(refusal, exchange_id, param=param), ensure_ascii=False)
    return Reply(refusal.status, headers, body.encode())


def usage(value: Mapping[str, Any]) -> dict[str, int]:
    """Token counts under their own names: input, output, and what the details tell."""
    told = value.get("usage")
    if not isinstance(told, dict):
        return {}
    sent, said = _details(told, _SENT), _details(told, _SAID)
    counts = {
        "input": told.get("prompt_tokens", told.get("input_tokens")),
        "output": told.get("completion_tokens", told.get("output_tokens")),
        "cached": sent.get("cached_tokens"),
        "cache_write": sent.get("cache_write_tokens"),
        "reasoning": said.get("reasoning_tokens"),
        "media": media(sent) + media(said) or None,
    }
    return {k: v for k, v in counts.items() if isinstance(v, int) and 0 <= v < 1 << 62}


def media(details: Mapping[str, Any]) -> int:
    """Tokens of sound, and of pictures where they are told apart: they have prices of their own."""
    counts = (details.get("audio_tokens"), details.get("image_tokens"))
    return sum(count for count in counts if isinstance(count, int))


def _details(told: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    found = (told[name] for name in names if isinstance(told.get(name), dict))
    return next(found, {})


def choice_of(path: str) -> str:
    """The choice that a text in a whole answer belongs to."""
    return "/".join(path.split("/")[:3])


def logprobs(path: str) -> str:
    """Where the raw tokens of an edited text stand; they would tell what was taken out."""
    steps = path.split("/")
    return "/".join([*steps[:3], "logprobs"]) if steps[1:2] == ["choices"] else ""
