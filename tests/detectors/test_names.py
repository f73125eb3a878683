from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.core.ports import Detector
from gateway.detectors import names as module
from gateway.detectors._hashed import WORD_CHARS, split
from gateway.detectors._tagger import Spotted

PERSON, PLACE = "PERSON", "LOCATION"
FOUND = [
    ("My name is Jane Doe and I live in Berlin.", {"Jane Doe": PERSON, "Berlin": PLACE}),
    ("Write a letter to Aoife O'Brien about the refund.", {"Aoife O'Brien": PERSON}),
    ("Herr Müller aus Köln hat angerufen.", {"Müller": PERSON, "Köln": PLACE}),
    ("Die Rechnung geht an Sabine Krüger.", {"Sabine Krüger": PERSON}),
    ("Mme Lefèvre habite à Toulouse.", {"Lefèvre": PERSON, "Toulouse": PLACE}),
    ("Me llamo Carmen Ortega y vivo en Sevilla.", {"Carmen Ortega": PERSON, "Sevilla": PLACE}),
    ("Il signor Rossi abita a Bologna.", {"Rossi": PERSON, "Bologna": PLACE}),
    ("Ik ben Jan de Vries uit Utrecht.", {"Jan de Vries": PERSON, "Utrecht": PLACE}),
    ("O CPF de Mariana Alves é inválido.", {"Mariana Alves": PERSON}),
    ('{"name": "Peter Schmidt", "city": "Hamburg"}', {"Peter Schmidt": PERSON, "Hamburg": PLACE}),
]
CLEAN = [
    "ERROR UserService getUser failed for id=42 INFO done",
    "const x = foo_bar(3) // 2024-01-01T00:00:00Z",
    "Upgrade from version 10.4.2 to 11.0.1 and restart Jenkins.",
    "Explain what a Luhn checksum is.",
    "Der Termin am Montag ist wichtig für die Abteilung.",
    "Was bedeutet Freiheit?",
    "Set the timeout to 30000 ms and retries to 5.",
    "Commit 9fceb02d0ae598e95dc970b74767f19372d61af8 broke the build.",
    "import numpy as np",
    "Dear Sir or Madam,",
    "",
]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_people_and_places(names: Detector, text: str, expected: dict[str, str]) -> None:
    (found,) = names.detect([text], [[]])
    sure = [f for f in found if f.score >= module.THRESHOLDS[f.category]]
    assert {text[f.start : f.end]: f.category for f in sure} == expected


@pytest.mark.parametrize("text", CLEAN)
def test_nothing_is_seen_where_nothing_is(names: Detector, text: str) -> None:
    (found,) = names.detect([text], [[]])
    assert [f for f in found if f.score >= module.THRESHOLDS[f.category]] == []


def test_the_weights_are_those_that_were_measured() -> None:
    assert hashlib.sha256(module.WEIGHTS.read_bytes()).hexdigest() == module.SHA256


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHA256", "0" * 64)
    with pytest.raises(ConfigError, match="not the model that belongs to this version"):
        module.build({}).load()


def test_entities_and_harmless_words_are_options(names: Detector) -> None:
    detector = module.build({"entities": ["LOCATION"], "allow": ["BERLIN"]})
    detector.load()
    assert detector.categories == {"LOCATION"}
    text = "Jane Doe moved from Berlin to Hamburg."
    (found,) = detector.detect([text], [[]])
    assert [text[f.start : f.end] for f in found] == ["Hamburg"]
    with pytest.raises(ConfigError, match="unknown 'PERSONS'"):
        module.build({"entities": ["PERSONS"]})


SPOTTED = [
    ("(Jane Doe),", (0, 10), ("Jane Doe",)),
    (" - ", (0, 3), ()),
    ("jane@doe.org", (0, 4), ()),
    ("see https://jane.example/doe", (15, 19), ()),
    ("Jane Doe,jane@doe.org", (0, 8), ("Jane Doe",)),
    ("Jane Doe <jane@doe.org>", (0, 8), ("Jane Doe",)),
    ("Acme", (0, 4), ()),
]


POSSIBLE = [
    ("C", PERSON, False),
    ("C", "SEX", True),
    ("", "SEX", False),
    ("12", PERSON, False),
    ("12", "AGE", True),
    ("255", PLACE, False),
    ("0, -200, 80", PLACE, False),
    ("10115", PLACE, True),
    ("12345-6789", PLACE, True),
    ("1000-205", PLACE, True),
    ("00-950", PLACE, True),
    ("111 22", PLACE, True),
    ("KT56 2FX", PLACE, True),
    ("7 B", PLACE, True),
]


@pytest.mark.parametrize(("words", "category", "expected"), POSSIBLE)
def test_numbers_and_single_letters_are_seldom_names(
    words: str, category: str, expected: bool
) -> None:
    assert module._possible(words, category) is expected


@pytest.mark.parametrize(("text", "place", "expected"), SPOTTED)
def test_edges_addresses_and_harmless_words_are_left_out(
    text: str, place: tuple[int, int], expected: tuple[str, ...]
) -> None:
    detector = module.build({"allow": ["acme"]})
    detector._spot = lambda texts: [[Spotted(*place, PERSON, 0.9)] for _ in texts]
    (found,) = detector.detect([text], [[]])
    assert tuple(text[f.start : f.end] for f in found) == expected


def test_nothing_is_found_before_it_is_loaded() -> None:
    with pytest.raises(RuntimeError, match="load"):
        module.build({}).detect(["Jane Doe"], [[]])


@pytest.mark.parametrize("unit", ["x", "Jane ", "é", "\n", ".", "Ab1", "\u0301", "😀"])
def test_a_long_text_has_no_more_words_than_characters(names: Detector, unit: str) -> None:
    text = unit * (100_000 // len(unit))
    assert split([text]).counts[0] <= max(len(text), 1)
    assert len(names.detect([text], [[]])) == 1


def test_one_endless_word_is_cut() -> None:
    words = split(["x" * 1_000_000])
    assert words.counts == [-(-1_000_000 // WORD_CHARS)]
    assert len(words.known) == 1


def test_the_page_about_the_model_names_its_digest() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    assert module.SHA256 in page
    assert len(module.WEIGHTS.read_bytes()) < 8_000_000
