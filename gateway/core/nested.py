"""Texts inside a JSON value: every string and every key, wherever it stands."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from gateway.core.embedded import BASE64, data_text
from gateway.core.message import Kind, Part
from gateway.core.splice import step

MAX_DEPTH = 64
MAX_PATH_CHARS = 4_096
MAX_TEXTS = 10_000


def nested_parts(path: str, text: str, *, role: str, kind: Kind) -> list[Part]:
    """The parts of a string that should hold JSON, such as tool arguments.

    Paths continue after "!" (see `Part.path`). Text that is not JSON is one part as it stands.
    What stands under a name twice is all there, for parsers differ in which of it they take.
    Raises RecursionError if it is nested deeper than `MAX_DEPTH`, or holds more than `MAX_TEXTS`:
    read as it stands, it could hide things behind escapes.
    """
    try:
        # A number is no text, and a long one must not be a reason to give up.
        value = json.loads(text, object_pairs_hook=_all, parse_int=len)
    except ValueError:
        return [Part(path, text, role, kind)]
    if not isinstance(value, dict | list):
        return [Part(path, text, role, kind)]
    inner = list(islice(texts(value), MAX_TEXTS + 1))
    if len(inner) > MAX_TEXTS:
        raise RecursionError
    return [_part(f"{path}!{at}", found, role, kind) for at, found in inner]


def _part(path: str, text: str, role: str, kind: Kind) -> Part:
    inner = None if path.endswith("~") else data_text(text)
    return Part(f"{path}!{BASE64}", inner, role, kind) if inner else Part(path, text, role, kind)


def texts(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(path, text) of every string and every key in a JSON value; empty ones are left out.

    Half a surrogate pair, which no encoding can carry, becomes a question mark.
    """
    if depth > MAX_DEPTH or len(path) > MAX_PATH_CHARS:
        raise RecursionError
    if isinstance(value, str):
        if value:
            yield path, _encodable(value)
    elif isinstance(value, dict | _Pairs):
        for name, key, item in _members(value):
            at = f"{path}/{name}"
            if key:
                yield f"{at}~", _encodable(key)
            yield from texts(item, at, depth + 1)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from texts(item, f"{path}/{i}", depth + 1)


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


class _Pairs(list[tuple[str, Any]]):
    """The members of an object in which a name stands twice."""


def _all(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Pairs:
    value = dict(pairs)
    return value if len(value) == len(pairs) else _Pairs(pairs)


def _members(value: dict[str, Any] | _Pairs) -> Iterator[tuple[str, str, Any]]:
    """(step of the path, name, value) of each member."""
    if isinstance(value, dict):
        yield from ((step(key), key, item) for key, item in value.items())
        return
    named: Counter[str] = Counter()
    for key, item in value:
        yield step(key, named[key]), key, item
        named[key] += 1
