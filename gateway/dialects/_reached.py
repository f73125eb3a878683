"""Ids in bodies: where APIs put the names of what they keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def at(value: Any, *path: str) -> Iterator[str]:
    """The strings at a path, without the empty ones; "*" is any item of a list or an object."""
    if not path:
        if isinstance(value, str) and value:
            yield value
        return
    first, *rest = path
    if first == "*":
        items = value.values() if isinstance(value, dict) else value
        for item in items if isinstance(value, dict | list) else ():
            yield from at(item, *rest)
    elif isinstance(value, dict) and first in value:
        yield from at(value[first], *rest)


def anywhere(value: Any, *paths: tuple[str, ...]) -> tuple[str, ...]:
    """The same for several paths, each id once."""
    return tuple(dict.fromkeys(found for path in paths for found in at(value, *path)))
