"""One spelling for each value, so that a digest means something."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    r"""JSON text with sorted keys, no spaces and ASCII only.

    value: dicts with string keys, lists, strings, integers, booleans, None. Floats are
    refused, for their spelling differs between languages: scores are per-mille integers.
    For such values this is RFC 8785 but for the \u escapes of non-ASCII characters.
    Raises TypeError on anything else.
    """
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(value: Any) -> str:
    """SHA-256 of the canonical text, as 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def _check(value: Any) -> None:
    if value is None or isinstance(value, str | bool | int):
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"canonical: keys are strings, not {type(key).__name__}")
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    else:
        raise TypeError(f"canonical: no canonical spelling for {type(value).__name__}")
