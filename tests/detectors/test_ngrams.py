from __future__ import annotations

import numpy as np
import pytest

from gateway.detectors._ngrams import CHARS, WORDS, fold, grams

TEXTS = [
    "Über 30 kleine Töne!",
    "",
    "a",
    "\n\n",
    "日本語のテキスト",
    "x\ud800y",
    "one two three four",
]


def of(text: str) -> set[int]:
    return set(grams([text], 18).buckets.tolist())


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Hello\n\n  World", " hello world "),
        ("ÉCOLE straße", " ecole strasse "),
        ("ｆｕｌｌ\u200b wi\u00addth", " full width "),
        ("in 2026", " in 0000 "),
        ("", "  "),
    ],
)
def test_what_does_not_count_is_folded_away(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_n_grams_do_not_depend_on_the_texts_beside_them() -> None:
    together = grams(TEXTS, 18)
    for place, text in enumerate(TEXTS):
        alone = grams([text], 18)
        for family in range(len(CHARS) + len(WORDS)):
            spans = [
                found.buckets[found.starts[family, i] : found.ends[family, i]].tolist()
                for found, i in ((together, place), (alone, 0))
            ]
            assert spans[0] == spans[1]


def test_each_run_is_counted_once() -> None:
    found = grams(["one two three four"], 18)
    chars = len(" one two three four ")
    sizes = (found.ends - found.starts)[:, 0].tolist()
    assert sizes == [*(chars - n + 1 for n in CHARS), *(4 - n + 1 for n in WORDS)]
    assert sum(sizes) == len(found.buckets)


def test_words_are_told_apart_by_their_order() -> None:
    assert of("dog bites man") != of("man bites dog")


def test_case_and_accents_make_no_difference() -> None:
    assert of("L'École") == of("l'ecole")


def test_lengths_are_evened_out() -> None:
    for text in ("short", "a longer text of several words " * 9):
        found = grams([text], 18)
        squares = (found.weights() ** 2 * (found.ends - found.starts)).sum(axis=0)
        assert squares == pytest.approx(2.0)


def test_hashes_are_those_that_models_were_trained_with() -> None:
    """If they change, every model in the tree must be trained again."""
    found = grams(["Trained models know these hashes."], 18).buckets
    assert (len(found), int(found.sum()), found[:3].tolist()) == (
        108,
        15106839,
        [8314, 42548, 111751],
    )
    assert np.all(found < 1 << 18)
