from __future__ import annotations

from typing import Any

from gateway.evaluation.datasets import Schema
from gateway.evaluation.ranked import tables
from gateway.evaluation.run import Judged
from gateway.evaluation.scores import scores
from tests.evaluation.build import SECRETS, finding, judged, row, scored


def safety(score: float, source: str = "s", **labels: int) -> Judged:
    return scored(Schema.SAFETY, "HATE", score, labels=labels, source=source)


def attack(score: float, label: int = 1, kind: str = "", source: str = "s") -> Judged:
    labels = {"label": label, "kind": kind, "source": source}
    return scored(Schema.INJECTION, "PROMPT_INJECTION", score, **labels)


def benign(score: float, category: str = "HATE", **labels: Any) -> Judged:
    return scored(Schema.BENIGN, category, score, source="b", **labels)


def ranked(*rows: Judged) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {
        (str(r["label"]), str(r["source"]), str(r["kind"])): r
        for r in tables(rows, SECRETS)["ranked"]
    }


def test_a_hazard_is_ranked_against_its_own_negatives() -> None:
    rows = [safety(s, hate=1) for s in (0.9, 0.4)] + [safety(s, hate=0) for s in (0.5, 0.1)]
    found = ranked(*rows, safety(1.0))["hate", "s", ""]  # the last is not annotated
    assert (found["positives"], found["negatives"], found["against"]) == (2, 2, "own")
    assert (found["auroc"], found["auprc"]) == (0.75, 0.8333)
    assert found["recall_at_1pct"] is None  # nothing ordinary to set the threshold on


def test_ordinary_texts_set_the_threshold_and_stand_in_for_negatives() -> None:
    ordinary = [benign(i / 100) for i in range(100)]
    rows = [safety(s, unsafe=1) for s in (0.99, 0.985, 0.97, 0.2)]
    others = [benign(1.0, hard=True), benign(1.0, kind="system prompt")]
    found = ranked(*rows, *ordinary, *others)["unsafe", "s", ""]
    assert (found["negatives"], found["against"]) == (100, "ordinary")
    assert found["recall_at_1pct"] == 0.5  # above 0.98, which only 0.99 of the ordinary is


def test_labels_are_scored_by_the_hazard_they_mean() -> None:
    rows = [safety(0.9, hate_threatening=1), safety(0.1, hate_threatening=0, sexual=1)]
    found = ranked(*rows)
    assert found["hate_threatening", "s", ""]["score"] == "hate"
    assert found["hate_threatening", "s", ""]["auroc"] == 1.0
    assert found["sexual", "s", ""]["score"] == "sexual_content"


def test_sources_stand_apart_and_together() -> None:
    rows = [safety(0.9, "a", hate=1), safety(0.1, "a", hate=0), safety(0.05, "b", hate=1)]
    found = ranked(*rows)
    assert found["hate", "a", ""]["auroc"] == 1.0
    assert (found["hate", "b", ""]["against"], found["hate", "b", ""]["auroc"]) == ("none", None)
    assert found["hate", "all sources", ""]["auroc"] == 0.5
    assert ("hate", "all sources", "") not in ranked(*rows[:2])


def test_together_each_source_brings_what_it_is_compared_with() -> None:
    own = [safety(0.9, "a", hate=1), safety(0.1, "a", hate=0)]
    none = safety(0.5, "b", hate=1)
    found = ranked(*own, none, benign(0.6), benign(0.2))
    assert [found["hate", name, ""]["against"] for name in ("a", "b", "all sources")] == [
        "own", "ordinary", "both",
    ]  # fmt: skip
    # 0.9 is above all three negatives, 0.5 above two.
    assert found["hate", "all sources", ""]["auroc"] == round(5 / 6, 4)
    assert (
        ranked(*own, safety(0.3, "b", hate=0), benign(0.6))["hate", "all sources", ""]["against"]
        == "own"
    )


def test_attacks_stand_apart_by_kind_against_all_of_their_source() -> None:
    rows = [attack(0.9, kind="x"), attack(0.3, kind="y"), attack(0.5, 0, kind="z")]
    found = ranked(*rows)
    assert found["injection", "s", "x"]["auroc"] == 1.0
    assert found["injection", "s", "y"]["auroc"] == 0.0


def test_reported_is_what_is_not_faint() -> None:
    text = row("x", label=1, source="s")
    faint = finding("x", "JAILBREAK", "x", 0.2)
    seen = Judged(text, Schema.INJECTION, (), scores([faint], SECRETS), scores([], SECRETS))
    found = ranked(seen, attack(0.1, 0))["injection", "s", ""]
    assert (found["auroc"], found["reported"]) == (1.0, 0.0)


def test_false_alarms_are_shares_of_each_harmless_kind() -> None:
    ordinary = [benign(i / 100) for i in range(100)]
    hard = [benign(0.99, hard=True), benign(0.5, hard=True)]
    names = judged(Schema.BENIGN, row("Ann", source="c"), finding("Ann", "PERSON", "Ann"))
    found = {
        (r["source"], r["hard"]): r
        for r in tables([*ordinary, *hard, names, attack(0.7, 0)], SECRETS)["false_alarms"]
    }
    assert found["b", ""]["unsafe_over"] == 0.01
    assert found["b", ""]["unsafe_reported"] == 0.99
    assert found["b", "yes"]["unsafe_over"] == 0.5
    assert (found["c", ""]["personal_reported"], found["c", ""]["person_reported"]) == (1.0, 1.0)
    assert found["s", ""]["injection_over"] == 1.0  # no ordinary text scores at all
    assert found["s", ""]["secret_reported"] == 0.0
