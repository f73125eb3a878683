"""The shape of an event: its bytes, with a pattern in the place of each string and number.

Upstreams write all events of a kind in one shape. It is compiled once, for all streams.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from gateway.core.splice import values
from gateway.dialects._sse import Event

# One for each kind of event of each upstream; the longer it is, the longer to compile.
_SHAPES = 256
# Of the shapes that events with the same free values had, the last ones are tried again.
_TRIED = 4
MAX_BYTES = 4_096


class Value(NamedTuple):
    """What the JSON text of a value looks like. name: under which a match tells it, if any."""

    pattern: bytes
    name: str = ""


# Values that tell nothing.
NUMBER = Value(rb"(?:0|[1-9]\d{0,14})(?=[,}\]])")
PADDING = Value(rb'""|"(?=\d*[A-Za-z])[A-Za-z0-9]{1,128}"')
TIME = Value(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"')
# A string that is not empty. Possessive, as those below: what does not match fails at once.
SAID = Value(rb'"(?!")[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"', "said")
_STRING = Value(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_DIGITS = Value(rb"-?[0-9][-+.0-9Ee]*+")


class Shape(NamedTuple):
    """match: finds an event of this shape. fixed: the groups of values that are not free.

    said: the group of what was `SAID`; 0 if nothing was.
    """

    match: Callable[[bytes], re.Match[bytes] | None]
    fixed: tuple[int, ...]
    said: int


def shape_of(event: Event, free: Mapping[str, Value]) -> Shape:
    """The shape of an event, which has less than `MAX_BYTES` besides the values named in it.

    free: by path (see `Part.path`), values that may differ if they look like this.
    """
    known = _known(frozenset(free.items()))
    for shape in known:
        # All its keys stand where they stood, and between them values of the same kinds.
        if shape.match(event.raw):
            return shape
    shape, all_free = _made(event, free)
    if all_free:
        known.insert(0, shape)
        del known[_TRIED:]
    return shape


@lru_cache(maxsize=_SHAPES)
def _known(free: frozenset[tuple[str, Value]]) -> list[Shape]:
    """The last shapes of events with these free values, for all streams."""
    return []


def _made(event: Event, free: Mapping[str, Value]) -> tuple[Shape, bool]:
    """The shape, and whether all values that may differ look as they should."""
    raw, done, all_free = event.raw, event.start, True
    pattern = [b"(", re.escape(raw[:done]), b")"]
    groups, fixed = 1, [1]
    # One character a byte, so that positions are the same.
    for path, first, last in values(event.data.decode("latin-1")):
        start, end = event.start + first, event.start + last
        usual = _usual(raw, start)
        if usual is None or path.endswith("~"):
            continue
        groups += 1
        value = free.get(path)
        if value is None or not _compiled(value.pattern).match(raw, start):
            all_free = all_free and value is None
            value = usual
            fixed.append(groups)
        pattern += (re.escape(raw[done:start]), _group(value))
        done = end
    pattern.append(re.escape(raw[done:]))
    compiled = _compiled(b"".join(pattern))
    said = compiled.groupindex.get(SAID.name, 0)
    return Shape(compiled.fullmatch, tuple(fixed), said), all_free


def _usual(raw: bytes, start: int) -> Value | None:
    """What a value that begins here looks like; None if it is neither a string nor a number."""
    if raw.startswith(b'"', start):
        return _STRING
    return _DIGITS if raw[start : start + 2].lstrip(b"-")[:1].isdigit() else None


def _group(value: Value) -> bytes:
    name = b"?P<%s>" % value.name.encode() if value.name else b""
    return b"(%s%s)" % (name, value.pattern)


@lru_cache(maxsize=_SHAPES)
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)
