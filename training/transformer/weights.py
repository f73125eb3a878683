"""The model's file: plain arrays, by the names that `gateway.detectors._encoder.built` reads."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.transformer.e5 import HEADS

Arrays = dict[str, NDArray[Any]]

_DENSE = ("attend", "gather", "widen", "narrow")
_NORMS = ("after_attention", "after_units")


def arrays(
    *,
    labels: tuple[str, ...],
    pieces: Mapping[str, float],
    codes: NDArray[np.uint8],
    scales: NDArray[np.float16],
    places: NDArray[np.float32],
    before: Mapping[str, NDArray[np.float32]],
    layers: list[Any],
    top: Any,
    numbers: tuple[int, int, int],
) -> Arrays:
    """Everything, weights in 8 bits with a scale for each number that comes out.

    pieces: with their scores. numbers: of the pieces first, last and unknown.
    """
    out: Arrays = {
        "labels": np.array(labels),
        "pieces": np.array(list(pieces)),
        "piece_scores": np.array(list(pieces.values()), np.float16),
        "codes": codes,
        "scales": scales,
        "places": places.astype(np.float16),
        "numbers": np.array([*numbers, HEADS, len(layers)]),
        **_norm("before", before),
    }
    for i, layer in enumerate(layers):
        for name in _DENSE:
            out.update(_dense(f"{i}.{name}", layer[name]))
        for name in _NORMS:
            out.update(_norm(f"{i}.{name}", layer[name]))
    return {**out, **_dense("hidden", top["hidden"]), **_dense("out", top["out"])}


def save(found: Arrays, path: Path) -> str:
    """Writes the file; its SHA-256."""
    out = io.BytesIO()
    np.savez_compressed(out, **found)  # type: ignore[arg-type]
    path.write_bytes(out.getvalue())
    return hashlib.sha256(out.getvalue()).hexdigest()


def _dense(name: str, of: Any) -> Arrays:
    weights = np.asarray(of["weights"])
    scale = np.maximum(np.abs(weights).max(axis=0) / 127, 1e-8)
    return {
        f"{name}.weights": np.rint(weights / scale).astype(np.int8),
        f"{name}.scale": scale.astype(np.float32),
        f"{name}.bias": np.asarray(of["bias"], dtype=np.float32),
    }


def _norm(name: str, of: Any) -> Arrays:
    return {f"{name}.{key}": np.asarray(of[key], dtype=np.float32) for key in ("scale", "shift")}
