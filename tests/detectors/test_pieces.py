"""Text as pieces of words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detectors._pieces import SPACE, Pieces

SCORES = {
    "<unk>": 0.0,
    SPACE: -4.0,
    f"{SPACE}un": -3.0,
    f"{SPACE}unable": -9.0,
    "able": -3.5,
    "a": -5.0,
    "b": -5.0,
    "l": -5.0,
    "e": -5.0,
    "fi": -4.0,
}
NAMES = list(SCORES)


def cut(text: str, most: int = 50) -> list[str]:
    pieces = Pieces(NAMES, list(SCORES.values()), unknown=0)
    return [NAMES[number] for number in pieces.numbers(text, most)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("  \n", []),
        # -3 and -3.5 are more than -9.
        ("unable", [f"{SPACE}un", "able"]),
        ("a  able\n", [SPACE, "a", SPACE, "able"]),
        ("unx", [f"{SPACE}un", "<unk>"]),
        # A ligature and letters of full width are what they stand for.
        ("\ufb01", [SPACE, "fi"]),
        ("\uff55\uff4e", [f"{SPACE}un"]),
        ("日", [SPACE, "<unk>"]),
    ],
)
def test_a_word_is_cut_so_that_its_pieces_are_likeliest(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces


def test_no_more_pieces_than_asked_for() -> None:
    assert cut("unable " * 30, most=5) == [f"{SPACE}un", "able"] * 2 + [f"{SPACE}un"]


def test_a_word_without_end_is_cut_in_parts() -> None:
    found = cut("able" * 1_000, most=10_000)
    assert "".join(found).removeprefix(SPACE) == "able" * 1_000


@given(st.text(alphabet="unable fi x", max_size=150))
def test_pieces_put_together_are_the_text(text: str) -> None:
    words = text.split()
    # What is unknown stands for one character each.
    expected = [SPACE + word for word in words]
    found = "".join("x" if piece == "<unk>" else piece for piece in cut(text, most=1_000))
    unknown = str.maketrans({"u": "x", "n": "x", "f": "x", "i": "x"})
    assert len(found) == sum(map(len, expected))
    assert found.translate(unknown) == "".join(expected).translate(unknown)
