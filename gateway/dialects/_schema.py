"""A declaration as a JSON Schema (2020-12) that every body it stands for fulfils.

A dialect reads members of any type and members it does not know, so little is said of a body:
the names of its members, and what those are that it cannot do without. `_manifest` says more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gateway.dialects._fields import Field

_TYPES: Mapping[type, str] = {list: "array", str: "string", dict: "object"}
_OPAQUE = "Opaque: not read."


def request_schema(spec: Field, needs: Mapping[str, Collection[type]]) -> dict[str, Any]:
    """Of a request. needs: the members it must have, and of which types."""
    members = {name: _member(field) for name, field in spec.fields.items()}
    for name, kinds in needs.items():
        named = [_TYPES[kind] for kind in kinds]
        members.setdefault(name, {})["type"] = named[0] if len(named) == 1 else named
    if "model" in needs:
        members["model"]["minLength"] = 1
    return {"type": "object", "required": sorted(needs), "properties": members}


def form_schema(schema: Mapping[str, Any], files: Collection[str]) -> dict[str, Any]:
    """Of a form that holds the same members: all of them come as text, or as files."""
    members = {
        name: {**member, "type": "string", **({"format": "binary"} if name in files else {})}
        for name, member in schema["properties"].items()
    }
    return {**schema, "properties": members}


def answer_schema(spec: Field) -> dict[str, Any]:
    """Of an answer: upstreams are not told what to say, so nothing is a must."""
    return {"properties": {name: _member(field) for name, field in spec.fields.items()}}


def _member(spec: Field) -> dict[str, Any]:
    if spec.plain:
        return {"description": f"{spec.plain[:1].upper()}{spec.plain[1:]}."}
    return {"description": _OPAQUE} if spec.media else {}
