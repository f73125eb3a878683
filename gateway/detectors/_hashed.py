"""Words of texts, and the rows of a table of weights that each word is the sum of.

What is looked at of a word: its letters in small, how it begins and ends, and its shape (where
capitals and digits stand). Each is hashed to a row of the table (the "hashing trick",
Weinberger et al., 2009), so there is no vocabulary: any word of any language has its rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

ROW_BITS = 16
WORD_CHARS = 32
PREFIXES, SUFFIXES = 5, 6
# The word itself, its beginnings, its ends, and its shape, roughly and exactly.
FEATURES = 1 + PREFIXES + SUFFIXES + 2
# What stands before a word: nothing, one character of white space, or more.
GAPS = 3

Array = NDArray[Any]

# Runs of letters and digits, single marks, and line ends; an underscore joins nothing.
# Where a stretch of white space begins, so that one without a line's end is looked at once.
_WORD = re.compile(rf"((?<!\s)\s*\n\s*|[^\W_]{{1,{WORD_CHARS}}}|_|[^\w\s])")
_SHAPE_CHARS = 8
_COLUMNS = np.arange(_SHAPE_CHARS)
_SHAPE_STEPS = 4 ** np.arange(_SHAPE_CHARS, dtype=np.uint32)
_MULTIPLIERS = np.array(
    [pow(0x9E3779B1, k + 1, 1 << 32) for k in range(_SHAPE_CHARS)], dtype=np.uint32
)
# So that a beginning, an end and a word of the same letters are different features.
_SEEDS = np.array([pow(0x85EBCA6B, k + 1, 1 << 32) for k in range(FEATURES)], dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some texts, one text after the other.

    starts, ends: where each stands in its own text. counts: how many each text has.
    known: the different words; which: for each word the one of `known` that it is.
    gaps: what stands before each, below GAPS.
    """

    starts: Array
    ends: Array
    gaps: Array
    counts: Sequence[int]
    known: Sequence[str]
    which: Array


def split(texts: Sequence[str]) -> Words:
    """Splits texts into words."""
    found: list[str] = []
    starts: list[Array] = []
    counts = []
    for text in texts:
        # What is between two words, the word, what is between, and so on to the end.
        pieces = _WORD.split(text)
        lengths = np.fromiter(map(len, pieces), dtype=np.intp, count=len(pieces))
        starts.append(lengths.cumsum()[:-1:2])
        own = pieces[1::2]
        found += own
        counts.append(len(own))
    places = {word: i for i, word in enumerate(dict.fromkeys(found))}
    which = np.fromiter(map(places.__getitem__, found), dtype=np.intp, count=len(found))
    first = np.concatenate([np.zeros(0, dtype=np.intp), *starts])
    ends = first + np.fromiter(map(len, found), dtype=np.intp, count=len(found))
    gaps = np.zeros_like(first)
    gaps[1:] = np.clip(first[1:] - ends[:-1], 0, GAPS - 1)
    return Words(first, ends, gaps, counts, list(places), which)


def rows(words: Sequence[str]) -> Array:
    """For each word FEATURES rows of the table, uint16; 0 stands for none."""
    words = ["\n" if "\n" in word else word for word in words]
    small = [_small(word) for word in words]
    lengths = np.array([len(word) for word in words])
    codes = _codes(words)
    low = _codes(small)
    tail = _codes([word[: -SUFFIXES - 1 : -1] for word in small])[:, :SUFFIXES]

    sums = np.empty((len(words), FEATURES), dtype=np.uint32)
    sums[:, 0] = [crc32(word.encode("utf-8", "surrogatepass")) for word in small]
    sums[:, 1 : 1 + PREFIXES] = np.cumsum(
        low[:, :PREFIXES] * _MULTIPLIERS[:PREFIXES], axis=1, dtype=np.uint32
    )
    sums[:, 1 + PREFIXES : -2] = np.cumsum(tail * _MULTIPLIERS[:SUFFIXES], axis=1, dtype=np.uint32)
    sums[:, -2:] = _shapes(codes, low, lengths)
    out = (_mixed(sums ^ _SEEDS) >> np.uint32(32 - ROW_BITS)).astype(np.uint16)
    inside = lengths[:, None] > _COLUMNS
    out[:, 1 : 1 + PREFIXES] *= inside[:, :PREFIXES]
    out[:, 1 + PREFIXES : -2] *= inside[:, :SUFFIXES]
    return out


def _shapes(codes: Array, low: Array, lengths: Array) -> Array:
    """Capitals and digits, once roughly for words of any length, once exactly for short ones."""
    upper = codes != low
    digit = (low >= ord("0")) & (low <= ord("9"))
    mark = (low < 128) & ~digit & ((low < ord("a")) | (low > ord("z")))
    shown = np.minimum(lengths, _SHAPE_CHARS)
    rough = (
        upper[:, 0]
        + 2 * (upper.sum(axis=1) > 1)
        + 4 * (upper.sum(axis=1) == shown)
        + 8 * digit.any(axis=1)
        + 16 * (digit.sum(axis=1) == shown)
        + 32 * mark[:, 0]
        + 64 * np.minimum(lengths, 12)
    )
    kinds = 1 + upper + 2 * digit
    kinds[lengths[:, None] <= _COLUMNS] = 0
    exact = (kinds * _SHAPE_STEPS).sum(axis=1) * 16 + np.minimum(lengths, 12)
    return np.stack([rough, exact], axis=1).astype(np.uint32)


def _mixed(numbers: Array) -> Array:
    """Spread over all bits, as MurmurHash3's finaliser does."""
    numbers = (numbers ^ (numbers >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    numbers = (numbers ^ (numbers >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    mixed: Array = numbers ^ (numbers >> np.uint32(16))
    return mixed


def _codes(words: Sequence[str]) -> Array:
    """The first characters of each word as numbers, 0 where it has no more."""
    padded = "".join([word[:_SHAPE_CHARS].ljust(_SHAPE_CHARS, "\0") for word in words])
    found = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes: Array = found.reshape(-1, _SHAPE_CHARS)
    return codes


def _small(word: str) -> str:
    """In small letters, as long as before: the few that would become two stay."""
    low = word.lower()
    if len(low) == len(word):
        return low
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in word)
