"""The network of `gateway.detectors._tagger`, with the way back: what learning needs.

In numpy: a network this small spends its time in matrix products, and of the table only the
rows that a batch uses are touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from gateway.detectors._hashed import FEATURES, GAPS, ROW_BITS
from gateway.detectors._tagger import REACHES
from gateway.detectors._tags import TAGS

TABLE_WIDTH = 64
WIDTH = 64
# The share of the numbers between layers that is dropped while learning.
DROPPED = 0.15
_B1, _B2, _EPSILON = 0.9, 0.99, 1e-8

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """A row of words. features: the rows of each different word; which: the word at each place.

    gaps, tags, within: for each place; a tag below 0 is not known; within is 1 for words and 0
    between texts.
    """

    features: Array
    which: Array
    gaps: Array
    tags: Array
    within: Array


class Network:
    """Weights, and what Adam (Kingma and Ba, 2015) remembers of their slopes."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._steps = 0
        self.table = self._random(1 << ROW_BITS, TABLE_WIDTH, scale=0.05)
        self.table[0] = 0
        self.small = {"gaps": np.zeros((GAPS, TABLE_WIDTH), dtype=np.float32)}
        shapes = [(TABLE_WIDTH, WIDTH), *[(3 * WIDTH, WIDTH)] * len(REACHES), (WIDTH, TAGS)]
        for i, (rows, columns) in enumerate(shapes):
            self.small[f"weights{i}"] = self._random(rows, columns, scale=rows**-0.5)
            self.small[f"bias{i}"] = np.zeros(columns, dtype=np.float32)
        self._moments = {
            name: (np.zeros_like(value), np.zeros_like(value))
            for name, value in [*self.small.items(), ("table", self.table)]
        }

    def _random(self, *shape: int, scale: float) -> Array:
        return self._rng.normal(scale=scale, size=shape).astype(np.float32)

    def learn(self, batch: Batch, rate: float) -> float:
        """One step down the slope. Returns the mean cross entropy of the words."""
        self._steps += 1
        rows, joined = _rows_used(batch.features)
        states, seen, kept, likely = self._forward(batch, joined.T @ self.table[rows])
        at = np.flatnonzero(batch.within[:, 0] * (batch.tags >= 0))
        loss = -np.log(likely[at, batch.tags[at]] + 1e-9).mean()
        slope = np.zeros_like(likely)
        slope[at] = likely[at] / len(at)
        slope[at, batch.tags[at]] -= 1 / len(at)
        known, slopes = self._backward(batch, states, seen, kept, slope)
        for name, each in slopes.items():
            self._adam(name, self.small[name], each, slice(None), rate)
        self._adam("table", self.table, joined @ known, rows, rate)
        self.table[0] = 0
        return float(loss)

    def _forward(
        self, batch: Batch, known: Array
    ) -> tuple[list[Array], list[Array], list[Array], Array]:
        small = self.small
        placed = known[batch.which] + small["gaps"][batch.gaps]
        states = [placed]
        state = np.maximum(placed @ small["weights0"] + small["bias0"], 0) * batch.within
        seen, kept = [], []
        for i, reach in enumerate(REACHES, 1):
            keep = (self._rng.random(state.shape, dtype=np.float32) > DROPPED) / (1 - DROPPED)
            kept.append(keep.astype(np.float32))
            states.append(state)
            state = state * kept[-1]
            seen.append(_seen(state, reach))
            added = np.maximum(seen[-1] @ small[f"weights{i}"] + small[f"bias{i}"], 0)
            state = (state + added) * batch.within
            states.append(added)
        states.append(state)
        scores = state @ small[f"weights{len(REACHES) + 1}"] + small[f"bias{len(REACHES) + 1}"]
        scores -= scores.max(axis=1, keepdims=True)
        likely = np.exp(scores)
        return states, seen, kept, likely / likely.sum(axis=1, keepdims=True)

    def _backward(
        self,
        batch: Batch,
        states: list[Array],
        seen: list[Array],
        kept: list[Array],
        slope: Array,
    ) -> tuple[Array, dict[str, Array]]:
        """The slopes of the known words and of all weights but the table's."""
        small, out = self.small, {}
        top = len(REACHES) + 1
        out[f"weights{top}"], out[f"bias{top}"] = states[-1].T @ slope, slope.sum(axis=0)
        slope = slope @ small[f"weights{top}"].T
        for i in range(len(REACHES), 0, -1):
            slope = slope * batch.within
            inner = slope * (states[2 * i] > 0)
            out[f"weights{i}"], out[f"bias{i}"] = seen[i - 1].T @ inner, inner.sum(axis=0)
            back = inner @ small[f"weights{i}"].T
            slope = (slope + _unseen(back, REACHES[i - 1])) * kept[i - 1]
        slope = slope * batch.within * (states[1] > 0)
        out["weights0"], out["bias0"] = states[0].T @ slope, slope.sum(axis=0)
        slope = (slope @ small["weights0"].T) * batch.within
        out["gaps"] = np.stack([slope[batch.gaps == gap].sum(axis=0) for gap in range(GAPS)])
        places = np.arange(len(slope))
        shape = (len(batch.features), len(slope))
        ones = np.ones(len(slope), dtype=np.float32)
        return csr_matrix((ones, (batch.which, places)), shape=shape) @ slope, out

    def _adam(self, name: str, weights: Array, slope: Array, rows: Any, rate: float) -> None:
        first, second = self._moments[name]
        first[rows] = moved = _B1 * first[rows] + (1 - _B1) * slope
        second[rows] = spread = _B2 * second[rows] + (1 - _B2) * slope * slope
        step = rate * np.sqrt(1 - _B2**self._steps) / (1 - _B1**self._steps)
        weights[rows] -= step * moved / (np.sqrt(spread) + _EPSILON)

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """What is saved: the table as int8, the rest in halves.

        The scales of the table's columns go into the first layer, which then stays whole.
        """
        scale = np.maximum(np.quantile(np.abs(self.table), 0.9998, axis=0), 1e-6) / 127
        scale = scale.astype(np.float32)
        yield "table", np.clip(np.rint(self.table / scale), -127, 127).astype(np.int8)
        yield "gaps", (self.small["gaps"] / scale).astype(np.float16)
        yield "weights0", self.small["weights0"] * scale[:, None]
        for name, value in self.small.items():
            if name not in ("gaps", "weights0"):
                yield name, value.astype(np.float16)


def _rows_used(features: Array) -> tuple[Array, Any]:
    """The rows that some word uses, and a matrix that tells which: (rows, words)."""
    rows, inverse = np.unique(features, return_inverse=True)
    words = np.repeat(np.arange(len(features)), FEATURES)
    ones = (features.ravel() > 0).astype(np.float32)
    return rows, csr_matrix((ones, (inverse.ravel(), words)), shape=(len(rows), len(features)))


def _seen(state: Array, reach: int) -> Array:
    width = state.shape[1]
    out = np.zeros((len(state), 3 * width), dtype=np.float32)
    out[reach:, :width] = state[:-reach]
    out[:, width : 2 * width] = state
    out[:-reach, 2 * width :] = state[reach:]
    return out


def _unseen(slope: Array, reach: int) -> Array:
    """The slope of the states of which `_seen` was made."""
    width = slope.shape[1] // 3
    out = slope[:, width : 2 * width].copy()
    out[:-reach] += slope[reach:, :width]
    out[reach:] += slope[:-reach, 2 * width :]
    return out
