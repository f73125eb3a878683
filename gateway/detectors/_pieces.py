"""Text as pieces of words, numbered: what the encoder (`_encoder`) reads.

A unigram model (Kudo, 2018, arXiv 1804.10959): each piece has a score, its logarithmic
probability, and a word is cut so that its pieces' scores add up to the most. Unicode's
compatibility forms are one; white space is a mark at the head of a word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

# Stands for the space before a word, as SentencePiece has it.
SPACE = "\u2581"
# A character that no piece has costs so much more than the rarest piece.
_STRANGE = 10.0
_LONGEST_PIECE = 16
# A word beyond this is cut there first: the work for a word is bounded.
_LONGEST_WORD = 64
_REMEMBERED = 20_000


class Pieces:
    """The vocabulary: pieces by number. unknown: the number of what is none of them."""

    def __init__(self, pieces: Sequence[str], scores: Sequence[float], *, unknown: int) -> None:
        self._scores: Mapping[str, tuple[int, float]] = {
            piece: (number, float(score))
            for number, (piece, score) in enumerate(zip(pieces, scores, strict=True))
        }
        self._unknown = unknown
        self._strange = min(map(float, scores), default=0.0) - _STRANGE
        self._word = lru_cache(_REMEMBERED)(self._cut)

    def numbers(self, text: str, most: int) -> list[int]:
        """The pieces of a text, the first `most` of them."""
        out: list[int] = []
        for word in unicodedata.normalize("NFKC", text).split():
            out += self._word(SPACE + word[:_LONGEST_WORD])
            for start in range(_LONGEST_WORD, len(word), _LONGEST_WORD):
                out += self._word(word[start : start + _LONGEST_WORD])
            if len(out) >= most:
                return out[:most]
        return out

    def _cut(self, word: str) -> list[int]:
        """The likeliest pieces of a word, by Viterbi's algorithm."""
        known = self._scores
        best = [0.0] + [-1e30] * len(word)
        ways: list[tuple[int, int]] = [(0, self._unknown)] * (len(word) + 1)
        for start in range(len(word)):
            so_far = best[start]
            if so_far + self._strange > best[start + 1]:
                best[start + 1] = so_far + self._strange
                ways[start + 1] = (start, self._unknown)
            for end in range(start + 1, min(len(word), start + _LONGEST_PIECE) + 1):
                found = known.get(word[start:end])
                if found is not None and so_far + found[1] > best[end]:
                    best[end] = so_far + found[1]
                    ways[end] = (start, found[0])
        out = []
        at = len(word)
        while at:
            at, number = ways[at]
            out.append(number)
        return out[::-1]
