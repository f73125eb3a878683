from __future__ import annotations

from gateway.detectors._overlaps import settled
from gateway.detectors._reading import Found


def test_check_digits_and_words_decide() -> None:
    checked = ("A", Found(0, 9, 1.0, checked=True, gap=30))
    said = ("B", Found(0, 9, 0.7, gap=2))
    assert settled([said, checked]) == [checked]
    assert settled([said, ("C", Found(0, 9, 0.4))]) == [said]


def test_the_closer_word_decides_between_equals() -> None:
    near, far = ("A", Found(0, 9, 0.7, gap=1)), ("B", Found(0, 9, 0.9, gap=20))
    assert settled([far, near]) == [near]


def test_what_cannot_be_told_apart_stays() -> None:
    one, other = ("A", Found(0, 9, 0.7, gap=1)), ("B", Found(0, 9, 0.7, gap=1))
    assert settled([other, one]) == [one, other]


def test_a_part_of_something_whole_goes() -> None:
    mail = ("EMAIL_ADDRESS", Found(0, 20, 1.0))
    assert settled([("PHONE_NUMBER", Found(2, 12, 0.75, gap=1)), mail]) == [mail]
    whole, part = ("A", Found(0, 9, 0.7, gap=1)), ("B", Found(3, 9, 0.7, gap=1))
    assert settled([part, whole]) == [whole]


def test_of_one_entity_the_longest_stays() -> None:
    long, short = ("A", Found(0, 9, 0.7)), ("A", Found(0, 5, 0.7))
    assert settled([short, long]) == [long]


def test_neighbours_do_not_touch() -> None:
    claims = [("A", Found(0, 5, 0.7)), ("B", Found(5, 9, 0.7))]
    assert settled(claims) == claims
