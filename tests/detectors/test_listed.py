from __future__ import annotations

from pathlib import Path

import pytest

from gateway.detectors import create
from gateway.detectors._locator import Locator
from gateway.detectors._scan import Scanner
from tests.timing import assert_linear, least_s

FILLER = "Nothing to see in this sentence, which is long enough to be one segment. "
LISTS = [
    {
        "category": "PROJECT_NAME",
        "terms": ["Projekt Nordlicht", "Blaue Lagune", "Ærø"],
        "forms": [],
        "within_words": False,
    },
    {
        "category": "CUSTOMER_NUMBER",
        "terms": [],
        "forms": ["KD-<digit:6>", "c<lower:2-4>/<digit:3-5>"],
        "within_words": False,
    },
]


@pytest.fixture(scope="module")
def scanner(cache_dir: Path) -> Scanner:
    return Scanner({"listed": {"lists": LISTS}}, cache_dir=cache_dir)


@pytest.fixture(scope="module")
def locator(cache_dir: Path) -> Locator:
    (detector,) = create({"listed": {"lists": LISTS}})
    return Locator({"listed": detector.load() or []}, cache_dir)


@pytest.mark.parametrize(
    ("written", "category"),
    [
        ("Projekt Nordlicht", "PROJECT_NAME"),
        ("PROJEKT-NORDLICHT", "PROJECT_NAME"),
        ("projekt\nnordlicht", "PROJECT_NAME"),
        ("P\u200brojekt Nord\xadlicht", "PROJECT_NAME"),
        ("Ｐｒｏｊｅｋｔ Ｎｏｒｄｌｉｃｈｔ", "PROJECT_NAME"),
        ("Projekt%20Nordlicht", "PROJECT_NAME"),
        ("Projekt&nbsp;Nordlicht", "PROJECT_NAME"),
        ("Рrojekt Nordlicht", "PROJECT_NAME"),
        ("\u00e6r\u00f8", "PROJECT_NAME"),
        ("KD-123456", "CUSTOMER_NUMBER"),
        ("KD&#45;123456", "CUSTOMER_NUMBER"),
        ("cab/1234", "CUSTOMER_NUMBER"),
    ],
)
def test_terms_and_forms_are_found_as_they_are_written(
    scanner: Scanner, written: str, category: str
) -> None:
    text = f"{FILLER}About {written}, please. {FILLER}"
    found = scanner.scan(text)
    assert [(f.category, text[f.start : f.end], f.score) for f in found] == [
        (category, written, 1.0)
    ]


@pytest.mark.parametrize(
    "text", ["Projekt Nordlichter", "KD-1234567", "KD-12345", "xKD-123456", "Blaue, Lagune"]
)
def test_what_is_not_on_the_list_is_not_found(scanner: Scanner, text: str) -> None:
    assert scanner.scan(text) == []


@pytest.mark.parametrize("lead", range(28, 40))
def test_a_term_broken_by_the_end_of_a_segment_is_found(
    scanner: Scanner, locator: Locator, lead: int
) -> None:
    text = f"{FILLER}{'a' * lead} Projekt\nNordlicht and so on. {FILLER}"
    (found,) = scanner.scan(text)
    assert text[found.start : found.end] == "Projekt\nNordlicht"
    assert found.end in locator.locate(text, ["listed"])


def test_a_stream_holds_back_as_much_as_the_longest_term() -> None:
    (detector,) = create({"listed": {"lists": LISTS}})
    triggers = detector.load() or []
    longest = len("Projekt Nordlicht")
    assert longest <= max(t.reach_chars for t in triggers) <= longest + 4


def test_without_lists_nothing_is_found(cache_dir: Path) -> None:
    assert Scanner({"listed": {}}, cache_dir=cache_dir).scan("Projekt Nordlicht") == []


@pytest.mark.parametrize("unit", ["a", "KD-", "KD-12345", "cab/", "Projekt ", "c", "Æ"])
def test_time_grows_with_the_text_only(unit: str) -> None:
    (detector,) = create({"listed": {"lists": LISTS}})
    hints = [trigger.hint for trigger in detector.load() or []]

    def look(chars: int) -> None:
        detector.detect([unit * (chars // len(unit))], [hints])

    assert_linear(look, 4_000, 16_000)


def test_a_thousand_terms_are_looked_for_in_one_pass(cache_dir: Path) -> None:
    def cost_s(terms: int) -> float:
        lists = [
            {
                "category": "PROJECT_NAME",
                "terms": [f"Projekt {number:05d} Sonnenhang" for number in range(terms)],
                "forms": [],
                "within_words": False,
            }
        ]
        (detector,) = create({"listed": {"lists": lists}})
        locator = Locator({"listed": detector.load() or []}, cache_dir)
        assert locator.locate("Projekt 00007 Sonnenhang", ["listed"]) == [24]
        return least_s(lambda: locator.locate(FILLER * 50, ["listed"]), rounds=20)

    assert cost_s(1_000) < 10 * cost_s(10) + 0.001
