"""What Anthropic's endpoints share besides fields: the shape of an error, token counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal
from gateway.dialects._reached import anywhere, at

ID_HEADER = "request-id"
# Its input is what was neither read from the cache nor written there: API reference, "Usage", 2026.
BESIDE = ("cached", "cache_write")

_BLOCKS = ("messages", "*", "content", "*")
_FILES = (
    (*_BLOCKS, "file_id"),
    (*_BLOCKS, "source", "file_id"),
    (*_BLOCKS, "content", "*", "file_id"),
    (*_BLOCKS, "content", "*", "source", "file_id"),
)

# Status -> error type, from the API's error page and the SDK's error types, 2026.
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_body(refusal: Refusal, exchange_id: str) -> dict[str, Any]:
    """The error object. What is ours stands under `gateway`, which SDKs pass over."""
    kind = _TYPES.get(refusal.status)
    if kind is None:
        kind = "api_error" if refusal.status >= 500 else "invalid_request_error"
    gateway: dict[str, Any] = {"code": refusal.code}
    if refusal.rule:
        gateway |= {
            "policy": refusal.policy,
            "rule": refusal.rule,
            "categories": list(refusal.categories),
        }
    error = {"type": kind, "message": refusal.message, "gateway": gateway}
    return {"type": "error", "error": error, "request_id": exchange_id}


def error_reply(refusal: Refusal, exchange_id: str) -> Reply:
    """A refusal as a whole answer. Only what may pass by itself is worth a retry."""
    retry = refusal.retry_after_s is not None
    headers = {
        "content-type": "application/json",
        ID_HEADER: exchange_id,
        "x-should-retry": "true" if retry else "false",
    }
    if retry:
        headers["retry-after"] = str(refusal.retry_after_s)
    body = json.dumps(error_body(refusal, exchange_id), ensure_ascii=False)
    return Reply(refusal.status, headers, body.encode())


def stopped(refusal: Refusal) -> dict[str, Any]:
    """How a message says that it was stopped, as the API's own classifiers do.

    The API's categories are about other things, so there is none; the words are ours.
    """
    details = {"type": "refusal", "category": None, "explanation": refusal.message}
    return {"stop_reason": "refusal", "stop_sequence": None, "stop_details": details}


def asked(value: Mapping[str, Any]) -> tuple[str, ...]:
    """As `Message.asks`: the container in which code is to run, one that was there before."""
    return anywhere(value, ("container",), ("container", "id"))


def states(value: Mapping[str, Any]) -> tuple[str, ...]:
    """As `Message.states`: files and skills, which cannot be made here, so they are nobody's."""
    found = []
    if anywhere(value, *_FILES):
        found.append("file_id")
    container = value.get("container")
    skills = container.get("skills") if isinstance(container, dict) else None
    if "custom" in at(skills, "*", "type"):
        found.append("skill")
    return tuple(found)


def containers(value: Any) -> tuple[str, ...]:
    """The container that an answer's code has run in."""
    return anywhere(value, ("container", "id"))


def usage(value: Mapping[str, Any]) -> dict[str, int]:
    """Token counts under their own names. Beside the input stands what `BESIDE` names."""
    told = value.get("usage")
    if not isinstance(told, dict):
        return {}
    details = told.get("cache_creation")
    written = details if isinstance(details, dict) else {}
    counts = {
        "input": told.get("input_tokens"),
        "output": told.get("output_tokens"),
        "cached": told.get("cache_read_input_tokens"),
        "cache_write": told.get("cache_creation_input_tokens"),
        "cache_write_1h": written.get("ephemeral_1h_input_tokens"),
    }
    return {k: v for k, v in counts.items() if isinstance(v, int) and 0 <= v < 1 << 62}
