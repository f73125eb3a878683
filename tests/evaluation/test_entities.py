from __future__ import annotations

import pytest

from gateway.evaluation.entities import Entity, coarse, counted, groups, merged, trimmed


def test_places_are_one_type_however_fine() -> None:
    for type_ in ("GPE", "CITY", "STREET_ADDRESS", "ZIP_CODE", "UK_POSTCODE", "LOCATION"):
        assert coarse(type_) == "LOCATION"
    assert coarse("ABA_ROUTING") == "ABA_ROUTING_NUMBER"
    assert coarse("PERSON") == "PERSON"


def test_what_is_neutral_does_not_count() -> None:
    neutral = ("ORGANIZATION", "DATE_TIME", "AGE", "NRP", "URL", "DOMAIN_NAME", "MEDICAL_ID")
    assert counted(Entity(0, 1, type_) for type_ in neutral) == []
    assert counted([Entity(5, 6, "GPE"), Entity(0, 1, "SEX")]) == [
        Entity(0, 1, "SEX"),
        Entity(5, 6, "LOCATION"),
    ]


def test_groups_tell_forms_from_names() -> None:
    assert groups("PERSON") == groups("LOCATION") == ("all", "names and places")
    assert groups("IBAN_CODE") == ("all", "with a form")
    assert groups("SEX") == ("all",)


@pytest.mark.parametrize(
    ("text", "places", "expected"),
    [
        ("Anna Lind", [(0, 4), (5, 9)], [(0, 9)]),
        ("Anna, — Lind", [(0, 4), (8, 12)], [(0, 4), (8, 12)]),  # four apart
        ("Anna--\nLind", [(0, 4), (7, 11)], [(0, 11)]),
        ("Anna o Lind", [(0, 4), (7, 11)], [(0, 4), (7, 11)]),  # a word between
        ("Anna_Lind", [(0, 4), (5, 9)], [(0, 4), (5, 9)]),  # part of a word
        ("Anna Lind", [(0, 9), (2, 4)], [(0, 9)]),
        ("A B C D", [(0, 1), (2, 3), (4, 5), (6, 7)], [(0, 7)]),
    ],
)
def test_neighbours_of_one_type_are_one(
    text: str, places: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    found = merged(text, [Entity(*place, "PERSON") for place in places])
    assert [(entity.start, entity.end) for entity in found] == expected


def test_neighbours_of_two_types_stay_two() -> None:
    both = [Entity(0, 4, "PERSON"), Entity(5, 9, "LOCATION")]
    assert merged("Anna Lind", both) == both


@pytest.mark.parametrize(
    ("text", "rest"),
    [(" (Anna), ", "Anna"), ("+49 30 1", "+49 30 1"), ("„Ö“\u00a0", "Ö"), ("O'Hara.", "O'Hara")],
)
def test_edges_are_spaces_and_punctuation(text: str, rest: str) -> None:
    found = trimmed(text, Entity(0, len(text), "X"))
    assert text[found.start : found.end] == rest


def test_a_span_of_marks_alone_is_empty() -> None:
    assert trimmed("...", Entity(0, 3, "X")).start == trimmed("...", Entity(0, 3, "X")).end
