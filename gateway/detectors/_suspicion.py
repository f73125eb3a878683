"""How much a stretch of text looks like an attack on a model: n-grams and signals together.

Two labels: `direct`, what nobody may say to a model, and `planted`, what also has no place in a
document or a tool's answer: requests and questions to whoever reads it. Made by
training/injection; the file holds plain arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.detectors._ngrams import grams
from gateway.detectors._scorer import added
from gateway.detectors._signals import said, signals
from gateway.detectors._weights import read_arrays

LABELS = ("direct", "planted")
# Where what n-grams say is cut off: beyond it they are only surer, not righter.
CLIP = 10.0
_MOST = 30.0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The model. L labels, S signals.

    table: for each bucket of n-grams a row of L numbers; scale: (L,), what 1 in the table is;
    offset: (L,). weights: (S, L). trust: (L,), what n-grams count. bias: (L,), set so that one
    half is where a label's threshold lies (training/injection/train.py).
    """

    table: NDArray[np.int8]
    scale: Floats
    offset: Floats
    weights: NDArray[np.float16]
    trust: Floats
    bias: Floats

    @staticmethod
    def load(path: Path, *, sha256: str) -> Suspicion:
        """Reads a model. Raises ConfigError if it is not the one with this digest."""
        arrays = read_arrays(path, sha256=sha256)
        return Suspicion(**{field.name: arrays[field.name] for field in fields(Suspicion)})

    def scores(self, texts: Sequence[str]) -> Floats:
        """The probability of each label for each text, of shape (texts, L)."""
        if not texts:
            return np.zeros((0, len(LABELS)), dtype=np.float32)
        found = grams([said(text) for text in texts], len(self.table).bit_length() - 1)
        sums = added(self.table, found) * self.scale
        logits = np.clip(self.joined(sums, signals(texts)), -_MOST, _MOST)
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)

    def joined(self, sums: Floats, rows: Floats) -> Floats:
        """Logits. sums: what n-grams say of each text; rows: the signals of each."""
        said_ = np.clip((sums + self.offset) / CLIP, -1, 1) * self.trust
        return np.asarray(rows @ self.weights.astype(np.float32) + said_ + self.bias)
