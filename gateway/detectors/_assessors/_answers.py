"""Answers in JSON, read strictly: what two parsers could read differently is no answer."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from gateway.core.errors import Unreadable
from gateway.core.jsontext import parse
from gateway.detectors._assessors._method import Unclear

T = TypeVar("T")


def read(body: bytes, kind: type[T] | Any) -> T:
    """The body as this type. Raises Unclear, which tells nothing of it."""
    try:
        found: T = msgspec.convert(parse(body), kind)
    except (Unreadable, msgspec.ValidationError, OverflowError):
        # Without the first cause: its message may quote the answer.
        raise Unclear("not_its_schema") from None
    return found
