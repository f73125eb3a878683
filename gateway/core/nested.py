"""Texts inside a JSON value: every string and every key, wherever it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from gateway.core.embedded import BASE64, data_text
from gateway.core.message import Kind, Part
from gateway.core.splice import escape

MAX_DEPTH = 64
MAX_PATH_CHARS = 4_096
MAX_TEXTS = 10_000


def nested_parts(path: str, text: str, *, role: str, kind: Kind) -> list[Part]:
    """The parts of a string that should hold JSON, such as tool arguments.

    Paths continue after "!" (see `Part.path`). Text that is not JSON, or that two parsers
    could read differently, is one part as it stands.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return [Part(path, text, role, kind)]
    if not isinstance(value, dict | list):
        return [Part(path, text, role, kind)]
    try:
        inner = list(islice(texts(value), MAX_TEXTS + 1))
    except RecursionError:
        return [Part(path, text, role, kind)]
    if len(inner) > MAX_TEXTS:
        return [Part(path, text, role, kind)]
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
    elif isinstance(value, dict):
        for key, item in value.items():
            at = f"{path}/{escape(key)}"
            if key:
                yield f"{at}~", _encodable(key)
            yield from texts(item, at, depth + 1)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from texts(item, f"{path}/{i}", depth + 1)


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key twice")
    return value
