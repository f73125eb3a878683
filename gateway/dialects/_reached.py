"""Ids in bodies: where APIs put the names of what they keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def at(value: Any, *path: str) -> Sequence[str]:
    """The strings at a path, without the empty ones; "*" is any item of a list or an object."""
    found = [value]
    for step in path:
        if step == "*":
            found = [item for each in found for item in _items(each)]
        else:
            found = [each[step] for each in found if isinstance(each, dict) and step in each]
        if not found:
            return ()
    return [each for each in found if isinstance(each, str) and each]


def anywhere(value: Any, *paths: tuple[str, ...]) -> tuple[str, ...]:
    """The same for several paths, each id once."""
    return tuple(dict.fromkeys(found for path in paths for found in at(value, *path)))


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else ()
