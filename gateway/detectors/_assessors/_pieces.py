"""Texts longer than an assessor takes at once, cut into pieces that overlap a little."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.detectors._assessors._method import Claim, Unclear

# So much stands in two pieces, so that what would be cut in two is whole in one of them.
OVERLAP_CHARS = 400
MAX_PIECES = 64
_SPACE = re.compile(r"\s")


def pieces(text: str, max_chars: int) -> list[tuple[int, str]]:
    """(where it starts, piece) in order. Raises Unclear for a text that is far too long."""
    if len(text) <= max_chars:
        return [(0, text)]
    found = []
    start = 0
    while start + max_chars < len(text):
        end = _end(text, start + max_chars)
        found.append((start, text[start:end]))
        start = end - min(OVERLAP_CHARS, max_chars // 4)
        if len(found) >= MAX_PIECES:
            raise Unclear("too_long")
    found.append((start, text[start:]))
    return found


def joined(parts: Sequence[tuple[int, Sequence[Claim]]]) -> tuple[Claim, ...]:
    """The claims about all pieces, at their places in the whole text, each once."""
    found: dict[tuple[str, int, int], Claim] = {}
    for start, claims in parts:
        for claim in claims:
            place = (claim.category, claim.start + start, claim.end + start)
            if place not in found or found[place].score < claim.score:
                found[place] = Claim(*place, claim.score)
    return tuple(found.values())


def _end(text: str, limit: int) -> int:
    """The last white space shortly before `limit`, else `limit` itself."""
    spaces = [match.end() for match in _SPACE.finditer(text, limit - 80, limit)]
    return spaces[-1] if spaces else limit
