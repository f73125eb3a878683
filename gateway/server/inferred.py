"""JSON Schemas (2020-12) that examples give rise to: what all of them have is a must."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}


def inferred(examples: Sequence[Any]) -> dict[str, Any]:
    """The narrowest schema that all of these JSON values fulfil; other members may be there.

    Values of their members are told by type alone. No example: anything.
    """
    if not examples:
        return {}
    named = list(dict.fromkeys(_TYPES[type(example)] for example in examples))
    schema: dict[str, Any] = {"type": named[0] if len(named) == 1 else named}
    objects = [example for example in examples if isinstance(example, dict)]
    if objects:
        names = list(dict.fromkeys(name for value in objects for name in value))
        schema["required"] = [name for name in names if all(name in value for value in objects)]
        schema["properties"] = {
            name: inferred([value[name] for value in objects if name in value]) for name in names
        }
    items = [item for example in examples if isinstance(example, list) for item in example]
    if items:
        schema["items"] = inferred(items)
    return schema
