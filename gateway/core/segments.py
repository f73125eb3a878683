"""Where a text is cut to be judged.

The ends depend on the text alone, never on how it arrived: cutting any prefix gives the
same ends as far as they are decided. So a streamed answer is judged in the same pieces
as the same answer sent at once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

MIN_CHARS = 40
SOFT_CHARS = 240
HARD_CHARS = 1_000
MAX_CHARS = 16_384
# A private key of 16,384 bits takes 13 kB, an OpenPGP key with its signatures several times that.
ARMOR_CHARS = 65_536

# A line break, or a mark, what closes behind it, and a space; one class first, which is
# what `re` looks for fast.
_STOP = re.compile(r"[\n.!?。！？](?:(?<=\n)|[\"')\]»”]*\s)")
# Not between digits or marks that hold a number, date or address together.
_SPACE = re.compile(r"(?<![\d+\-().,:;/@#=])\s(?=[^\s\d+\-().,:;/@#=])")
_ANY_SPACE = re.compile(r"\s")
_NEVER = (sys.maxsize, sys.maxsize)
_ARMOR = "-----BEGIN "
_ARMOR_END = re.compile(r"-----END [A-Z0-9 ]{1,40}-----")


def cut(text: str, start: int = 0, *, final: bool) -> list[int]:
    """Ends of the segments of text[start:], each the start of the next.

    start: where a segment starts: 0 or an end that an earlier call gave.
    final: whether the text is complete; then the last end is len(text). Otherwise the
    text after the last end is still undecided.
    """
    ends: list[int] = []
    length = len(text)
    stops = _stops(text, start + MIN_CHARS)
    begin, stop = next(stops, _NEVER)
    armor = text.find(_ARMOR, start)
    while start < length:
        while begin < start + MIN_CHARS:
            begin, stop = next(stops, _NEVER)
        end = stop if stop <= start + SOFT_CHARS else _far_end(text, start, stop)
        if 0 <= armor < start:
            armor = text.find(_ARMOR, start)
        if armor >= 0 and armor + len(_ARMOR) <= (length if end is None else end):
            end = _armor_end(text, armor)
        if end is None:
            if not final:
                break
            end = length
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


def _stops(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where sentences and lines end: the last place that a look for it may begin, and its end."""
    for match in _STOP.finditer(text, start):
        begin, end = match.span()
        # A line break ends a line by itself, whatever sentence it ends, too.
        yield (end - 1 if text[end - 1] == "\n" else begin), end


def _far_end(text: str, start: int, stop: int) -> int | None:
    """The end of a segment in which nothing stops soon; None if it is not decided yet."""
    length = len(text) - start
    if length > SOFT_CHARS:
        space = _SPACE.search(text, start + SOFT_CHARS, start + HARD_CHARS)
        ends = [stop] if stop <= start + HARD_CHARS else []
        ends += [space.end()] if space else []
        if ends:
            return min(ends)
    if length > HARD_CHARS:
        space = _ANY_SPACE.search(text, start + HARD_CHARS, start + MAX_CHARS)
        if space:
            return space.end()
    return start + MAX_CHARS if length >= MAX_CHARS else None


def _armor_end(text: str, armor: int) -> int | None:
    limit = armor + ARMOR_CHARS
    match = _ARMOR_END.search(text, armor, limit)
    if match:
        return match.end()
    return limit if len(text) >= limit else None
