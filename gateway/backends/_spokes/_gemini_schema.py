"""Google's own schemas as JSON Schema: their words are in capitals, and some are not its words.

https://ai.google.dev/api/caching#Schema (2026): a subset of OpenAPI 3.0's.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.backends._spokes._shape import untranslatable

_LATER = re.compile(r"_([a-z])")
_SAME = (
    "title", "description", "enum", "format", "required", "default", "pattern", "minimum",
    "maximum", "example",
)  # fmt: skip
# Protocol buffers write whole numbers of 64 bits as strings.
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_MAX_DEPTH = 64


def plain(value: Any, depth: int = 0) -> dict[str, Any]:
    """A schema of Google's as one of JSON Schema. Raises Refused for a word that is not known."""
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        raise untranslatable("A schema")
    made: dict[str, Any] = {}
    for spelt, member in value.items():
        key = _LATER.sub(lambda found: found[1].upper(), spelt)
        # The order of properties says nothing about which answers fit.
        if member is not None and key not in ("nullable", "propertyOrdering"):
            made[key] = _member(key, member, depth + 1)
    if value.get("nullable") is True:
        made = {"anyOf": [made, {"type": "null"}]}
    return made


def _member(key: str, member: Any, depth: int) -> Any:
    if key in _SAME:
        return member
    if key in _COUNTS:
        return int(member) if isinstance(member, str) and member.isdecimal() else member
    if key == "type" and isinstance(member, str):
        return member.lower()
    if key == "items":
        return plain(member, depth)
    if key == "anyOf" and isinstance(member, list):
        return [plain(option, depth) for option in member]
    if key == "properties" and isinstance(member, dict):
        return {name: plain(inner, depth) for name, inner in member.items()}
    raise untranslatable("A schema with a word that is not known")
