"""What an OpenAPI document says of the gateway's own paths: probes, listings, explanations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.server.door import OPENAPI
from gateway.server.inferred import inferred
from gateway.server.listings import LISTINGS, Asked, Listing
from gateway.server.operations import parameters
from gateway.server.paths import Table
from gateway.server.probes import PROBES, probe
from gateway.server.refused import Refusals, json_response

Json = dict[str, Any]

_REFUSED = (401, 404, 413, 503)
_PARTS = {"type": "object", "additionalProperties": {"type": "string"}}
_PROBE: Json = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string"}, "warnings": _PARTS, "problems": _PARTS},
}
_OWN = {
    "/v1/exchanges/{id}/explain": (
        "Which rules fired in an exchange that was made with this key, and why.",
        "What was decided.",
    ),
    "/v1/models/{id}/notices": (
        "What the terms of use of a model want its users to be shown.",
        "The notices, the AI disclosure and the documents.",
    ),
    "/v1/audit/{id}/proof": (
        "The audit entries of an exchange that was made with this key, and the proof of them.",
        "A bundle for `gateway audit verify` or the stand-alone verifier.",
    ),
    "/v1/reviews/{id}": (
        "How the review of a request that was made with this key stands.",
        "Its state, and if it was refused, why.",
    ),
}
# What listings are asked, and by whom, to see what they look like.
_MODEL: Json = {"id": "m", "object": "model", "created": 0, "owned_by": "p"}
_ASKED_BY: tuple[Mapping[str, str], ...] = (
    {},
    {"anthropic-version": "2023-06-01"},
    {"x-goog-api-key": "k"},
)


def own_operations(table: Table, refusals: Refusals) -> Iterator[tuple[str, str, Json]]:
    """(path, method, operation) of each."""
    for path in (*PROBES, OPENAPI):
        yield path, "get", _open(path)
    owned = [(path, "get", _owned(path)) for path in _OWN]
    for path, method, operation in [*_listings(), *owned]:
        operation["responses"] |= refusals.responses(table.nearest(path), _REFUSED)
        yield path, method, operation


def _open(path: str) -> Json:
    about = "This document." if path == OPENAPI else "Whether the gateway is there."
    responses = {"200": json_response("It is.", {"type": "object"} if path == OPENAPI else _PROBE)}
    if probe(path, {"part": "problem"}, {}).status == 503:
        about = "Whether the gateway is ready, and if not, why."
        responses["503"] = json_response("It is not.", _PROBE)
    return {"summary": about, "security": [], "responses": responses}


def _listings() -> Iterator[tuple[str, str, Json]]:
    for path, listing in LISTINGS.items():
        method = listing.method.lower()
        yield path, method, _listing(path, listing, "")
        if listing.single:
            single = f"{path}/{{model}}"
            yield single, method, _listing(single, listing, _MODEL["id"])


def _listing(path: str, listing: Listing, name: str) -> Json:
    asked = [
        Asked([_MODEL], name, headers, json.dumps({"model": "m"}).encode()) for headers in _ASKED_BY
    ]
    examples = [json.loads(json.dumps(listing.answer(one))) for one in asked]
    shapes = list({repr(example): inferred([example]) for example in examples}.values())
    shape = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    operation: Json = {
        "summary": "What the catalogue has, as this API's vendor tells it.",
        **parameters(path),
        "responses": {"200": json_response("What it has.", shape)},
    }
    if listing.method == "POST":
        schema = {"type": "object", "properties": {"model": {"type": "string"}}}
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _owned(path: str) -> Json:
    summary, answer = _OWN[path]
    return {
        "summary": summary,
        **parameters(path),
        "responses": {"200": json_response(answer, {"type": "object"})},
    }
