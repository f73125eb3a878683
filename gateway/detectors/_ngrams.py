"""Texts as hashed n-grams: what a small model looks at, computed with whole arrays.

A text is folded (case, accents, width and invisible characters do not count, every digit is a
0, white space is one space) and taken apart twice: runs of 3 to 5 characters, across the
borders of words too, and words by themselves, in pairs and in threes. Each n-gram is a bucket of
a table; what shares a bucket by chance is told apart by the others. Nothing is looked up in a
vocabulary, so all languages and spellings cost the same.

Rolling hashes over code points (Karp and Rabin, 1987), modulo 2**32, mixed as at the end of
MurmurHash3 (Appleby, 2011). They are part of every trained model: change anything here, and all
models in the tree must be trained again. A test holds the hashes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHARS = (3, 4, 5)
WORDS = (1, 2, 3)

Hashes = NDArray[np.uint32]
Places = NDArray[np.intp]

_BASE = np.uint32(0x01000193)
_STEP = np.uint32(0x9E3779B1)
# Of longer words the rest counts, wherever it stands.
_POWERS = np.array([pow(int(_BASE), i, 1 << 32) for i in range(1, 65)], dtype=np.uint32)
_SPACES = re.compile(r"\s+")
_DIGITS = re.compile(r"\d")
# Combining marks, and what is not to be seen: soft hyphens, joiners, directions, variants, tags.
_SILENT = re.compile(
    "[\u0300-\u036f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe00-\ufe0f"
    "\U000e0000-\U000e01ef]"
)
# Which of the first code points belong to words. Above Latin-1 all do but the two blocks of
# punctuation; what is a word in a script without spaces is a line.
_TABLE = 0x3040
_LETTERS = np.array(
    [
        (chr(code).isalnum() if code < 0x100 else True)
        and not (0x2000 <= code < 0x2070 or code >= 0x3000)
        for code in range(_TABLE)
    ]
    + [True]
)


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams of some texts, family by family and text by text.

    buckets: one for each n-gram. starts, ends: of shape (families, texts): the n-grams of a
    text in a family are `buckets[start:end]`. The families are those of CHARS, then of WORDS,
    one behind the other.
    """

    bits: int

    buckets: Places
    starts: Places
    ends: Places

    def weights(self) -> NDArray[np.float32]:
        """Of shape (families, texts): what one n-gram counts in its text.

        Long texts weigh as much as short ones, words as much as characters: the n-grams of
        either kind have length 1 together, as if no two were equal.
        """
        counts = (self.ends - self.starts).astype(np.float32)
        kinds = np.split(counts, [len(CHARS)])
        lengths = [np.sqrt(np.maximum(kind.sum(axis=0, keepdims=True), 1)) for kind in kinds]
        return np.concatenate(
            [np.broadcast_to(1 / n, k.shape) for n, k in zip(lengths, kinds, strict=True)]
        )


def fold(text: str) -> str:
    """The text as far as it counts, between spaces."""
    if not text.isascii():
        text = _SILENT.sub("", unicodedata.normalize("NFKD", text))
    text = _DIGITS.sub("0", text.casefold())
    return f" {_SPACES.sub(' ', text).strip()} "


def grams(texts: Sequence[str], bits: int) -> Grams:
    """The n-grams of each text, at least one, in a table of 2**bits buckets.

    Best given many texts: most of the time that a short one takes goes into starting.
    """
    folded = [fold(text).ljust(max(CHARS)) for text in texts]
    codes = np.frombuffer("".join(folded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    edges = np.cumsum([0, *map(len, folded)])
    families = [*_runs(codes, edges), *_words(codes, edges)]
    offsets = np.cumsum([0, *(len(hashes) for hashes, _ in families)])
    # A text without words at the end begins where there are no runs of words any more.
    begins = [
        np.minimum(places[:-1], len(hashes)) + offset
        for (hashes, places), offset in zip(families, offsets, strict=False)
    ]
    sizes = [
        np.maximum(np.diff(places) - n + 1, 0)
        for n, (_, places) in zip((*CHARS, *WORDS), families, strict=True)
    ]
    hashes = np.concatenate([hashes for hashes, _ in families])
    starts = np.stack(begins)
    return Grams(bits, _mixed(hashes) >> (32 - bits), starts, starts + np.stack(sizes))


def _runs(codes: Hashes, edges: Places) -> list[tuple[Hashes, Places]]:
    """Hashes of every run of n characters, and where those of each text begin."""
    out = []
    hashes = codes
    for n in range(2, max(CHARS) + 1):
        hashes = hashes[:-1] * _BASE + codes[n - 1 :]
        if n in CHARS:
            out.append((hashes ^ np.uint32(n), edges))
    return out


def _words(codes: Hashes, edges: Places) -> list[tuple[Hashes, Places]]:
    """Hashes of every run of n words, and where those of each text begin."""
    inside = _LETTERS[np.minimum(codes, _TABLE)]
    begins = inside.copy()
    begins[1:] &= ~inside[:-1]
    starts = np.flatnonzero(begins)
    if not len(starts):
        nothing = codes[:0], np.zeros_like(edges)
        return [nothing] * len(WORDS)
    places = np.arange(len(codes)) - starts[np.maximum(np.cumsum(begins) - 1, 0)]
    weighed = codes * inside * _POWERS[np.clip(places, 0, len(_POWERS) - 1)]
    words = np.add.reduceat(weighed, starts, dtype=np.uint32)
    firsts = np.searchsorted(starts, edges)
    out = []
    hashes = words
    for n in WORDS:
        if n > 1:
            hashes = hashes[:-1] * _STEP + words[n - 1 :]
        out.append((hashes ^ np.uint32(n << 8), firsts))
    return out


def _mixed(hashes: Hashes) -> Places:
    """Each hash with all its bits spread over all places."""
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return (hashes ^ (hashes >> np.uint32(16))).astype(np.intp)
