from __future__ import annotations

from gateway.evaluation.datasets import Schema
from gateway.evaluation.raised import tables
from gateway.evaluation.run import Judged
from tests.evaluation.build import scored


def one(label: int, score: float, *, kind: str = "jwt", source: str = "s") -> Judged:
    return scored(Schema.SECRETS, "SOME_TOKEN", score, label=label, kind=kind, source=source)


def test_texts_are_counted_once() -> None:
    rows = [one(1, 0.9), one(1, 0.2), one(1, 0.0), one(0, 0.9, kind="decoy"), one(0, 0.0)]
    (row,) = tables(rows)["secrets_by_source"]
    assert (row["hits"], row["misses"], row["alarms"]) == (2, 1, 1)
    assert (row["precision"], row["recall"]) == (0.6667, 0.6667)
    assert (row["decoys"], row["decoys_raised"]) == (2, 0.5)


def test_only_a_secret_counts() -> None:
    (row,) = tables([scored(Schema.SECRETS, "PERSON", 1.0, label=1)])["secrets_by_source"]
    assert (row["hits"], row["recall"]) == (0, 0.0)


def test_sources_stand_apart_and_together() -> None:
    rows = tables([one(1, 1.0, source="a"), one(1, 0.0, source="b")])["secrets_by_source"]
    assert [(r["source"], r["recall"]) for r in rows] == [
        ("a", 1.0), ("b", 0.0), ("all sources", 0.5),
    ]  # fmt: skip


def test_kinds_tell_what_was_found() -> None:
    rows = [one(1, 1.0), one(1, 0.0), one(1, 1.0, kind="npm"), one(0, 1.0, kind="decoy")]
    assert tables(rows)["secrets_by_kind"] == [
        {"kind": "jwt", "texts": 2, "found": 1},
        {"kind": "npm", "texts": 1, "found": 1},
    ]
