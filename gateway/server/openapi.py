"""The OpenAPI 3.1 document of what clients are served, made from what serves it.

Paths, methods and members are the dialects'; what errors and listings look like is taken from
an error and a listing. It tells nothing of a catalogue or of settings, so it needs no key.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gateway import __version__
from gateway.server.credentials import KEY_HEADERS, KEY_QUERY
from gateway.server.operations import HEADERS, operation, schemas, templated
from gateway.server.own_operations import own_operations
from gateway.server.paths import SOCKET, Table
from gateway.server.refused import Refusals

Json = dict[str, Any]

_ABOUT = (
    "Bodies are those of the vendors' own APIs, of which only the outline is told here. Whatever "
    "else a body holds is judged and passed on: 'gateway coverage' lists the fields. Paths may be "
    "written in upper or lower case."
)
# A client puts the gateway's key where its vendor's goes: any place will do at any path.
_SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer"},
    **{name: {"type": "apiKey", "in": "header", "name": name} for name in KEY_HEADERS},
    KEY_QUERY: {"type": "apiKey", "in": "query", "name": KEY_QUERY},
}


def page(table: Table) -> bytes:
    """The document as it is served."""
    return json.dumps(document(table), ensure_ascii=False, separators=(",", ":")).encode()


def document(table: Table) -> Json:
    """The document: every path of the table, and the gateway's own."""
    refusals = Refusals(route.dialect for route in table.routes())
    told: dict[str, Json] = {}
    shapes = dict(refusals.schemas)
    for route in table.routes():
        one = operation(route)
        one["responses"] |= refusals.responses(route.dialect)
        if aliases := table.aliases(route):
            one["x-aliases"] = [templated(path) for path in aliases]
        if route.method == SOCKET:
            one["x-websocket"] = True
        shapes |= schemas(route.dialect)
        method = "get" if route.method == SOCKET else route.method.lower()
        _tell(told, templated(route.path), method, one)
    for path, method, one in own_operations(table, refusals):
        _tell(told, path, method, one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Responsible-use gateway",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in _SCHEMES],
        "paths": told,
        "components": {
            "schemas": shapes,
            "responses": refusals.components(),
            "headers": {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in HEADERS.items()
            },
            "securitySchemes": _SCHEMES,
        },
    }


def _tell(told: dict[str, Json], path: str, method: str, one: Json) -> None:
    name = "_".join([method, *re.findall(r"\w+", path)])
    told.setdefault(path, {})[method] = {"operationId": name, **one}
