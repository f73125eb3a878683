from __future__ import annotations

import regex
from hypothesis import given
from hypothesis import strategies as st

from gateway.detectors._fold import fold

EVERY = [chr(code) for code in range(0x80, 0x110000)]


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_one_byte_for_each_character(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_ascii_stays_as_it_is() -> None:
    text = "".join(map(chr, range(128)))
    assert fold(text) == text.encode()


def test_every_decimal_digit_becomes_its_value() -> None:
    digits = [c for c in EVERY if regex.fullmatch(r"\d", c)]
    assert len(digits) >= 660
    assert fold("".join(digits)).isdigit()
    assert fold("٤١𝟗９") == b"4199"


def test_every_space_becomes_a_space() -> None:
    spaces = [c for c in EVERY if regex.fullmatch(r"\s", c) or c.isspace()]
    assert fold("".join(spaces)) == b" " * len(spaces)


def test_letters_that_equal_an_ascii_letter_become_it() -> None:
    letters = [c for c in EVERY if regex.fullmatch("(?i)[a-z]", c)]
    assert fold("".join(letters)).isalpha()


def test_half_a_surrogate_pair_is_a_character_like_others() -> None:
    assert fold("a\ud800b") == b"a?b"
