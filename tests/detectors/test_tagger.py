from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gateway.core.errors import ConfigError
from gateway.detectors import _tagger
from gateway.detectors._hashed import GAPS, ROW_BITS
from gateway.detectors._tagger import APART, REACHES, Spotted, Weights, read, spot
from gateway.detectors._tags import TAGS, TYPES

WIDTH = 8


@pytest.fixture
def weights() -> Weights:
    """Random ones, that see something in many words."""
    rng = np.random.default_rng(5)

    def floats(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Weights(
        rng.integers(-127, 128, (1 << ROW_BITS, WIDTH)).astype(np.int8),
        floats(GAPS, WIDTH) * 50,
        [
            (floats(WIDTH, WIDTH) * 0.01, floats(WIDTH)),
            *((floats(3 * WIDTH, WIDTH) * 0.2, floats(WIDTH)) for _ in REACHES),
            (floats(WIDTH, TAGS), floats(TAGS)),
        ],
    )


TEXTS = [
    "Jane Doe lives in Berlin",
    "",
    "one",
    "A rather long text, with many words in it; and then some more words, up to its end.",
    "x",
]


def places(found: list[Spotted]) -> list[tuple[int, int, str]]:
    return [(each.start, each.end, each.type) for each in found]


def test_a_text_is_judged_alike_whatever_it_is_judged_with(weights: Weights) -> None:
    alone = [spot(weights, [text])[0] for text in TEXTS]
    assert any(alone)
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 3, 1, 0, 0, 3]):
        together = spot(weights, [TEXTS[i] for i in order])
        for i, found in zip(order, together, strict=True):
            assert places(found) == places(alone[i])
            assert [f.score for f in found] == pytest.approx([f.score for f in alone[i]], abs=2e-4)


def test_many_texts_are_judged_in_several_passes(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = spot(weights, TEXTS * 3)
    monkeypatch.setattr(_tagger, "_PASS_WORDS", 10)
    assert [places(f) for f in spot(weights, TEXTS * 3)] == [places(f) for f in at_once]


def test_words_further_away_than_all_reaches_do_not_matter(weights: Weights) -> None:
    far = "w " * (sum(REACHES) + 1)
    (one,) = spot(weights, ["here " + far + "end"])
    (other,) = spot(weights, ["gone " + far + "end"])
    assert [f for f in places(one) if f[0] > len(far)] == [
        f for f in places(other) if f[0] > len(far)
    ]
    assert max(REACHES) <= APART


def test_no_texts_and_texts_without_words(weights: Weights) -> None:
    assert spot(weights, []) == []
    assert spot(weights, ["", "  "]) == [[], []]


def test_weights_of_another_digest_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(b"something else")
    with pytest.raises(ConfigError, match="not the model that belongs to this version"):
        read(path, sha256="0" * 64)
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "none.npz", sha256="0" * 64)


def test_runs_of_a_type_are_one_and_a_beginning_begins() -> None:
    person, place = TYPES.index("PERSON"), TYPES.index("LOCATION")
    likely = np.full((6, TAGS), 0.01)
    for word, tag in enumerate(
        [1 + 2 * person, 2 + 2 * person, 1 + 2 * person, 0, 2 + 2 * place, 1 + 2 * place]
    ):
        likely[word, tag] = 0.8
    at = np.arange(6)
    first, second = _tagger._spans(likely, at, at + 1, np.array([0, 0, 0, 0, 0, 1]), 2)
    assert places(first) == [(0, 2, "PERSON"), (2, 3, "PERSON"), (4, 5, "LOCATION")]
    assert places(second) == [(5, 6, "LOCATION")]
