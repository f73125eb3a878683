"""Where a text is cut to be judged.

The ends depend on the text alone, never on how it arrived: cutting any prefix gives the
same ends as far as they are decided. So a streamed answer is judged in the same pieces
as the same answer sent at once.
"""

from __future__ import annotations

import re

MIN_CHARS = 40
SOFT_CHARS = 240
HARD_CHARS = 1_000
MAX_CHARS = 16_384
# A private key of 16,384 bits takes 13 kB, an OpenPGP key with its signatures several times that.
ARMOR_CHARS = 65_536

_STOP = re.compile(r"\n|[.!?。！？][\"')\]»”]*\s")
# Not between digits or marks that hold a number, date or address together.
_SPACE = re.compile(r"(?<![\d+\-().,:;/@#=])\s(?=[^\s\d+\-().,:;/@#=])")
_ANY_SPACE = re.compile(r"\s")
_ARMOR = "-----BEGIN "
_ARMOR_END = re.compile(r"-----END [A-Z0-9 ]{1,40}-----")


def cut(text: str, start: int = 0, *, final: bool) -> list[int]:
    """Ends of the segments of text[start:], each the start of the next.

    start: where a segment starts: 0 or an end that an earlier call gave.
    final: whether the text is complete; then the last end is len(text). Otherwise the
    text after the last end is still undecided.
    """
    ends: list[int] = []
    while start < len(text):
        end = _end(text, start, final=final)
        if end is None:
            break
        ends.append(end)
        start = end
    return ends


def stretches(text: str, start: int = 0, *, final: bool) -> list[int]:
    """Ends of segments that leave at least SOFT_CHARS between them, but for the last one's.

    For what costs by the call rather than by the character. start, final: as for `cut`.
    """
    ends: list[int] = []
    for end in cut(text, start, final=final):
        if end - start >= SOFT_CHARS or (final and end == len(text)):
            ends.append(end)
            start = end
    return ends


def _end(text: str, start: int, *, final: bool) -> int | None:
    end = _plain_end(text, start)
    armor = text.find(_ARMOR, start, end if end is not None else len(text))
    if armor >= 0:
        limit = armor + ARMOR_CHARS
        match = _ARMOR_END.search(text, armor, limit)
        if match:
            return match.end()
        end = limit if len(text) >= limit else None
    if end is None and final:
        return len(text)
    return end


def _plain_end(text: str, start: int) -> int | None:
    length = len(text) - start
    if length <= MIN_CHARS:
        return None
    stop = _STOP.search(text, start + MIN_CHARS, start + HARD_CHARS)
    if stop and stop.end() <= start + SOFT_CHARS:
        return stop.end()
    if length > SOFT_CHARS:
        space = _SPACE.search(text, start + SOFT_CHARS, start + HARD_CHARS)
        ends = [m.end() for m in (stop, space) if m]
        if ends:
            return min(ends)
    if length > HARD_CHARS:
        space = _ANY_SPACE.search(text, start + HARD_CHARS, start + MAX_CHARS)
        if space:
            return space.end()
    return start + MAX_CHARS if length >= MAX_CHARS else None
