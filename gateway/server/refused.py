"""How an OpenAPI document tells of refusals: by status, in the shape of the caller's dialect."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from gateway.core.apis import Dialect
from gateway.core.judgement import Refusal
from gateway.server.inferred import inferred

# The gateway's own; an upstream's errors keep their status and their shape.
STATUSES = {
    400: "The request cannot be read, or a policy blocks it.",
    401: "The gateway key is missing, unknown, expired or revoked.",
    403: "This may not be asked for.",
    404: "There is no such path, model or thing, or it is another tenant's.",
    405: "This path takes another method, or WebSockets only.",
    413: "The body is larger than this gateway takes.",
    415: "The body has another content type, or is compressed.",
    500: "The gateway failed.",
    502: "The upstream cannot be reached, or its answer cannot be read.",
    503: "The gateway cannot judge or record now, or the upstream failed too often.",
    504: "The upstream did not answer in time.",
}
# What an error's shape is seen from: they differ in which members are null or there.
_EXAMPLES = (
    Refusal("code", "Words.", 404),
    Refusal("model_not_found", "Words.", 404),
    Refusal("code", "Words.", policy="p", rule="r", categories=("C",)),
)


class Refusals:
    """The errors of all dialects. Many share a shape: it is told once, by the first one's name."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        """Asks each for a few of its errors."""
        self.schemas: dict[str, Any] = {}
        self._named: dict[str, str] = {}
        for dialect in dialects:
            shape = error_schema(dialect)
            known = (name for name, schema in self.schemas.items() if schema == shape)
            name = next(known, f"{dialect.name}.error")
            self.schemas[name] = shape
            self._named[dialect.name] = name

    def responses(self, dialect: Dialect, statuses: Collection[int] = STATUSES) -> dict[str, Any]:
        """By status, as an operation of this dialect's tells of them."""
        name = self._named[dialect.name]
        return {str(s): {"$ref": f"#/components/responses/{name}.{s}"} for s in statuses}

    def components(self) -> dict[str, Any]:
        """What these responses refer to."""
        return {
            f"{name}.{status}": json_response(text, {"$ref": f"#/components/schemas/{name}"})
            for name in self.schemas
            for status, text in STATUSES.items()
        }


def error_schema(dialect: Dialect) -> dict[str, Any]:
    """What each refusal in this dialect looks like."""
    return inferred([json.loads(dialect.refuse(one, "id").body) for one in _EXAMPLES])


def json_response(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A response with a JSON body."""
    return {"description": text, "content": {"application/json": {"schema": schema}}}
