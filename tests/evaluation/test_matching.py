from __future__ import annotations

import pytest

from gateway.evaluation.entities import Entity
from gateway.evaluation.matching import leaks, overlap, strict
from gateway.evaluation.rates import Counts

P, L = "PERSON", "LOCATION"


def entities(*places: tuple[int, int], type_: str = P) -> list[Entity]:
    return [Entity(start, end, type_) for start, end in places]


@pytest.mark.parametrize(
    ("true", "found", "counts"),
    [
        ([(0, 10)], [(0, 10)], Counts(1, 0, 0)),
        ([(0, 10)], [(0, 5)], Counts(1, 0, 0)),  # 5 of 10
        ([(0, 10)], [(0, 4)], Counts(0, 1, 1)),  # 4 of 10
        ([(0, 10)], [(0, 20)], Counts(1, 0, 0)),  # 10 of 20
        ([(0, 10)], [(5, 15)], Counts(0, 1, 1)),  # 5 of 15
        ([(0, 10)], [(0, 10), (0, 6)], Counts(1, 1, 0)),
        ([(0, 4), (5, 9)], [(0, 9)], Counts(0, 1, 2)),  # 4 of 9
        ([(0, 10)], [], Counts(0, 0, 1)),
        # In order of place the first would take what fits the second alone.
        ([(0, 10), (0, 5)], [(0, 6), (0, 12)], Counts(2, 0, 0)),
    ],
)
def test_half_the_characters_in_common_is_a_hit(
    true: list[tuple[int, int]], found: list[tuple[int, int]], counts: Counts
) -> None:
    assert overlap(entities(*true), entities(*found)) == {P: counts}


def test_another_type_is_a_miss_and_an_alarm() -> None:
    by_type = {P: Counts(misses=1), L: Counts(alarms=1)}
    true, found = entities((0, 9)), entities((0, 9), type_=L)
    assert overlap(true, found) == strict("Anna Lind", true, found) == by_type


def test_strict_asks_for_the_same_edges() -> None:
    text = "Dear Anna Lind, hello"
    assert strict(text, entities((5, 14)), entities((4, 15))) == {P: Counts(1, 0, 0)}
    assert strict(text, entities((5, 14)), entities((5, 9))) == {P: Counts(0, 1, 1)}
    assert strict(text, entities((5, 14)), entities((5, 14), (4, 15))) == {P: Counts(1, 1, 0)}


@pytest.mark.parametrize(
    ("found", "leaking"),
    [([(0, 5)], False), ([(0, 4)], True), ([(0, 3), (8, 10)], False), ([(0, 4), (2, 4)], True)],
)
def test_less_than_half_covered_leaks(found: list[tuple[int, int]], leaking: bool) -> None:
    assert leaks(entities((0, 10)), entities(*found, type_=L)) is leaking


def test_one_uncovered_entity_is_a_leak() -> None:
    assert leaks(entities((0, 4), (10, 14)), entities((0, 4)))
    assert not leaks([], entities((0, 4)))
