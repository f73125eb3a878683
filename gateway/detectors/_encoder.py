"""A small transformer that reads a text and says how likely each of its labels is, in numpy.

Layers of self-attention over pieces of words (Vaswani et al., 2017, arXiv 1706.03762, normalised
after each step as in BERT), the mean and the highest of what they come to, and two layers on
top. Each text is read by itself, so what it comes to never depends on what it is judged with.

    encoder = Encoder.load(Path("some.npz"), sha256="...")
    encoder.scores(["a text", "another"])   # float32 of shape (2, len(encoder.labels))

Models are made by training/transformer and are plain arrays; nothing in them is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.detectors._pieces import Pieces
from gateway.detectors._weights import read_arrays

Floats = NDArray[np.float32]

# Numbers of a vector that share a scale in the table of pieces.
GROUP = 32
_EPSILON = 1e-12
_GELU = float(np.sqrt(2 / np.pi))


@dataclass(frozen=True, slots=True)
class Dense:
    """What is multiplied with and added. weights: (in, out)."""

    weights: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        return x @ self.weights + self.bias


@dataclass(frozen=True, slots=True)
class Norm:
    """Layer normalisation (Ba et al., 2016)."""

    scale: Floats
    shift: Floats

    def __call__(self, x: Floats) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + _EPSILON)
        return np.asarray(centred / deviation * self.scale + self.shift, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer. attend: to queries, keys and values of all heads at once."""

    attend: Dense
    gather: Dense
    after_attention: Norm
    widen: Dense
    narrow: Dense
    after_units: Norm

    def __call__(self, x: Floats, heads: int) -> Floats:
        x = self.after_attention(x + self.gather(self._attention(x, heads)))
        return self.after_units(x + self.narrow(_gelu(self.widen(x))))

    def _attention(self, x: Floats, heads: int) -> Floats:
        count, size = x.shape
        parts = self.attend(x).reshape(count, 3, heads, size // heads)
        queries, keys, values = parts.transpose(1, 2, 0, 3)
        likeness = queries @ keys.transpose(0, 2, 1) / np.float32(np.sqrt(size // heads))
        likeness -= likeness.max(axis=-1, keepdims=True)
        shares = np.exp(likeness)
        shares /= shares.sum(axis=-1, keepdims=True)
        return np.asarray((shares @ values).transpose(1, 0, 2).reshape(count, size))


@dataclass(frozen=True, slots=True)
class Encoder:
    """A trained model. V pieces, S numbers in a vector.

    codes: (V, S // 32, 16), vectors of pieces in 4 bits, the first half of a group in the low
    ones; scales: (V, S // 32). places: (pieces of a text at most, S).
    first, last: the pieces that stand around a text.
    """

    labels: tuple[str, ...]
    pieces: Pieces
    codes: NDArray[np.uint8]
    scales: NDArray[np.float16]
    places: Floats
    before: Norm
    layers: Sequence[Layer]
    heads: int
    hidden: Dense
    out: Dense
    first: int
    last: int

    @staticmethod
    def load(path: Path, *, sha256: str) -> Encoder:
        """Reads a model. Raises ConfigError if it is not the one with this digest."""
        return built(read_arrays(path, sha256=sha256))

    def scores(self, texts: Sequence[str]) -> Floats:
        """The probability of each label for each text, of shape (texts, labels)."""
        if not texts:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        logits = np.stack([self.logits(text) for text in texts])
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)

    def logits(self, text: str) -> Floats:
        """What `scores` makes probabilities of, for one text."""
        own = self.pieces.numbers(text, len(self.places) - 2)
        numbers = np.array([self.first, *own, self.last])
        x = self.before(self._vectors(numbers) + self.places[: len(numbers)])
        for layer in self.layers:
            x = layer(x, self.heads)
        return self.out(_gelu(self.hidden(np.concatenate((x.mean(axis=0), x.max(axis=0))))))

    def _vectors(self, numbers: NDArray[np.intp]) -> Floats:
        codes = self.codes[numbers]
        values = np.concatenate((codes & 15, codes >> 4), axis=-1).astype(np.float32) - 8
        values *= self.scales[numbers].astype(np.float32)[..., None]
        return values.reshape(len(numbers), -1)


def built(arrays: Mapping[str, NDArray[Any]]) -> Encoder:
    """A model of the arrays of its file: see training/transformer/weights.py."""

    def dense(name: str) -> Dense:
        scale = arrays[f"{name}.scale"]
        return Dense(arrays[f"{name}.weights"].astype(np.float32) * scale, arrays[f"{name}.bias"])

    def norm(name: str) -> Norm:
        return Norm(arrays[f"{name}.scale"], arrays[f"{name}.shift"])

    first, last, unknown, heads, layers = map(int, arrays["numbers"])
    return Encoder(
        labels=tuple(str(label) for label in arrays["labels"]),
        pieces=Pieces(
            [str(piece) for piece in arrays["pieces"]],
            arrays["piece_scores"].tolist(),
            unknown=unknown,
        ),
        codes=arrays["codes"],
        scales=arrays["scales"],
        places=arrays["places"].astype(np.float32),
        before=norm("before"),
        layers=[
            Layer(
                attend=dense(f"{i}.attend"),
                gather=dense(f"{i}.gather"),
                after_attention=norm(f"{i}.after_attention"),
                widen=dense(f"{i}.widen"),
                narrow=dense(f"{i}.narrow"),
                after_units=norm(f"{i}.after_units"),
            )
            for i in range(layers)
        ],
        heads=heads,
        hidden=dense("hidden"),
        out=dense("out"),
        first=first,
        last=last,
    )


def _gelu(x: Floats) -> Floats:
    """The Gaussian error linear unit, by its approximation with tanh (arXiv 1606.08415)."""
    return np.asarray(0.5 * x * (1 + np.tanh(_GELU * (x + 0.044715 * x * x * x))), np.float32)
