"""A small model over hashed n-grams: scores of 0 to 1 for each of its labels.

A table gives every n-gram (`_ngrams`) a row of whole numbers, one for each label; they are added
up over a text: a linear model. Beside it, if there are any, words have vectors; the direction of
their sum is what a layer of units looks at, which adds its own share to each label. Each label's
sum is then made a probability by two numbers of its own (Platt, 1999).

    scorer = Scorer.load(Path("some.npz"), sha256="...")
    scorer.scores(["a text", "another"])   # float32 of shape (2, len(scorer.labels))

Models are made by training/scorer.py and are plain arrays; nothing in them is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.detectors._ngrams import CHARS, Grams, Places, grams
from gateway.detectors._weights import read_arrays

Floats = NDArray[np.float32]

# So few texts are looked at in one go: to start costs more than what they hold.
_FEW = 8


@dataclass(frozen=True, slots=True)
class Scorer:
    """A trained model. L labels, S numbers in a word's vector, U units; S and U may be 0.

    table: (2**bits, L); scale: (L,), what 1 in the table is. words: (2**w, S), w <= bits;
    words_scale: (S,). inner: (S, U) and inner_bias: (U,), the layer; outer: (U, L), what its units
    add. slope, offset: (L,), from the sum of a label to the logit of its probability.
    """

    labels: tuple[str, ...]
    table: NDArray[np.int8]
    scale: Floats
    words: NDArray[np.int8]
    words_scale: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    slope: Floats
    offset: Floats

    @staticmethod
    def load(path: Path, *, sha256: str) -> Scorer:
        """Reads a model. Raises ConfigError if it is not the one with this digest."""
        arrays = read_arrays(path, sha256=sha256)
        return Scorer(
            labels=tuple(str(label) for label in arrays["labels"]),
            **{name: arrays[name] for name in ARRAYS},
        )

    @property
    def bits(self) -> int:
        """The table has 2**bits rows."""
        return len(self.table).bit_length() - 1

    def scores(self, texts: Sequence[str], *, worth: float = 0.0) -> Floats:
        """The probability of each label for each text, of shape (texts, L).

        worth: the labels behind the first are 0 for a text whose first scores less: to add them
        all up takes half of the time.
        """
        if not texts:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        if not worth or len(texts) < _FEW:
            out = self._probabilities(self.sums(texts))
            out[out[:, 0] < worth, 1:] = 0
            return out
        out = np.zeros((len(texts), len(self.labels)), dtype=np.float32)
        out[:, :1] = self._probabilities(self.sums(texts, labels=1))
        rows: list[int] = np.flatnonzero(out[:, 0] >= worth).tolist()
        if rows:
            out[rows] = self._probabilities(self.sums([texts[row] for row in rows]))
        return out

    def sums(self, texts: Sequence[str], *, labels: int | None = None) -> Floats:
        """What `scores` makes probabilities of; of the first labels only, if so many are named."""
        found = grams(texts, self.bits)
        sums = added(self.table[:, :labels], found) * self.scale[:labels]
        if self.inner.size:
            summary = summaries(self.words, self.words_scale, found)
            units = np.maximum(summary @ self.inner + self.inner_bias, 0)
            sums = sums + units @ self.outer[:, :labels]
        return np.asarray(sums, dtype=np.float32)

    def _probabilities(self, sums: Floats) -> Floats:
        labels = sums.shape[1]
        logits = sums * self.slope[:labels] + self.offset[:labels]
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


# The fields of a model's file, beside its labels.
ARRAYS = (
    "table", "scale", "words", "words_scale", "inner", "inner_bias", "outer", "slope", "offset",
)  # fmt: skip


def added(table: NDArray[np.int8], found: Grams) -> Floats:
    """The rows of each text's n-grams, added up by weight: of shape (texts, columns)."""
    sums = _sums(np.take(table, found.buckets, axis=0), found.starts, found.ends)
    return np.asarray((sums * found.weights()[:, :, None]).sum(axis=0), dtype=np.float32)


def summaries(words: NDArray[np.int8], scale: Floats, found: Grams) -> Floats:
    """The direction of the sum of each text's word vectors, of shape (texts, S); else zeros."""
    family = len(CHARS)
    first, last = found.starts[family, 0], found.ends[family, -1]
    # The upper bits of a bucket are a bucket of a smaller table.
    ratio = (1 << found.bits) // len(words)
    rows = np.take(words, found.buckets[first:last] // ratio, axis=0)
    starts, ends = found.starts[family : family + 1], found.ends[family : family + 1]
    sums = _sums(rows, starts - first, ends - first)[0] * scale
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(length, 1e-6), dtype=np.float32)


def _sums(rows: NDArray[np.int8], starts: Places, ends: Places) -> NDArray[np.int32]:
    """The sums of rows[start:end], in the shape of starts with a column axis more."""
    # One row more, so that a stretch may end where the rows do. An empty one may begin behind.
    rows = np.concatenate((rows, np.zeros((1, rows.shape[1]), dtype=np.int8)))
    borders = np.minimum(np.stack((starts, ends), axis=-1).ravel(), len(rows) - 1)
    sums = np.add.reduceat(rows, borders, axis=0, dtype=np.int32)[::2]
    # For an empty stretch `reduceat` gives the row that it begins at.
    sums[(starts == ends).ravel()] = 0
    return sums.reshape(*starts.shape, -1)
