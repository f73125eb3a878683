"""A text as it comes, piece by piece: the shingles that each piece adds to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.detectors._verbatim.shingles import WORDS, shingles
from gateway.detectors._verbatim.words import Span, Words, finished, words

_OVERLAP = WORDS - 1


class Piece(NamedTuple):
    """The words that a piece of text adds, behind the last `known` of those before it.

    sizes: as in `Words`. shingles: of all these words, by place. span: where in the whole text
    the word at a place stands.
    """

    known: int
    sizes: Sequence[int]
    shingles: Sequence[str]
    span: Callable[[int], Span]


class Reader:
    """Reads one text. What it says depends on the text and where it is cut alone."""

    def __init__(self) -> None:
        self._chars = 0
        self._tail = ""
        self._said: list[str] = []
        self._sizes: list[int] = []
        # Where to ask where the last words stand: words, place, characters before them.
        self._where: list[tuple[Words, int, int]] = []

    def feed(self, text: str, *, final: bool) -> Piece:
        """Takes what comes next. final: the text ends with it; else a last word may go on."""
        text = self._tail + text
        found = words(text)
        end = len(text) if final else finished(text, found)
        self._tail = text[end:]
        if self._tail:
            found.drop(end)
        piece = self._add(found, self._chars)
        self._chars += end
        return piece

    def fork(self) -> Reader:
        """The same, to go on in another way."""
        other = Reader()
        other._chars, other._tail = self._chars, self._tail
        other._said, other._sizes, other._where = self._said, self._sizes, self._where
        return other

    def _add(self, found: Words, chars: int) -> Piece:
        where, known = self._where, len(self._where)

        def span(place: int) -> Span:
            inside, at, first = where[place] if place < known else (found, place - known, chars)
            start, end = inside.span(at)
            return start + first, end + first

        said, sizes = self._said + found.said, self._sizes + found.sizes
        count = len(found.said)
        new = [(found, at, chars) for at in range(max(0, count - _OVERLAP), count)]
        self._where = (where + new)[-_OVERLAP:]
        self._said, self._sizes = said[-_OVERLAP:], sizes[-_OVERLAP:]
        return Piece(known, sizes, shingles(said), span)
