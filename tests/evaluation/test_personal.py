from __future__ import annotations

from typing import Any

from gateway.core.judgement import Finding
from gateway.evaluation.datasets import Schema
from gateway.evaluation.personal import compared, tables
from gateway.evaluation.run import Judged
from tests.evaluation.build import SECRETS, finding, judged, row, spans

TEXT = "Anna Lind of Acme lives in Oslo, mail a@b.org, born 1980."
SPANS = spans(
    TEXT, PERSON="Anna Lind", ORGANIZATION="Acme", GPE="Oslo", EMAIL_ADDRESS="a@b.org",
    DATE_TIME="1980",
)  # fmt: skip
FOUND = (
    finding(TEXT, "PERSON", "Anna"),
    finding(TEXT, "PERSON", "Lind"),
    finding(TEXT, "EMAIL_ADDRESS", "a@b.org"),
    finding(TEXT, "DATE_TIME", "1980"),
    finding(TEXT, "PHONE_NUMBER", "1980"),
    finding(TEXT, "HATE", TEXT),
)


def one(text: str, *found: Finding, **labels: Any) -> Judged:
    labels = {"language": "en", "source": "s", "spans": [], **labels}
    return judged(Schema.PERSONAL, row(text, **labels), *found)


def figures(*rows: Judged) -> dict[str, list[dict[str, Any]]]:
    return tables(compared(rows, SECRETS))  # type: ignore[return-value]


def test_one_text_is_counted_as_by_hand() -> None:
    found = figures(one(TEXT, *FOUND, spans=SPANS))
    groups = {r["types"]: r for r in found["personal_by_source"]}
    # PERSON and EMAIL_ADDRESS are hit, LOCATION is missed, PHONE_NUMBER is false.
    counts = {name: (r["hits"], r["alarms"], r["misses"]) for name, r in groups.items()}
    assert counts == {"all": (2, 1, 1), "with a form": (1, 1, 0), "names and places": (1, 0, 1)}
    assert groups["all"]["precision"] == groups["all"]["strict_recall"] == 0.6667
    assert [r["type"] for r in found["personal_by_type"]] == [
        "EMAIL_ADDRESS", "LOCATION", "PERSON", "PHONE_NUMBER",
    ]  # fmt: skip


def test_loose_edges_are_a_hit_but_not_a_strict_one() -> None:
    (row_, *_) = figures(one(TEXT, finding(TEXT, "PERSON", "Anna Lind of"), spans=SPANS[:1]))[
        "personal_by_type"
    ]
    assert (row_["f1"], row_["strict_f1"]) == (1.0, 0.0)


def test_a_text_leaks_unless_half_of_each_entity_is_covered() -> None:
    rows = [
        one(TEXT, *FOUND, spans=SPANS),  # Oslo is not covered
        one(TEXT, *FOUND, finding(TEXT, "PERSON", "Oslo"), spans=SPANS),  # as whatever
        one(TEXT, spans=spans(TEXT, DATE_TIME="1980")),  # holds nothing that counts
        one(TEXT, finding(TEXT, "HATE", TEXT), spans=SPANS),  # a hazard covers nothing
    ]
    (texts, _) = figures(*rows)["personal_texts"]
    assert (texts["texts"], texts["leaking"], texts["leak_share"]) == (3, 2, 0.6667)


def test_a_text_of_no_stated_language_is_counted_once() -> None:
    (texts,) = figures(one(TEXT, *FOUND, spans=SPANS, language=None))["personal_texts"]
    assert (texts["texts"], texts["leaking"]) == (1, 1)


def test_a_secret_that_covers_personal_data_keeps_it_in() -> None:
    key = finding(TEXT, "SOME_TOKEN", "a@b.org")
    (texts, _) = figures(one(TEXT, key, spans=spans(TEXT, EMAIL_ADDRESS="a@b.org")))[
        "personal_texts"
    ]
    assert texts["leaking"] == 0


def test_a_clean_text_has_nothing_marked_and_nothing_found() -> None:
    rows = [
        one("Nothing here"),
        one("In 1980", finding("In 1980", "DATE_TIME", "1980")),
        one("In 1980", finding("In 1980", "PHONE_NUMBER", "1980")),
        one("In 1980", spans=spans("In 1980", DATE_TIME="1980")),  # not clean
        one("x", finding("x", "SOME_TOKEN", "x")),  # a secret is not personal
    ]
    (texts, _) = figures(*rows)["personal_texts"]
    assert (texts["clean_texts"], texts["false_hits"], texts["false_hit_share"]) == (4, 1, 0.25)
    assert texts["leak_share"] is None


def test_sources_and_languages_stand_apart_and_together() -> None:
    mail = spans(TEXT, EMAIL_ADDRESS="a@b.org")
    rows = [
        one(TEXT, *FOUND[2:3], spans=mail, source="a", language="de"),
        one(TEXT, spans=mail, source="b", language="de"),
        one(TEXT, spans=mail, source="b", language="fr"),
    ]
    found = figures(*rows)
    by_source = {r["source"]: r["recall"] for r in found["personal_by_source"]}
    assert by_source == {"a": 1.0, "b": 0.0, "all sources": 0.3333}
    by_language = {r["language"]: r["recall"] for r in found["personal_by_language"]}
    assert by_language == {"de": 0.5, "fr": 0.0}


def test_rows_without_spans_are_not_counted() -> None:
    assert compared([one(TEXT, *FOUND, spans=None)], SECRETS) == []
    assert compared([judged(Schema.BENIGN, row(TEXT, spans=SPANS))], SECRETS) == []
