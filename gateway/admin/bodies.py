"""What is sent to the admin app: JSON and forms, of bounded size, in characters that can be kept.

An act is on record before it is carried out, so what a database would refuse is refused here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

# PostgreSQL keeps no U+0000, and halves of surrogate pairs are no UTF-8.
_UNKEPT = re.compile(r"[\x00\ud800-\udfff]")


async def sent(request: Request, limit: int) -> bytes:
    """The body of a request. Raises HTTPException 413."""
    size = request.headers.get("content-length", "0")
    if not size.isdigit() or int(size) > limit:
        raise HTTPException(413, f"This is too large: expected at most {limit:,} bytes.")
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > limit:
            raise HTTPException(413, f"This is too large: expected at most {limit:,} bytes.")
    return bytes(found)


async def json_object(request: Request, limit: int) -> dict[str, Any]:
    """The JSON object of a request; an empty one if nothing is sent. Raises HTTPException."""
    data = await sent(request, limit)
    try:
        value = json.loads(data or b"{}")
    except (ValueError, RecursionError) as err:
        raise HTTPException(400, "Expected a JSON object.") from err
    if not isinstance(value, dict):
        raise HTTPException(400, "Expected a JSON object.")
    for text in _texts(value):
        _keepable(text)
    return value


async def form(request: Request, limit: int, *, fields: int = 100) -> dict[str, str]:
    """The first value of each field of a form. Raises HTTPException."""
    text = (await sent(request, limit)).decode("utf-8", "replace")
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=fields)
    except ValueError as err:
        raise HTTPException(413, f"This form is too large: at most {fields:,} fields.") from err
    values = {name: each[0] for name, each in found.items()}
    for value in values.values():
        _keepable(value)
    return values


def _texts(value: object) -> Iterator[str]:
    """All texts in some JSON, names of members too, in any order."""
    left = [value]
    while left:
        match left.pop():
            case str(text):
                yield text
            case dict(members):
                left += [*members.keys(), *members.values()]
            case list(items):
                left += items


def _keepable(text: str) -> None:
    if _UNKEPT.search(text):
        raise HTTPException(400, "Expected texts without U+0000 and halves of surrogate pairs.")
