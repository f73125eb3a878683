"""A small convolutional network that tells names and places, in numpy.

Each word is the sum of its rows in a table of weights (`_hashed`); a few convolutions of three
words each, wider apart from layer to layer, let it see some words to both sides. All texts are
one long row of words, so far apart that they do not see each other: what is found in a text
does not depend on what it is judged with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gateway.detectors._hashed import Array, Words, rows, split
from gateway.detectors._tags import TYPES
from gateway.detectors._weights import read_arrays

# How far apart the words are that each layer looks at.
REACHES = (1, 2, 4)
APART = max(REACHES)
# A word is part of something if that is at least this likely, all types together.
LEAST = 0.4
# Texts are judged together until they have this many words: what one pass holds in memory.
_PASS_WORDS = 4_096


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learned.

    table: int8, one row for each hash; row 0 stands for none. gaps: for what stands before a
    word, in the same scale. layers: pairs of weights and bias, float32: the first from the
    table's width to the network's, then one for each of REACHES, the last to the tags.
    """

    table: Array
    gaps: Array
    layers: Sequence[tuple[Array, Array]]


@dataclass(frozen=True, slots=True)
class Spotted:
    """The characters [start, end) of a text, what they are, and how likely."""

    start: int
    end: int
    type: str
    score: float


def read(path: Path, *, sha256: str) -> Weights:
    """Reads weights. Raises ConfigError if they are not those with this digest."""
    arrays = read_arrays(path, sha256=sha256)
    return Weights(
        arrays["table"],
        arrays["gaps"].astype(np.float32),
        [
            (
                arrays[f"weights{i}"].astype(np.float32),
                arrays[f"bias{i}"].astype(np.float32),
            )
            for i in range(len(REACHES) + 2)
        ],
    )


def spot(weights: Weights, texts: Sequence[str]) -> list[list[Spotted]]:
    """What stands in each text, in order."""
    words = split(texts)
    known = _vectors(weights, words.known)
    out: list[list[Spotted]] = []
    for first, last in _passes(words.counts):
        out += _spotted(weights, words, known, first, last)
    return out


def _passes(counts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ranges of texts to be judged together."""
    first = total = 0
    for i, count in enumerate(counts):
        if total and total + count > _PASS_WORDS:
            yield first, i
            first, total = i, 0
        total += count
    if counts:
        yield first, len(counts)


def _vectors(weights: Weights, words: Sequence[str]) -> Array:
    """The sum of its rows for each word."""
    if not words:
        return np.zeros((0, weights.table.shape[1]), dtype=np.float32)
    found = rows(words)
    total = np.zeros((len(words), weights.table.shape[1]), dtype=np.int16)
    for column in found.T:
        total += weights.table[column]
    return total.astype(np.float32)


def _spotted(
    weights: Weights, words: Words, known: Array, first: int, last: int
) -> list[list[Spotted]]:
    """What stands in the texts [first, last)."""
    counts = np.array(words.counts[first:last])
    begin = sum(words.counts[:first])
    own = slice(begin, begin + int(counts.sum()))
    texts = np.repeat(np.arange(len(counts)), counts)
    at = np.arange(own.stop - begin) + APART * (texts + 1)
    placed = np.zeros((len(at) + APART * (len(counts) + 1), known.shape[1]), dtype=np.float32)
    placed[at] = known[words.which[own]] + weights.gaps[words.gaps[own]]
    within = np.zeros((len(placed), 1), dtype=np.float32)
    within[at] = 1
    likely = _likely(weights, placed, within)[at]
    return _spans(likely, words.starts[own], words.ends[own], texts, len(counts))


def _likely(weights: Weights, placed: Array, within: Array) -> Array:
    """For each place in the row how likely each tag is."""
    (bottom, bias), *middle, (top, top_bias) = weights.layers
    state = np.maximum(placed @ bottom + bias, 0) * within
    for reach, (matrix, bias_) in zip(REACHES, middle, strict=True):
        before, at, after = (state @ part for part in np.split(matrix, 3))
        at += bias_
        at[reach:] += before[:-reach]
        at[:-reach] += after[reach:]
        np.maximum(at, 0, out=at)
        state += at
        state *= within
    scores = state @ top + top_bias
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    found: Array = scores / scores.sum(axis=1, keepdims=True)
    return found


def _spans(
    likely: Array, starts: Array, ends: Array, texts: Array, count: int
) -> list[list[Spotted]]:
    """Runs of words of one type. A word that more likely begins than goes on begins."""
    by_type = likely[:, 1::2] + likely[:, 2::2]
    out: list[list[Spotted]] = [[] for _ in range(count)]
    at = np.flatnonzero(likely[:, 0] <= 1 - LEAST)
    if not len(at):
        return out
    types = by_type[at].argmax(axis=1)
    begins = likely[at, 1 + 2 * types] > likely[at, 2 + 2 * types]
    begins[0] = True
    begins[1:] |= (np.diff(at) > 1) | (np.diff(types) != 0) | (np.diff(texts[at]) != 0)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(at)) - 1
    scores = np.add.reduceat(by_type[at, types], first) / (last - first + 1)
    for i, j, score in zip(first, last, scores.tolist(), strict=True):
        spotted = Spotted(int(starts[at[i]]), int(ends[at[j]]), TYPES[types[i]], round(score, 4))
        out[texts[at[i]]].append(spotted)
    return out
