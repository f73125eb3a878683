from __future__ import annotations

import re

import regex
from hypothesis import given
from hypothesis import strategies as st

from gateway.detectors._fold import fold

EVERY = "".join(map(chr, range(0x80, 0x110000)))


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_one_byte_for_each_character(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_ascii_stays_as_it_is() -> None:
    text = "".join(map(chr, range(128)))
    assert fold(text) == text.encode()


def test_every_decimal_digit_becomes_its_value() -> None:
    digits = "".join(regex.findall(r"\d", EVERY))
    assert len(digits) >= 660
    assert fold(digits).isdigit()
    assert fold("٤١𝟗９") == b"4199"


def test_every_space_becomes_a_space() -> None:
    spaces = "".join(regex.findall(r"\s", EVERY) + re.findall(r"\s", EVERY))
    assert fold(spaces) == b" " * len(spaces)


def test_letters_that_equal_an_ascii_letter_become_it() -> None:
    letters = "".join(regex.findall("(?i)[a-z]", EVERY) + re.findall("(?i)[a-z]", EVERY))
    assert len(letters) >= 4
    assert fold(letters).isalpha()


def test_half_a_surrogate_pair_is_a_character_like_others() -> None:
    assert fold("a\ud800b") == b"a?b"
