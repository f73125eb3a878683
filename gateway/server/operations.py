"""What an OpenAPI document says of an operation that a dialect serves."""

from __future__ import annotations

import re
import sys
from typing import Any

from gateway.core.apis import Dialect
from gateway.core.message import Direction
from gateway.server.paths import SOCKET, Route

Json = dict[str, Any]

HEADERS = {
    "Gw-Request-Id": "The id of the exchange in the audit log.",
    "Gw-Decision": "What was done with it, and under which policy.",
    "AI-Disclosure": "Whether a machine made the answer, and which.",
}
_JSON = "application/json"
_STEP = re.compile(r"\{(\w+)(?:\.\.\.)?\}")
_BODILESS = ("GET", "DELETE", SOCKET)


def operation(route: Route) -> Json:
    """All but its refusals."""
    told: Json = {
        "tags": [route.dialect.name],
        "summary": _summary(route.dialect),
        **parameters(route.path),
        **(_request(route) if route.method not in _BODILESS else {}),
    }
    return told | {"responses": _answers(route)}


def parameters(path: str) -> Json:
    """What a client puts into the path: identifiers, for paths are not judged."""
    step = {"type": "string", "pattern": "^[A-Za-z0-9._-]+$"}
    named = [
        {"name": name, "in": "path", "required": True, "schema": step}
        for name in _STEP.findall(path)
    ]
    return {"parameters": named} if named else {}


def templated(path: str) -> str:
    """A path as OpenAPI writes it."""
    return _STEP.sub(r"{\1}", path)


def schemas(dialect: Dialect) -> Json:
    """What its bodies look like, by the names under which its operations refer to them."""
    requests = dialect.bodies(Direction.REQUEST)
    found = {_named(dialect, kind): schema for kind, schema in requests.items()}
    return found | {f"{dialect.name}.answer": dialect.bodies(Direction.RESPONSE)[_JSON]}


def _named(dialect: Dialect, kind: str) -> str:
    return f"{dialect.name}.{'request' if kind == _JSON else kind.partition('/')[0]}"


def _ref(name: str) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


def _summary(dialect: Dialect) -> str:
    text = sys.modules[type(dialect).__module__].__doc__ or dialect.operation
    return " ".join(text.partition("\n\n")[0].split())


def _request(route: Route) -> Json:
    kinds = route.dialect.bodies(Direction.REQUEST)
    in_path = set(_STEP.findall(route.path))
    if all(kind.get("properties", {"": {}}).keys() <= in_path for kind in kinds.values()):
        # The path says all there is to say.
        return {}
    content = {kind: _ref(_named(route.dialect, kind)) for kind in kinds}
    return {"requestBody": {"required": all(kinds.values()), "content": content}}


def _answers(route: Route) -> Json:
    if route.method == SOCKET:
        return {"101": {"description": "The session goes on over a WebSocket (RFC 6455)."}}
    content = {
        kind: _ref(f"{route.dialect.name}.answer") if kind == _JSON else {"schema": schema}
        for kind, schema in route.dialect.bodies(Direction.RESPONSE).items()
    }
    head = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
    return {
        "200": {"description": "The upstream's answer.", "headers": head, "content": content},
        "default": {"description": "The upstream's own answer of another status, judged."},
    }
