"""Strict JSON: what two parsers could read differently is not read at all.

A duplicate key, a lone surrogate or a NaN means one thing to one parser and another to
the next; a scanner that reads the other value is bypassed. Such bodies are refused.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gateway.core.errors import Unreadable

MAX_DEPTH = 64

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


# A string, and the colon behind it if it is a name. It never gives back, so it is linear.
_NAME = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"\s*+(:?)', re.DOTALL)

_NESTING = (dict, list)


def parse(body: bytes) -> Any:
    """The value of a JSON body. Raises Unreadable with a reason the caller can act on."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as err:
        raise Unreadable(f"The body is not UTF-8 (byte {err.start}).") from err
    if text.startswith("\ufeff"):
        raise Unreadable("The body starts with a byte order mark; send JSON without one.")
    try:
        value = _STRICT.decode(text)
        _check_depth(value, MAX_DEPTH)
        if _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except Unreadable:
        raise
    except json.JSONDecodeError as err:
        raise Unreadable(
            f"The body is not valid JSON: {err.msg} (line {err.lineno}, column {err.colno})."
        ) from err
    except UnicodeEncodeError as err:
        raise Unreadable("A string holds half of a surrogate pair.") from err
    except RecursionError as err:
        raise Unreadable(f"The body is nested deeper than {MAX_DEPTH} levels.") from err
    except ValueError as err:
        raise Unreadable("A number in the body is too long to be read.") from err
    return value


def parse_object(body: bytes) -> dict[str, Any]:
    """As `parse`, and the body must be a JSON object."""
    value = parse(body)
    if not isinstance(value, dict):
        raise Unreadable("The body must be a JSON object.")
    return value


def names(text: bytes) -> list[bytes]:
    """The name of each member of each object in a valid JSON text, as it is written there."""
    return [name for name, colon in _NAME.findall(text) if colon]


def names_twice(text: bytes, value: Any) -> bool:
    """Whether an object in this valid JSON text, whose value this is, names a member twice."""
    count = _count(value)
    # No more colons behind quotes than names: nothing can stand twice. Most texts are so.
    spaced = b" :" in text or b"\t:" in text or b"\n:" in text or b"\r:" in text
    few = not spaced and text.count(b'":') == count
    return not few and len(names(text)) != count


def _count(value: Any) -> int:
    """How many members all objects in a value have."""
    count, left = 0, [value]
    while left:
        inner = left.pop()
        if isinstance(inner, dict):
            count += len(inner)
            left += [item for item in inner.values() if isinstance(item, _NESTING)]
        elif isinstance(inner, list):
            left += [item for item in inner if isinstance(item, _NESTING)]
    return count


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Unreadable("An object in the body names the same key twice.")
    return value


def _no_constants(name: str) -> Any:
    raise Unreadable(f"The body holds {name}, which is not JSON.")


def _check_depth(value: Any, left: int) -> None:
    if left < 0:
        raise Unreadable(f"The body is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, _NESTING):
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, _NESTING):
                _check_depth(item, left - 1)


_STRICT = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constants)
