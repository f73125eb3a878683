"""The words of JSON Schema (draft 2020-12) that schemas of our files are written in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
SCORE = {"type": "number", "minimum": 0, "maximum": 1}
COUNT = {"type": "integer", "minimum": 0}
TRUTH = {"type": "boolean"}


def mapping(properties: dict[str, Any], required: Collection[str] = ()) -> dict[str, Any]:
    """A mapping with these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def one_of(names: Iterable[object]) -> dict[str, Any]:
    """One of these names, or of other plain values."""
    return {"enum": list(names)}


def some_of(names: Iterable[str]) -> dict[str, Any]:
    """A list of these names, with one at least."""
    return {"type": "array", "items": one_of(names), "minItems": 1}


def written(pattern: str) -> dict[str, Any]:
    """A text that is of this form from its beginning to its end."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}
