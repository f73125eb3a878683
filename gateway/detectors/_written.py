"""A text in the form that terms of a list are compared in, and where in the text each of it stands.

Case, Unicode's ways to write the same character (NFKC and full case folding; Unicode 17, section
3.13) and what stands between words make no difference: white space, hyphens, underscores.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

# A term may be broken by so much between two of its words.
GAP_CHARS = 4
_GAPS = r"\s_\-\u2010-\u2015\u2212"
# With a character goes what combines with it, and with the first part of a Korean syllable that is
# written in pieces its vowel and its last consonant (Unicode 17, section 3.12).
_PIECE = re.compile(
    rf"[{_GAPS}]+|.[\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u1160-\u11ff\u3099\u309a]*", re.DOTALL
)
_GAP = re.compile(f"[{_GAPS}]")
# Thai to Tibetan, Myanmar, Khmer, kana, Han: no spaces between words (Unicode 17, Blocks.txt).
_SPACELESS = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A text as it is compared. spans: the characters [start, end) that each of it comes from."""

    text: str
    spans: list[tuple[int, int]] = field(default_factory=list)

    def find(self, term: str, *, within_words: bool = False) -> Iterator[tuple[int, int]]:
        """Where a term of this form stands in the original, as characters [start, end)."""
        at = self.text.find(term)
        while at >= 0:
            end = at + len(term)
            if within_words or not (self._goes_on(at) or self._goes_on(end)):
                yield self.spans[at][0], self.spans[end - 1][1]
            at = self.text.find(term, at + 1)

    def _goes_on(self, place: int) -> bool:
        """Whether a word has a part on either side of this place."""
        sides = self.text[max(0, place - 1) : place], self.text[place : place + 1]
        return all(side.isalnum() and not _SPACELESS.match(side) for side in sides)


def written(text: str) -> Written:
    """A text in this form. Linear."""
    said: list[str] = []
    spans: list[tuple[int, int]] = []
    for match in _PIECE.finditer(text):
        piece = " " if _GAP.match(match.group()) else _folded(match.group())
        said.append(piece)
        spans += [match.span()] * len(piece)
    return Written("".join(said), spans)


def form(term: str) -> str:
    """The form of a term, without what stands round it."""
    return written(term).text.strip()


def _folded(piece: str) -> str:
    if piece.isascii():
        return piece.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", piece).casefold())
    # A Turkish capital I keeps its dot otherwise, which nobody writes in small letters.
    return _GAP.sub(" ", folded).replace("i\u0307", "i")
