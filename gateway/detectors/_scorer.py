"""A small model over hashed n-grams: scores of 0 to 1 for each of its labels.

A row of whole numbers for each bucket (`_ngrams`), added up over the n-grams of a text. The
first columns are the labels themselves: a linear model. The others, if there are any, are a
summary of the text that a layer of units looks at before it adds its own share to each label.
Each label's sum is then made a probability by two numbers of its own (Platt, 1999).

    scorer = Scorer.load(Path("some.npz"), sha256="...")
    scorer.scores(["a text", "another"])   # float32 of shape (2, len(scorer.labels))

Models are made by training/model.py and are plain arrays; nothing in them is run.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.core.errors import ConfigError
from gateway.detectors._ngrams import Grams, grams

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scorer:
    """A trained model. L labels, S columns of summary, U units; S and U may be 0.

    table: int8 of shape (2**bits, L + S). scale: of shape (L + S,), what 1 in the table is.
    inner: (S, U) and inner_bias: (U,), the layer; outer: (U, L), what its units add.
    slope, offset: of shape (L,), from the sum of a label to the logit of its probability.
    """

    labels: tuple[str, ...]
    table: NDArray[np.int8]
    scale: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    slope: Floats
    offset: Floats

    @staticmethod
    def load(path: Path, *, sha256: str) -> Scorer:
        """Reads a model. Raises ConfigError if it is not the one with this digest."""
        try:
            data = path.read_bytes()
        except OSError as err:
            raise ConfigError(f"{path}: cannot be read: {err.strerror}.") from err
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise ConfigError(
                f"{path}: not the model that belongs to this version (SHA-256 {found}). "
                "Install the gateway again."
            )
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return Scorer(
                labels=tuple(str(label) for label in arrays["labels"]),
                **{name: arrays[name] for name in ARRAYS},
            )

    @property
    def bits(self) -> int:
        """The table has 2**bits rows."""
        return len(self.table).bit_length() - 1

    def scores(self, texts: Sequence[str]) -> Floats:
        """The probability of each label for each text, of shape (texts, L)."""
        if not texts:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        logits = self.sums(texts) * self.slope + self.offset
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)

    def sums(self, texts: Sequence[str]) -> Floats:
        """What `scores` makes probabilities of."""
        added = _added(self.table, grams(texts, self.bits)) * self.scale
        sums, summary = np.split(added, [len(self.labels)], axis=1)
        units = np.maximum(summary @ self.inner + self.inner_bias, 0)
        return np.asarray(sums + units @ self.outer, dtype=np.float32)


# The fields of a model's file, beside its labels.
ARRAYS = ("table", "scale", "inner", "inner_bias", "outer", "slope", "offset")


def _added(table: NDArray[np.int8], found: Grams) -> Floats:
    """The rows of each text's n-grams, added up by weight: of shape (texts, columns)."""
    rows = np.take(table, found.buckets, axis=0)
    # One row more, so that an n-gram family may end where the table of rows does.
    rows = np.concatenate((rows, np.zeros((1, rows.shape[1]), dtype=np.int8)))
    borders = np.stack((found.starts, found.ends), axis=-1).ravel()
    sums = np.add.reduceat(rows, borders, axis=0, dtype=np.int32)[::2]
    # Where a family has no n-grams, `reduceat` gives the next row.
    sums[(found.starts == found.ends).ravel()] = 0
    weighed = sums.reshape(*found.starts.shape, -1) * found.weights()[:, :, None]
    return np.asarray(weighed.sum(axis=0), dtype=np.float32)
