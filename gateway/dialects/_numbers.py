"""The numbers by which the events of a stream say which of several things they are about."""

from __future__ import annotations

from typing import Any

from gateway.core.errors import UpstreamError


def index_of(thing: Any, name: str = "index") -> int | None:
    """A number as clients take it; None if there is none.

    To JavaScript 1.0 and "1" are the index 1 as well. A negative one, which some languages
    count from the end, is no answer of the API's: raises UpstreamError.
    """
    value = thing.get(name) if isinstance(thing, dict) else None
    if isinstance(value, str) and len(value) < 10 and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int):
        return None
    if value < 0:
        raise UpstreamError("an event of the upstream's stream has a negative index")
    return int(value)


def number_of(thing: Any, name: str = "index") -> int:
    """The same; 0 if there is none."""
    return index_of(thing, name) or 0
