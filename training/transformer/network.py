"""What `gateway.detectors._encoder` runs, in jax, with its way back.

The pieces' vectors and the lowest layers stay as they were: what words mean comes from more
texts than are here. The other layers and the two on top learn by Adam (Kingma & Ba, 2015) with
weights shrunk beside it, each step on texts of about one length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

# Random numbers that cost little; the same ones for the same version and processor.
jax.config.update("jax_default_prng_impl", "rbg")

Floats = NDArray[np.float32]
Tree = Any

_EPSILON = 1e-12
_UNKNOWN, _NOTHING, _SPECIAL = 3, 1, 4
# Pieces of one step, and how long texts may be: each length is compiled once.
_STEP_PIECES = 2_304
LENGTHS = (24, 48, 96, 160)
_SORTED_TOGETHER = 4_096
_LONGEST_GRADIENT = 1.0
_BETA1, _BETA2, _TINY, _SHRINK = 0.9, 0.98, 1e-6, 0.01


@dataclass(frozen=True, slots=True)
class Settings:
    """How to fit. frozen: layers that stay. rate: the highest one of the layers; those on top
    learn at `top` times that. warm: the share of steps in which the rate rises; it then falls to
    nothing. hide: the share of pieces that are hidden in each step, against learning texts by
    heart; drop: of what is seen on top.
    """

    layers: int = 6
    frozen: int = 2
    units: int = 256
    rate: float = 1e-4
    top: float = 8.0
    warm: float = 0.06
    hide: float = 0.07
    drop: float = 0.15
    which: float = 0.3
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Base:
    """What does not change. vectors: (V, S); heads: of each layer."""

    vectors: Floats
    places: Floats
    before: dict[str, Floats]
    frozen: Sequence[Tree]
    heads: int


def padded(texts: Sequence[Sequence[int]], first: int, last: int) -> NDArray[np.int32]:
    """Pieces of texts of at most one of LENGTHS, with what stands around and behind them."""
    length = fitting(max(map(len, texts)))
    out = np.full((len(texts), length), _NOTHING, dtype=np.int32)
    for row, pieces in zip(out, texts, strict=True):
        row[: len(pieces) + 2] = [first, *pieces, last]
    return out


def fitting(pieces: int) -> int:
    """The length that a text of so many pieces is padded to."""
    return next(length for length in LENGTHS if pieces + 2 <= length)


def batches(
    lengths: Sequence[int], chosen: NDArray[np.intp], rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """The chosen texts in steps, each of one length and always as many of that length."""
    out = []
    for start in range(0, len(chosen), _SORTED_TOGETHER):
        part = chosen[start : start + _SORTED_TOGETHER]
        padded_to = np.array([fitting(lengths[i]) for i in part])
        for length in LENGTHS:
            own, size = part[padded_to == length], max(8, _STEP_PIECES // length)
            for at in range(0, len(own), size):
                step = own[at : at + size]
                out.append(np.concatenate((step, rng.choice(own, size - len(step)))))
    yield from (out[i] for i in rng.permutation(len(out)))


def top(settings: Settings, size: int, labels: int) -> Tree:
    """The two layers on top, before they have learnt."""
    rng = np.random.default_rng(settings.seed)
    return {
        "hidden": {
            "weights": (rng.standard_normal((2 * size, settings.units)) * 0.03).astype(np.float32),
            "bias": np.zeros(settings.units, np.float32),
        },
        "out": {
            "weights": (rng.standard_normal((settings.units, labels)) * 0.05).astype(np.float32),
            "bias": np.zeros(labels, np.float32),
        },
    }


class Fit:
    """Learns step by step. layers: those that are not frozen, as `e5.E5.layer` gives them."""

    def __init__(self, base: Base, layers: Sequence[Tree], labels: int, settings: Settings) -> None:
        self._base = jax.tree.map(jnp.asarray, base.frozen)
        self._settings = settings
        size = base.vectors.shape[1]
        learnt = {"layers": list(layers), "top": top(settings, size, labels)}
        self.learnt: Tree = jax.tree.map(jnp.asarray, learnt)
        self._first = jax.tree.map(jnp.zeros_like, self.learnt)
        self._second = jax.tree.map(jnp.zeros_like, self.learnt)
        self._key = jax.random.PRNGKey(settings.seed)
        self._count = 0
        fixed = (jnp.asarray(base.vectors), jnp.asarray(base.places), base.before)
        self._forward = partial(_forward, fixed, self._base, base.heads)
        self._judge = jax.jit(lambda learnt, pieces: self._forward(learnt, pieces, None, settings))
        self._step = jax.jit(self._stepped, donate_argnums=(0, 1, 2))

    def step(self, pieces: NDArray[np.int32], targets: Floats, counts: Floats, rate: float) -> None:
        """targets: (texts, labels), NaN where not known. counts: (texts, labels)."""
        self._key, key = jax.random.split(self._key)
        self._count += 1
        self.learnt, self._first, self._second = self._step(
            self.learnt, self._first, self._second, float(self._count), rate,
            pieces, targets, counts, key,
        )  # fmt: skip

    def logits(self, pieces: NDArray[np.int32]) -> Floats:
        """Of shape (texts, labels)."""
        return np.asarray(self._judge(self.learnt, pieces))

    def _stepped(
        self, learnt: Tree, first: Tree, second: Tree, count: float, rate: float,
        pieces: Any, targets: Any, counts: Any, key: Any,
    ) -> tuple[Tree, Tree, Tree]:  # fmt: skip
        def loss(learnt: Tree) -> Any:
            logits = self._forward(learnt, pieces, key, self._settings)
            known = ~jnp.isnan(targets)
            aims = jnp.where(known, targets, 0.0)
            entropy = jnp.maximum(logits, 0) - logits * aims + jnp.log1p(jnp.exp(-abs(logits)))
            return (entropy * known * counts).sum() / len(targets)

        slopes = jax.grad(loss)(learnt)
        length = jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(slopes)))
        slopes = jax.tree.map(lambda x: x * jnp.minimum(1.0, _LONGEST_GRADIENT / length), slopes)
        first = jax.tree.map(lambda m, x: _BETA1 * m + (1 - _BETA1) * x, first, slopes)
        second = jax.tree.map(lambda v, x: _BETA2 * v + (1 - _BETA2) * x * x, second, slopes)

        def moved(path: Any, old: Any, m: Any, v: Any) -> Any:
            own = rate * (self._settings.top if path[0].key == "top" else 1.0)
            by = (m / (1 - _BETA1**count)) / (jnp.sqrt(v / (1 - _BETA2**count)) + _TINY)
            return old - own * (by + (_SHRINK * old if old.ndim == 2 else 0.0))

        return jax.tree_util.tree_map_with_path(moved, learnt, first, second), first, second


def _forward(
    fixed: Any, frozen: Any, heads: int, learnt: Tree, pieces: Any, key: Any, settings: Settings
) -> Any:
    """The logits; with a key, as while learning."""
    vectors, places, before = fixed
    there = (pieces != _NOTHING).astype(jnp.float32)
    hidden = (there - 1)[:, None, None, :] * 1e9
    if key is not None:
        key, own = jax.random.split(key)
        hide = jax.random.bernoulli(own, settings.hide, pieces.shape) & (pieces >= _SPECIAL)
        pieces = jnp.where(hide, _UNKNOWN, pieces)
    x = _norm(vectors[pieces] + places[: pieces.shape[1]], before)
    for layer in frozen:
        x = _layer(x, layer, hidden, heads)
    x = jax.lax.stop_gradient(x)
    for layer in learnt["layers"]:
        x = _layer(x, layer, hidden, heads)
    mean = (x * there[..., None]).sum(1) / there.sum(1, keepdims=True)
    highest = (x + (there[..., None] - 1) * 1e9).max(1)
    seen = jnp.concatenate([mean, highest], -1)
    if key is not None:
        kept = jax.random.bernoulli(key, 1 - settings.drop, seen.shape)
        seen = seen * kept / (1 - settings.drop)
    return _dense(_gelu(_dense(seen, learnt["top"]["hidden"])), learnt["top"]["out"])


def _layer(x: Any, layer: Tree, hidden: Any, heads: int) -> Any:
    texts, length, size = x.shape
    parts = jnp.split(_dense(x, layer["attend"]), 3, -1)
    queries, keys, values = (
        part.reshape(texts, length, heads, size // heads).transpose(0, 2, 1, 3) for part in parts
    )
    likeness = queries @ keys.transpose(0, 1, 3, 2) * (size // heads) ** -0.5 + hidden
    seen = (jax.nn.softmax(likeness, -1) @ values).transpose(0, 2, 1, 3).reshape(x.shape)
    x = _norm(x + _dense(seen, layer["gather"]), layer["after_attention"])
    return _norm(
        x + _dense(_gelu(_dense(x, layer["widen"])), layer["narrow"]), layer["after_units"]
    )


def _dense(x: Any, of: Tree) -> Any:
    return x @ of["weights"] + of["bias"]


def _norm(x: Any, of: Tree) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    deviation = jnp.sqrt((centred * centred).mean(-1, keepdims=True) + _EPSILON)
    return centred / deviation * of["scale"] + of["shift"]


def _gelu(x: Any) -> Any:
    return jax.nn.gelu(x, approximate=True)
