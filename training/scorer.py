"""Trains what `gateway.detectors._scorer` runs: a table of weights for hashed n-grams.

    scorer = fit(texts, targets, labels=("unsafe",), settings=Settings(seed=1))
    scorer = calibrated(scorer, other_texts, other_targets)
    print(save(scorer, Path("gateway/detectors/weights/content.npz")))

Logistic regression for each label over all n-grams, and beside it, if `vectors` and `units` are
given, a layer that sees the direction of each text's word vectors. Fitted together by Adagrad
(Duchi et al., 2011) on one core: a minute or two for 50,000 short texts. The same texts, settings
and library versions give the same weights.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from gateway.detectors._ngrams import grams
from gateway.detectors._scorer import ARRAYS, Scorer, summaries

Floats = NDArray[np.float32]

_BATCH = 256
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of words by bucket: as `Scorer.words` and `Scorer.words_scale`."""

    table: NDArray[np.int8]
    scale: Floats

    def of(self, texts: Sequence[str], bits: int) -> Floats:
        """What the layer sees of each text."""
        parts = [texts[i : i + _AT_ONCE] for i in range(0, len(texts), _AT_ONCE)]
        return np.concatenate([summaries(self.table, self.scale, grams(p, bits)) for p in parts])


NO_VECTORS = Vectors(np.zeros((1, 0), np.int8), np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class Settings:
    """How to fit. warm: in how many epochs, before all others, only the layer learns: it knows
    what words mean, and n-grams would leave it nothing to do. drop: the share of n-grams that is
    left out of each text in each step.

    decay: by how much all weights shrink in an epoch, against those that few texts need.
    """

    bits: int = 18
    units: int = 0
    warm: int = 0
    epochs: int = 6
    rate: float = 0.3
    decay: float = 0.1
    drop: float = 0.1
    seed: int = 1


def matrix(texts: Sequence[str], bits: int) -> csr_matrix:
    """The n-grams of each text by weight: what the table is multiplied with."""
    columns, values, sizes = [], [], []
    for first in range(0, len(texts), _AT_ONCE):
        found = grams(texts[first : first + _AT_ONCE], bits)
        weights = found.weights()
        for text in range(found.starts.shape[1]):
            spans = list(zip(found.starts[:, text], found.ends[:, text], strict=True))
            columns += [found.buckets[start:end] for start, end in spans]
            values += [
                np.full(end - start, weight, dtype=np.float32)
                for (start, end), weight in zip(spans, weights[:, text], strict=True)
            ]
            sizes.append(sum(end - start for start, end in spans))
    pointers = np.concatenate(([0], np.cumsum(sizes)))
    found_ = csr_matrix(
        (np.concatenate(values), np.concatenate(columns).astype(np.int32), pointers),
        shape=(len(texts), 1 << bits),
    )
    found_.sum_duplicates()
    return found_


def fit(
    texts: Sequence[str],
    targets: Floats,
    *,
    labels: Sequence[str],
    settings: Settings,
    weights: Floats | None = None,
    vectors: Vectors = NO_VECTORS,
) -> Scorer:
    """A model of these texts, not yet calibrated.

    targets: of shape (texts, labels), 0 to 1; NaN where it is not known. weights: how much each
    text counts, 1 if not given.
    """
    x, seen = matrix(texts, settings.bits), vectors.of(texts, settings.bits)
    return fit_arrays(
        x, seen, targets, labels=labels, settings=settings, weights=weights, vectors=vectors
    )


def fit_arrays(
    x: csr_matrix,
    seen: Floats,
    targets: Floats,
    *,
    labels: Sequence[str],
    settings: Settings,
    weights: Floats | None = None,
    vectors: Vectors = NO_VECTORS,
) -> Scorer:
    """The same from what is seen of the texts: their n-grams and what `Vectors.of` gives."""
    parameters = _Parameters(len(labels), seen.shape[1], settings)
    rng = np.random.default_rng(settings.seed)
    known = ~np.isnan(targets)
    aims = np.where(known, targets, 0).astype(np.float32)
    counts = known.astype(np.float32)
    if weights is not None:
        counts *= weights[:, None]
    # Logits of the share of each label, so that the first steps are not spent on it.
    share = ((aims * counts).sum(0) + 1) / (counts.sum(0) + 2)
    parameters.bias[:] = np.log(share / (1 - share))
    for epoch in range(settings.warm + settings.epochs):
        order = rng.permutation(x.shape[0])
        for first in range(0, len(order), _BATCH):
            rows = order[first : first + _BATCH]
            if epoch < settings.warm:
                parameters.step(None, seen[rows], aims[rows], counts[rows])
                continue
            part = x[rows]
            if settings.drop:
                kept = rng.random(part.nnz, dtype=np.float32) >= settings.drop
                part.data *= kept / (1 - settings.drop)
            parameters.step(part, seen[rows], aims[rows], counts[rows])
        parameters.table *= 1 - settings.decay
    return parameters.scorer(tuple(labels), vectors)


class _Parameters:
    """What is fitted, each with the sum of its squared gradients."""

    def __init__(self, labels: int, summary: int, settings: Settings) -> None:
        rng = np.random.default_rng(settings.seed + 1)
        units = settings.units if summary else 0
        self.rate = settings.rate
        self.table = np.zeros((1 << settings.bits, labels), dtype=np.float32)
        self.inner = rng.normal(0, 1, (summary, units)).astype(np.float32)
        self.inner_bias = np.zeros(units, dtype=np.float32)
        self.outer = rng.normal(0, 0.1, (units, labels)).astype(np.float32)
        self.bias = np.zeros(labels, dtype=np.float32)
        self._squares = {
            name: np.full_like(getattr(self, name), 1e-3)
            for name in ("table", "inner", "inner_bias", "outer", "bias")
        }

    def step(self, x: csr_matrix | None, seen: Floats, aims: Floats, counts: Floats) -> None:
        """One step down the gradient of the log loss. x: None to leave the table as it is."""
        before = seen @ self.inner + self.inner_bias
        units = np.maximum(before, 0)
        logits = units @ self.outer + self.bias
        if x is not None:
            # Only the rows that occur: a batch knows a small part of the table.
            touched, places = np.unique(x.indices, return_inverse=True)
            x = csr_matrix((x.data, places, x.indptr), shape=(x.shape[0], len(touched)))
            logits = logits + x @ self.table[touched]
        error = (1 / (1 + np.exp(-logits)) - aims) * counts / len(aims)
        back = (error @ self.outer.T) * (before > 0)
        self._descend("bias", error.sum(0), slice(None))
        self._descend("outer", units.T @ error, slice(None))
        self._descend("inner_bias", back.sum(0), slice(None))
        self._descend("inner", seen.T @ back, slice(None))
        if x is not None:
            self._descend("table", x.T @ error, touched)

    def _descend(self, name: str, gradient: Floats, rows: slice | NDArray[np.intp]) -> None:
        squares = self._squares[name]
        squares[rows] += gradient**2
        getattr(self, name)[rows] -= self.rate * gradient / np.sqrt(squares[rows])

    def scorer(self, labels: tuple[str, ...], vectors: Vectors) -> Scorer:
        """With the table in whole numbers of 8 bits."""
        scale = np.maximum(np.quantile(np.abs(self.table), 0.9999, axis=0) / 127, 1e-8)
        table = np.clip(np.rint(self.table / scale), -127, 127).astype(np.int8)
        return Scorer(
            labels=labels,
            table=table,
            scale=scale.astype(np.float32),
            words=vectors.table,
            words_scale=vectors.scale,
            inner=self.inner,
            inner_bias=self.inner_bias,
            outer=self.outer,
            slope=np.ones(len(labels), dtype=np.float32),
            offset=self.bias,
        )


def calibrated(scorer: Scorer, texts: Sequence[str], targets: Floats) -> Scorer:
    """The same model with probabilities that hold on these texts (Platt, 1999).

    texts: none that it was fitted on. A label that has not 20 texts of either kind keeps what it
    had.
    """
    sums = scorer.sums(texts)
    slope, offset = scorer.slope.copy(), scorer.offset.copy()
    for column in range(len(scorer.labels)):
        known = ~np.isnan(targets[:, column])
        truth = targets[known, column] >= 0.5
        if min(truth.sum(), (~truth).sum()) >= 20:
            slope[column], offset[column] = calibrated_sums(sums[known, column], truth)
    return replace(scorer, slope=slope, offset=offset)


def calibrated_sums(sums: Floats, truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of the likeliest sigmoid (Platt), by Newton on smoothed targets."""
    ups, downs = truth.sum(), (~truth).sum()
    aims = np.where(truth, (ups + 1) / (ups + 2), 1 / (downs + 2))
    x = np.stack((sums.astype(np.float64), np.ones(len(sums))), axis=1)
    found = np.array([1.0, np.log((ups + 1) / (downs + 1))])
    for _ in range(100):
        likely = 1 / (1 + np.exp(-np.clip(x @ found, -30, 30)))
        slope = x.T @ (likely - aims)
        bend = (x * (likely * (1 - likely))[:, None]).T @ x + 1e-6 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        # Newton leaps too far where all texts are told apart.
        found = found - step * min(1.0, 5 / max(np.abs(step).max(), 1e-12))
    # Never upside down: a label that cannot be told is then the same for all.
    return max(float(found[0]), 0.0), float(found[1])


def save(scorer: Scorer, path: Path) -> str:
    """Writes the model's file; its SHA-256."""
    out = io.BytesIO()
    np.savez_compressed(
        out,
        labels=np.array(scorer.labels),
        **{name: getattr(scorer, name) for name in ARRAYS},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out.getvalue())
    return hashlib.sha256(out.getvalue()).hexdigest()
