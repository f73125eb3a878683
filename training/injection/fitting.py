"""Fits the model: n-grams first, then what they say together with the signals.

The weight of an n-gram is only right for the texts that it was learnt from; on a family of
attacks that is new, n-grams say much less. So the second step sees them as they are there: each
window's sum comes from a model that has seen nothing of the window's family (stacking, Wolpert
1992). Of long attacks of which nobody said where the attack stands, the windows count that a
first model of the signals alone finds most suspicious.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import SGDClassifier

from gateway.detectors._signals import said, signals
from gateway.detectors._suspicion import CLIP, LABELS, Suspicion
from training.injection.texts import Text
from training.injection.windows import Example
from training.licences import SHARE_ALIKE
from training.scorer import matrix

BITS = 17
_FOLDS = 4
_SIGNAL_SIZE = 0.3
# What a user may well ask for, and a document may not.
ONLY_PLANTED = ("written/planted/act", "written/planted/alter", "written/planted/alter2",
                 "written/planted/chore", "written/planted/code", "written/planted/code2",
                 "written/planted/image", "written/planted/memory",
                 "BIPIA tasks")  # fmt: skip

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Table:
    """Windows as numbers. text: which text each is of."""

    texts: Sequence[Text]
    text: NDArray[np.intp]
    target: Floats
    grams: csr_matrix
    signals: csr_matrix

    def of(self, chosen: Mask) -> Mask:
        """Which windows are of the chosen texts."""
        return np.asarray(chosen[self.text])

    def highest(self, scores: Floats) -> Floats:
        """The score of each text: that of its highest window."""
        out = np.full(len(self.texts), -np.inf)
        np.maximum.at(out, self.text, scores)
        return out


def table(texts: Sequence[Text], found: Sequence[Example]) -> Table:
    """All windows of all texts, computed once."""
    windows = [example.window for example in found]
    return Table(
        texts,
        np.array([example.text for example in found]),
        np.array([np.nan if e.target is None else float(e.target) for e in found]),
        matrix([said(window) for window in windows], BITS),
        csr_matrix(signals(windows)) * _SIGNAL_SIZE,
    )


def fit(windows: Table, chosen: Mask, *, seed: int) -> Suspicion:
    """A model of those of the chosen texts that may be learnt from, not yet calibrated."""
    groups = np.array([text.group for text in windows.texts])
    part = windows.of(chosen & ~np.isin(groups, list(SHARE_ALIKE)))
    target = _located(windows, part, seed)
    folds = np.array([zlib.crc32(group.encode()) % _FOLDS for group in groups])[windows.text]
    planted = np.isin(groups, ONLY_PLANTED)[windows.text]
    columns, firsts, seconds = [], [], []
    for label in LABELS:
        known = part & ~np.isnan(target)
        if label == "direct":
            known &= ~(planted & (target == 1))
        sums = np.zeros(len(target))
        for fold in range(_FOLDS):
            others, own = known & (folds != fold), known & (folds == fold)
            model = _linear(windows.grams[others], target[others], 3, seed)
            sums[own] = model.decision_function(windows.grams[own])
        first = _linear(windows.grams[known], target[known], 3, seed)
        seen = csr_matrix(np.clip(sums[known] / CLIP, -1, 1)[:, None])
        second = _linear(hstack([windows.signals[known], seen]).tocsr(), target[known], 6, seed)
        columns.append(first.coef_[0])
        firsts.append(first.intercept_[0])
        seconds.append((second.coef_[0], second.intercept_[0]))
    grams = np.stack(columns, axis=1)
    scale = np.maximum(np.quantile(np.abs(grams), 0.9999, axis=0) / 127, 1e-8)
    return Suspicion(
        table=np.clip(np.rint(grams / scale), -127, 127).astype(np.int8),
        scale=scale.astype(np.float32),
        offset=np.array(firsts, dtype=np.float32),
        weights=np.stack([w[:-1] * _SIGNAL_SIZE for w, _ in seconds], 1).astype(np.float16),
        trust=np.array([w[-1] for w, _ in seconds], dtype=np.float32),
        bias=np.array([b for _, b in seconds], dtype=np.float32),
    )


def judged(model: Suspicion, windows: Table) -> Floats:
    """What the model says of each window, by label: as `Suspicion.logits`, from the table."""
    sums = windows.grams @ (model.table * model.scale)
    return np.asarray(model.joined(sums, windows.signals / _SIGNAL_SIZE), dtype=np.float64)


def _located(windows: Table, part: Mask, seed: int) -> Floats:
    """The targets, with those windows of each attack that look most like one."""
    target = windows.target.copy()
    known, unknown = part & ~np.isnan(target), part & np.isnan(target)
    if not unknown.any():
        return target
    model = _linear(windows.signals[known], target[known], 5, seed)
    places = np.flatnonzero(unknown)
    scores = model.decision_function(windows.signals[places])
    order = np.lexsort((-scores, windows.text[places]))
    numbers = windows.text[places][order]
    rank = np.arange(len(order)) - np.searchsorted(numbers, numbers)
    sizes = np.searchsorted(numbers, numbers, side="right") - np.searchsorted(numbers, numbers)
    alone = np.array([text.kind == "attack" for text in windows.texts])[numbers]
    target[places[order][rank < np.where(alone, np.maximum(1, sizes // 3), 1)]] = 1
    return target


def _linear(rows: csr_matrix, target: Floats, epochs: int, seed: int) -> SGDClassifier:
    model = SGDClassifier(
        loss="log_loss", alpha=1e-5, max_iter=epochs, tol=None, average=True, random_state=seed
    )
    return model.fit(rows, target)
