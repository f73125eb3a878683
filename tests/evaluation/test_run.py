from __future__ import annotations

from gateway import taxonomy
from gateway.core.judgement import DETECTOR_ERROR, Finding
from gateway.evaluation.datasets import Dataset, Schema
from gateway.evaluation.predictions import prediction
from gateway.evaluation.run import Bench, Cost, failures
from tests.evaluation.build import SECRETS, finding, row

STRONG = finding("ä key", "SOME_TOKEN", "key", 0.9)
FAINT = finding("ä key", "HATE", "ä", 0.2)


def look(text: str) -> tuple[list[Finding], list[Finding]]:
    if text == "fail":
        return [Finding("some", DETECTOR_ERROR, 0, 4, 1.0, "late")], []
    return ([STRONG], [FAINT]) if "key" in text else ([], [])


def test_rows_are_judged_in_order_and_their_bytes_counted() -> None:
    bench = Bench(look, SECRETS)
    dataset = Dataset("d", Schema.PLAIN, [row("ä key"), row("fail"), row("plain")])
    rows = list(bench.judge(dataset))
    assert [each.row.text for each in rows] == ["ä key", "fail", "plain"]
    assert (bench.cost.texts, bench.cost.text_bytes) == (3, 6 + 4 + 5)
    assert failures(rows) == 1


def test_faint_findings_count_for_scores_alone() -> None:
    (each,) = Bench(look, SECRETS).judge(Dataset("d", Schema.PLAIN, [row("ä key")]))
    assert each.findings == [STRONG]
    assert (each.scores["hate"], each.reported["hate"]) == (0.2, 0.0)
    assert (each.scores["secret"], each.reported["secret"]) == (0.9, 0.9)


def test_cost_is_by_thousand_bytes_and_by_text() -> None:
    cost = Cost(cpu_ns=6_000_000, texts=4, text_bytes=2_000)
    assert (cost.ms_per_kb, cost.ms_per_text) == (3.0, 1.5)
    assert (Cost().ms_per_kb, Cost().ms_per_text) == (0.0, 0.0)


def test_a_prediction_holds_places_and_every_score() -> None:
    (each,) = Bench(look, SECRETS).judge(Dataset("d", Schema.PLAIN, [row("ä key")]))
    found = prediction(7, each)
    assert found["index"] == 7
    assert found["findings"] == [
        {"category": "SOME_TOKEN", "start": 2, "end": 5, "score": 0.9, "detector": "some"}
    ]
    assert set(found["scores"]) >= {"unsafe", "injection", "secret", *taxonomy.load().hazards}
    assert found["scores"]["hate"] == 0.2
