"""What Gemini's operations share: the model's place in the path, errors, counts.

The Gemini API and Vertex AI serve the same operations under different paths; which of them a
request goes on to is its backend's business, so that a client's project and location say nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.judgement import Refusal, Route
from gateway.core.message import Edit, Message
from gateway.core.splice import splice_json
from gateway.dialects._api import JsonApi, step
from gateway.dialects._whole import WholeReader

_PLACES = (
    "/v1beta/models",
    "/v1/models",
    "/v1beta1/publishers/google/models",
    "/v1/publishers/google/models",
    "/v1beta1/projects/{project}/locations/{location}/publishers/google/models",
    "/v1/projects/{project}/locations/{location}/publishers/google/models",
)
_PLACE = re.compile(
    r"(?:projects/[\w-]{1,64}/locations/[\w-]{1,64}/)?(?:publishers/google/)?models", re.ASCII
)
# google.rpc.Code by HTTP status, as google/rpc/code.proto maps them.
_STATUSES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

# What is charged as text is, in requests and in answers: the pricing page of the API, 2026.
_MODALITIES = {
    "promptTokensDetails": ("TEXT", "IMAGE", "VIDEO", "DOCUMENT"),
    "candidatesTokensDetails": ("TEXT",),
}
_WRAPPED = ("generateContentRequest", "generate_content_request")


class GeminiApi(JsonApi):
    """One operation. A dialect gives its `verb`, spelt as Google spells it."""

    verb: str
    names_model = False
    beside = ("reasoning", "tool_input")

    def model_of(self, value: Mapping[str, Any], call: Call) -> str:
        """The model in the path; one that the body names must be the same."""
        step(call, "model")
        for name in {"project", "location"} & call.params.keys():
            step(call, name)
        model = call.params["model"]
        for path, named in named_models(value):
            if not isinstance(named, str) or not _same(named, model):
                raise Unreadable(f"'{path[1:]}' names another model than the path does.")
        return model

    def stream_of(self, value: Mapping[str, Any], call: Call) -> bool:
        """The path says so, not the body."""
        return False

    def path_of(self, call: Call) -> str:
        """Where the Gemini API serves this."""
        return f"{_PLACES[0]}/{{model}}:{self.verb}"

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """The body with edits made; where it repeats the model's name, under the upstream's."""
        if route.upstream_model != message.model:
            renamed = {
                path: [Edit(len(named) - len(message.model), len(named), route.upstream_model)]
                for path, named in named_models(json.loads(message.body))
            }
            edits = {**edits, **renamed}
        return splice_json(message.body, edits)

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for one JSON body."""
        return WholeReader(
            self.answer,
            usage_of=usage,
            withheld=withheld,
            drop=logprobs,
            group=candidate_of,
            model_member="modelVersion",
        )

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer.

        Not the empty answer with a `blockReason` that Google gives: it exists for one of the
        operations only, has no place for words, and to many applications it is just no text.
        """
        return error_reply(refusal, exchange_id)


def paths_of(verb: str) -> tuple[str, ...]:
    """All paths at which an operation is served."""
    return tuple(f"{place}/{{model}}:{verb.lower()}" for place in _PLACES)


def named_models(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Where a body repeats the model's name, and what it says there."""
    inside: list[tuple[str, Any]] = [("", value)]
    inside += [(f"/{key}", value.get(key)) for key in _WRAPPED]
    requests = value.get("requests")
    if isinstance(requests, list):
        inside += [(f"/requests/{i}", request) for i, request in enumerate(requests)]
    return [
        (f"{path}/model", found["model"])
        for path, found in inside
        if isinstance(found, dict) and "model" in found
    ]


def error_body(refusal: Refusal, exchange_id: str) -> dict[str, Any]:
    """The error object. What is ours stands in its details, as google.rpc.ErrorInfo has them."""
    status = _STATUSES.get(refusal.status)
    if status is None:
        status = "INTERNAL" if refusal.status >= 500 else "INVALID_ARGUMENT"
    metadata = {"request_id": exchange_id}
    if refusal.rule:
        metadata |= {
            "policy": refusal.policy,
            "rule": refusal.rule,
            "categories": ",".join(refusal.categories),
        }
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": refusal.code.upper(),
        "domain": "gateway",
        "metadata": metadata,
    }
    error = {"code": refusal.status, "message": refusal.message, "status": status}
    return {"error": {**error, "details": [info]}}


def error_reply(refusal: Refusal, exchange_id: str) -> Reply:
    """A refusal as a whole answer. Only what may pass by itself is worth a retry."""
    retry = refusal.retry_after_s is not None
    headers = {"content-type": "application/json", "x-should-retry": "true" if retry else "false"}
    if retry:
        headers["retry-after"] = str(refusal.retry_after_s)
    body = json.dumps(error_body(refusal, exchange_id), ensure_ascii=False)
    return Reply(refusal.status, headers, body.encode())


def stopped(index: int, refusal: Refusal) -> dict[str, Any]:
    """A candidate that ends because of its content."""
    reason = {"finishReason": "PROHIBITED_CONTENT", "finishMessage": refusal.message}
    return {"index": index, **reason}


def withheld(value: Any, refusal: Refusal, exchange_id: str) -> Reply:
    """An answer whose candidates were stopped, as by Google's own filter; counts stay honest."""
    if not isinstance(value, dict) or not isinstance(value.get("candidates"), list):
        return error_reply(refusal, exchange_id)
    kept = {key: value[key] for key in ("usageMetadata", "modelVersion") if key in value}
    candidates = [stopped(i, refusal) for i, _ in enumerate(value["candidates"] or [None])]
    body = {"candidates": candidates, **kept, "responseId": exchange_id}
    return Reply(200, {"content-type": "application/json"}, json.dumps(body).encode())


def usage(value: Mapping[str, Any]) -> dict[str, int]:
    """Token counts under their own names."""
    told = value.get("usageMetadata")
    if not isinstance(told, dict):
        return {}
    counts = {
        "input": told.get("promptTokenCount"),
        "output": told.get("candidatesTokenCount"),
        "cached": told.get("cachedContentTokenCount"),
        "reasoning": told.get("thoughtsTokenCount"),
        "tool_input": told.get("toolUsePromptTokenCount"),
        "media": _media(told) or None,
    }
    return {k: v for k, v in counts.items() if isinstance(v, int) and 0 <= v < 1 << 62}


def _media(told: Mapping[str, Any]) -> int:
    """Tokens that have a price of their own: sound, and pictures and films of an answer."""
    found = 0
    for name, free in _MODALITIES.items():
        details = told.get(name)
        for each in details if isinstance(details, list) else ():
            count = each.get("tokenCount") if isinstance(each, dict) else 0
            if count and isinstance(count, int) and each.get("modality") not in free:
                found += count
    return found


def candidate_of(path: str) -> str:
    """The candidate that a text in a whole answer belongs to."""
    return "/".join(path.split("/")[:3])


def logprobs(path: str) -> str:
    """Where the raw tokens of an edited text stand; they would tell what was taken out."""
    return f"{candidate_of(path)}/logprobsResult" if path.startswith("/candidates/") else ""


def _same(named: str, model: str) -> bool:
    """Whether a body's name, with or without where it stands, is that of the path."""
    place, _, name = named.rpartition("/")
    return name == model and (not place or _PLACE.fullmatch(place) is not None)
