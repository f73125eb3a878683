from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.core.errors import ConfigError
from gateway.detectors._ngrams import CHARS, grams
from gateway.detectors._scorer import ARRAYS, Scorer

BITS = 12
TEXTS = ["one two", "", "a text with some more words than the others have", "..."]


def scorer(*, summary: int = 3, units: int = 2) -> Scorer:
    rng = np.random.default_rng(7)

    def floats(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Scorer(
        labels=("first", "second"),
        table=rng.integers(-127, 128, (1 << BITS, 2)).astype(np.int8),
        scale=np.abs(floats(2)),
        words=rng.integers(-127, 128, (1 << 10, summary)).astype(np.int8),
        words_scale=np.abs(floats(summary)),
        inner=floats(summary, units),
        inner_bias=floats(units),
        outer=floats(units, 2),
        slope=np.ones(2, dtype=np.float32),
        offset=floats(2),
    )


def file(model: Scorer, path: Path) -> str:
    arrays = {name: getattr(model, name) for name in ARRAYS}
    np.savez_compressed(path, labels=np.array(model.labels), **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("summary", "units"), [(0, 0), (3, 2)])
def test_a_sum_is_that_of_the_n_grams_one_by_one(summary: int, units: int) -> None:
    model = scorer(summary=summary, units=units)
    for text, sums in zip(TEXTS, model.sums(TEXTS), strict=True):
        found = grams([text], BITS)
        row, summed = np.zeros(2), np.zeros(summary)
        for family, weight in enumerate(found.weights()[:, 0]):
            for bucket in found.buckets[found.starts[family, 0] : found.ends[family, 0]]:
                row += weight * model.table[bucket] * model.scale
                if family == len(CHARS):
                    summed += model.words[bucket >> 2] * model.words_scale
        direction = summed / max(np.linalg.norm(summed), 1e-6)
        layer = np.maximum(direction @ model.inner + model.inner_bias, 0)
        assert sums == pytest.approx(row + layer @ model.outer, rel=1e-4, abs=1e-3)


def test_a_score_is_a_probability_however_large_the_sum() -> None:
    model = replace(scorer(), slope=np.array([1e6, -1e6], dtype=np.float32))
    scores = model.scores(TEXTS)
    assert scores.shape == (4, 2)
    assert np.all((scores >= 0) & (scores <= 1))


def test_a_score_does_not_depend_on_the_texts_beside_it() -> None:
    model = scorer()
    alone = np.concatenate([model.scores([text]) for text in TEXTS])
    assert model.scores(TEXTS) == pytest.approx(alone, rel=1e-5)


def test_texts_without_words_may_stand_at_the_end() -> None:
    scores = scorer().scores(["some words here", "", "\n"])
    assert scores[1] == pytest.approx(scorer().scores([""])[0])


def test_no_texts_have_no_scores() -> None:
    assert scorer().scores([]).shape == (0, 2)


def test_a_model_is_what_was_written(tmp_path: Path) -> None:
    model, path = scorer(), tmp_path / "model.npz"
    read = Scorer.load(path, sha256=file(model, path))
    assert read.labels == model.labels
    assert np.array_equal(read.scores(TEXTS), model.scores(TEXTS))


def test_another_model_than_expected_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    digest = file(scorer(), path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ConfigError, match=r"model\.npz: not the model"):
        Scorer.load(path, sha256=digest)
    with pytest.raises(ConfigError, match="cannot be read"):
        Scorer.load(tmp_path / "none.npz", sha256=digest)


@pytest.mark.parametrize("count", [1, 7, 8, 40])
def test_labels_behind_the_first_are_told_where_they_are_worth_it(count: int) -> None:
    model = scorer()
    texts = [f"{word} and no more" for word in ("one", "two", "soup", "gun") * 10][-count:]
    everything = model.scores(texts)
    limit = float(np.quantile(everything[:, 0], 0.5)) + 1e-4
    some = model.scores(texts, worth=limit)
    worth = everything[:, 0] >= limit
    assert np.allclose(some[worth], everything[worth])
    assert np.allclose(some[:, 0], everything[:, 0])
    assert everything[~worth, 1:].all()
    assert not some[~worth, 1:].any()
    assert model.scores([], worth=limit).shape == (0, 2)
