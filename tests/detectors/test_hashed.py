from __future__ import annotations

import hashlib

import numpy as np
import pytest

from gateway.detectors._hashed import FEATURES, PREFIXES, WORD_CHARS, rows, split

SPLITS = [
    ("Jane O'Brien", ["Jane", "O", "'", "Brien"]),
    ("first_name", ["first", "_", "name"]),
    ("a  \n\t b\nc", ["a", "  \n\t ", "b", "\n", "c"]),
    ("Łódź,90-001", ["Łódź", ",", "90", "-", "001"]),
    ("x" * (WORD_CHARS + 1), ["x" * WORD_CHARS, "x"]),
    ("", []),
    (" ", []),
]


@pytest.mark.parametrize(("text", "expected"), SPLITS)
def test_a_text_is_split_into_words_marks_and_line_ends(text: str, expected: list[str]) -> None:
    words = split([text])
    assert [text[a:b] for a, b in zip(words.starts, words.ends, strict=True)] == expected
    assert [words.known[i] for i in words.which] == expected
    assert words.counts == [len(expected)]


def test_gaps_are_none_one_character_or_more() -> None:
    assert split(["a, b   c"]).gaps.tolist() == [0, 0, 1, 2]


def test_texts_follow_one_another_with_places_of_their_own() -> None:
    words = split(["one two", "", "two"])
    assert words.counts == [2, 0, 1]
    assert words.starts.tolist() == [0, 4, 0]
    assert words.which.tolist() == [0, 1, 1]


def test_case_changes_the_shape_alone() -> None:
    small, large = rows(["miller", "Miller"])
    assert (small == large).tolist() == [True] * (FEATURES - 2) + [False] * 2


def test_beginnings_that_a_word_is_too_short_for_are_none() -> None:
    (row,) = rows(["ab"])
    assert np.count_nonzero(row[1 : 1 + PREFIXES]) == 2
    assert row[3] == 0


@pytest.mark.parametrize("word", ["İstanbul", "ß", "\ud800", "𝔍ane", "e\u0301"])
def test_any_characters_are_hashed(word: str) -> None:
    assert rows([word]).shape == (1, FEATURES)


def test_the_hashes_are_those_that_the_weights_were_trained_with() -> None:
    found = rows(["Jane", "o", "12345", "\n", "Straße", "KT56", "van", "'"])
    digest = hashlib.sha256(found.astype("<u2").tobytes()).hexdigest()
    assert digest[:16] == "2188d7050f211642"
