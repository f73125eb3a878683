"""The transformer's arithmetic, on a small model of random numbers."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.core.errors import ConfigError
from gateway.detectors._encoder import Encoder, built
from gateway.detectors._pieces import SPACE

SIZE, HEADS, UNITS, LAYERS, PLACES, TOP = 64, 4, 96, 2, 12, 10
PIECES = ["<s>", "</s>", "<unk>", SPACE, "a", "b", f"{SPACE}ab", "c"]
FIRST, LAST, UNKNOWN = 0, 1, 2


def arrays() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(3)

    def floats(*shape: int) -> np.ndarray[Any, Any]:
        return rng.normal(size=shape).astype(np.float32)

    out: dict[str, np.ndarray[Any, Any]] = {
        "labels": np.array(["first", "second"]),
        "pieces": np.array(PIECES),
        "piece_scores": -np.arange(1, len(PIECES) + 1).astype(np.float16),
        "codes": rng.integers(0, 256, (len(PIECES), SIZE // 32, 16)).astype(np.uint8),
        "scales": np.abs(floats(len(PIECES), SIZE // 32)).astype(np.float16),
        "places": floats(PLACES, SIZE).astype(np.float16),
        "numbers": np.array([FIRST, LAST, UNKNOWN, HEADS, LAYERS]),
    }
    shapes = {"hidden": (2 * SIZE, TOP), "out": (TOP, 2)}
    norms = ["before"]
    for i in range(LAYERS):
        shapes |= {f"{i}.attend": (SIZE, 3 * SIZE), f"{i}.gather": (SIZE, SIZE)}
        shapes |= {f"{i}.widen": (SIZE, UNITS), f"{i}.narrow": (UNITS, SIZE)}
        norms += [f"{i}.after_attention", f"{i}.after_units"]
    for name, shape in shapes.items():
        out[f"{name}.weights"] = rng.integers(-127, 128, shape).astype(np.int8)
        out[f"{name}.scale"] = np.abs(floats(shape[1])) * np.float32(0.003)
        out[f"{name}.bias"] = floats(shape[1])
    for name in norms:
        out[f"{name}.scale"], out[f"{name}.shift"] = 1 + floats(SIZE) / 10, floats(SIZE) / 10
    return out


ARRAYS = arrays()


def slowly(text: str) -> list[float]:
    """What the model is said to be, number by number."""

    def dense(name: str, vector: list[float]) -> list[float]:
        weights, scale = ARRAYS[f"{name}.weights"], ARRAYS[f"{name}.scale"]
        return [
            sum(v * float(weights[i, j]) for i, v in enumerate(vector)) * float(scale[j])
            + float(ARRAYS[f"{name}.bias"][j])
            for j in range(len(scale))
        ]

    def norm(name: str, vector: list[float]) -> list[float]:
        mean = sum(vector) / len(vector)
        spread = math.sqrt(sum((v - mean) ** 2 for v in vector) / len(vector) + 1e-12)
        scale, shift = ARRAYS[f"{name}.scale"], ARRAYS[f"{name}.shift"]
        return [
            (v - mean) / spread * float(s) + float(t)
            for v, s, t in zip(vector, scale, shift, strict=True)
        ]

    def unit(v: float) -> float:
        return 0.5 * v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)))

    def vector(number: int, place: int) -> list[float]:
        out = []
        for codes, scale in zip(ARRAYS["codes"][number], ARRAYS["scales"][number], strict=True):
            halves = [*(int(c) & 15 for c in codes), *(int(c) >> 4 for c in codes)]
            out += [(half - 8) * float(scale) for half in halves]
        return [v + float(p) for v, p in zip(out, ARRAYS["places"][place], strict=True)]

    own = built(ARRAYS).pieces.numbers(text, PLACES - 2)
    xs = [norm("before", vector(n, i)) for i, n in enumerate([FIRST, *own, LAST])]
    for i in range(LAYERS):
        seen, wide = [dense(f"{i}.attend", x) for x in xs], SIZE // HEADS
        attended: list[list[float]] = [[] for _ in xs]
        for head in range(HEADS):
            q, k, v = (slice(part * SIZE + head * wide, part * SIZE + (head + 1) * wide)
                       for part in range(3))  # fmt: skip
            for at, x in enumerate(seen):
                likeness = [
                    math.exp(sum(a * b for a, b in zip(x[q], y[k], strict=True)) / math.sqrt(wide))
                    for y in seen
                ]
                attended[at] += [
                    sum(s * y[v][n] for s, y in zip(likeness, seen, strict=True)) / sum(likeness)
                    for n in range(wide)
                ]
        xs = [
            norm(f"{i}.after_attention", [a + b for a, b in zip(x, dense(f"{i}.gather", y),
                 strict=True)])
            for x, y in zip(xs, attended, strict=True)
        ]  # fmt: skip
        xs = [
            norm(f"{i}.after_units", [a + b for a, b in zip(
                 x, dense(f"{i}.narrow", list(map(unit, dense(f"{i}.widen", x)))), strict=True)])
            for x in xs
        ]  # fmt: skip
    columns = list(zip(*xs, strict=True))
    summary = [*(sum(c) / len(c) for c in columns), *map(max, columns)]
    return dense("out", list(map(unit, dense("hidden", summary))))


@pytest.mark.parametrize("text", ["", "ab c", "abba cab ?", "ab " * 40])
def test_it_computes_what_it_says(text: str) -> None:
    assert built(ARRAYS).logits(text).tolist() == pytest.approx(slowly(text), rel=1e-3, abs=1e-3)


def test_what_a_text_comes_to_does_not_depend_on_the_others() -> None:
    encoder = built(ARRAYS)
    texts = ["ab c", "", "abba cab " * 5, "?"]
    together = encoder.scores(texts)
    assert together.shape == (4, 2)
    for text, row in zip(texts, together, strict=True):
        assert (encoder.scores([text])[0] == row).all()
    assert encoder.scores([]).shape == (0, 2)


def test_the_order_of_words_counts() -> None:
    encoder = built(ARRAYS)
    assert not np.allclose(encoder.logits("ab c b"), encoder.logits("b c ab"))


def test_a_file_that_is_not_the_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    np.savez_compressed(path, **ARRAYS)  # type: ignore[arg-type]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert Encoder.load(path, sha256=digest).labels == ("first", "second")
    with pytest.raises(ConfigError, match="not the model"):
        Encoder.load(path, sha256="0" * 64)
