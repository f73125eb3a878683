"""The trainer, where what it needs is installed (`--group training`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")

from gateway.detectors._scorer import Scorer
from training.scorer import NO_VECTORS, Settings, Vectors, calibrated, fit, matrix, save

NAN = float("nan")
COLOURS, PETS = ("red", "green", "blue"), ("cat", "dog", "horse")
TEXTS = [f"the {one} {two}" for one in COLOURS for two in PETS for _ in range(20)]
TARGETS = np.array(
    [[float("red" in t), NAN if "dog" in t else float("cat" in t)] for t in TEXTS], np.float32
)
LABELS = ("red", "cat")


VECTORS = Vectors(
    np.random.default_rng(1).integers(-127, 128, (1 << 10, 8)).astype(np.int8),
    np.ones(8, np.float32),
)


def model(units: int = 0, vectors: Vectors = NO_VECTORS) -> Scorer:
    settings = Settings(bits=12, epochs=20, units=units)
    return fit(TEXTS, TARGETS, labels=LABELS, settings=settings, vectors=vectors)


@pytest.mark.parametrize(("units", "vectors"), [(0, NO_VECTORS), (6, VECTORS)])
def test_a_model_learns_its_labels_and_is_written(
    tmp_path: Path, units: int, vectors: Vectors
) -> None:
    found = calibrated(model(units, vectors), TEXTS, TARGETS)
    read = Scorer.load(tmp_path / "m.npz", sha256=save(found, tmp_path / "m.npz"))
    red_cat, blue_horse = read.scores(["a red cat", "a blue horse"])
    assert (red_cat > 0.5).all()
    assert (blue_horse < 0.5).all()


def test_the_same_texts_give_the_same_weights() -> None:
    assert np.array_equal(model().table, model().table)


def test_training_and_running_see_the_same() -> None:
    found = model()
    seen = matrix(TEXTS[:50:10], 12) @ (found.table * found.scale)
    assert np.allclose(seen, found.sums(TEXTS[:50:10]), rtol=1e-3, atol=1e-4)


def test_calibration_never_turns_a_label_upside_down() -> None:
    found = calibrated(model(), TEXTS, 1 - TARGETS)
    assert (found.slope >= 0).all()
