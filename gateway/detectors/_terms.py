"""Triggers for terms of a list: patterns that match wherever a term is written, in folded text.

A trigger ends where its term ends, for a term of several words may be broken by the end of a
segment: it is then found in the segment in which it ends.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from re import _parser as parser  # type: ignore[attr-defined]

from gateway.core.ports import Trigger
from gateway.detectors._fold import fold
from gateway.detectors._written import GAP_CHARS

# Of so many characters at least: shorter ones would fire everywhere.
MIN_CHARS = 4
# Typographers' letters for several (Unicode 17, Alphabetic Presentation Forms), the sharp s, and a
# Turkish capital I with its dot apart.
_SPECIAL = {
    "ffi": r"(?:ffi|\?i|f\?|\?)\??",
    "ffl": r"(?:ffl|\?l|f\?|\?)",
    "ff": r"(?:ff|\?)",
    "fi": r"(?:fi|\?)\??",
    "fl": r"(?:fl|\?)",
    "i": r"i\??",
}
_PIECE = re.compile("|".join(("s{2,}", *_SPECIAL, ".")), re.DOTALL)
_GAP = rf"[\t-\r\x1c- _?\-]{{1,{GAP_CHARS}}}"


def trigger_of(term: str) -> Trigger:
    """The trigger of a term in the form of `_written`; its hint is what terms alike share.

    Its last words are enough, and most often the last one: of patterns with a gap in them
    hyperscan compiles a thousand in minutes, of plain words in a tenth of a second.
    """
    words = term.split(" ")
    first = next((i for i in range(len(words) - 1, 0, -1) if _chars(words[i:]) >= MIN_CHARS), 0)
    last = " ".join(words[first:])
    reach_chars = int(parser.parse(_pattern(term)).getwidth()[1])
    return Trigger(last, _pattern(last), reach_chars, ignore_case=True)


def _chars(words: Sequence[str]) -> int:
    return sum(map(len, words))


def _pattern(term: str) -> str:
    return "".join(map(_of_piece, _PIECE.findall(term)))


def _of_piece(piece: str) -> str:
    if piece in _SPECIAL:
        return _SPECIAL[piece]
    if piece.startswith("ss"):
        return rf"[s?]{{{(len(piece) + 1) // 2},{len(piece)}}}"
    if piece == " ":
        return _GAP
    if piece.isascii():
        return re.escape(piece)
    return _beyond(piece)


def _beyond(char: str) -> str:
    """One character beyond ASCII: whole, or as what it is composed of."""
    cases = {char, *(case for case in (char.upper(), char.title()) if len(case) == 1)}
    folded = "".join(sorted({fold(case).decode("ascii") for case in cases} | {"?"}))
    whole = f"[{re.escape(folded)}]"
    parts = unicodedata.normalize("NFD", char)
    if len(parts) == 1:
        return whole
    first = re.escape(parts[0]) if parts[0].isascii() else whole
    return rf"(?:{first}\?{{{len(parts) - 1}}}|{whole})"
