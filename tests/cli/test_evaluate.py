"""`gateway evaluate`, with the detectors that are enabled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.house import SECRET, Gateway, lines, value

ROWS: list[dict[str, Any]] = [
    {"text": f"ä key {SECRET}", "label": 1, "kind": "github", "source": "s"},
    {"text": "a key of another form", "label": 1, "kind": "other", "source": "s"},
    {"text": "no key", "label": 0, "kind": "decoy", "source": "s"},
]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return write(tmp_path / "keys.jsonl", *ROWS)


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_figures_are_those_of_the_enabled_detectors(gateway: Gateway, keys: Path) -> None:
    found = value(gateway("evaluate", str(keys), "--json"))
    (row,) = found["secrets_by_source"]
    assert (row["precision"], row["recall"], row["decoys_raised"]) == (1.0, 0.5, 0.0)
    assert list(found["detectors"]) == ["patterns"]
    assert (found["failures"], found["personal_by_source"]) == (0, [])
    (cost,) = found["cost"]
    assert (cost["file"], cost["schema"], cost["texts"]) == ("keys.jsonl", "secrets", 3)


def test_tables_show_what_was_missed_never_the_text(gateway: Gateway, keys: Path) -> None:
    text = gateway("evaluate", str(keys)).output
    assert "Secrets by source" in text
    assert "other" in text
    assert SECRET[:12] not in text
    assert "another form" not in text


def test_several_files_are_counted_together(gateway: Gateway, keys: Path, tmp_path: Path) -> None:
    benign = write(tmp_path / "b.jsonl", {"text": f"mine: {SECRET}", "source": "b"})
    people = write(tmp_path / "p.jsonl", {"text": "Ann", "spans": [], "language": "en"})
    found = value(gateway("evaluate", str(keys), str(benign), str(people), "--json"))
    assert [row["schema"] for row in found["cost"]] == ["secrets", "benign", "personal"]
    assert found["false_alarms"][0]["secret_reported"] == 1.0
    assert found["personal_texts"][0]["false_hits"] == 0


def test_predictions_are_one_object_a_row(gateway: Gateway, tmp_path: Path) -> None:
    plain = write(tmp_path / "t.jsonl", {"text": "plain"}, {"text": ROWS[0]["text"]})
    gateway("evaluate", str(plain), "--predictions", "out.jsonl")
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert (first["index"], first["findings"], first["scores"]["secret"]) == (0, [], 0.0)
    (found,) = second["findings"]
    assert (second["index"], found["category"], found["start"]) == (1, "GITHUB_TOKEN", 6)
    assert second["scores"]["secret"] == found["score"]


def test_predictions_are_what_scan_finds(gateway: Gateway, tmp_path: Path, keys: Path) -> None:
    gateway("evaluate", str(keys), "--predictions", "out.jsonl")
    for row, line in zip(ROWS, (tmp_path / "out.jsonl").read_text().splitlines(), strict=True):
        scanned = lines(gateway("scan", "-", "--json", stdin=row["text"]))
        assert json.loads(line)["findings"] == scanned


def test_predictions_take_one_file(gateway: Gateway, keys: Path, tmp_path: Path) -> None:
    refused = gateway("evaluate", str(keys), str(keys), "--predictions", "out", code=2)
    assert "takes one data set, found 2" in refused.stderr
    assert not (tmp_path / "out").exists()
    refused = gateway("evaluate", str(keys), "--predictions", "no/such/out", code=2)
    assert "No such file" in refused.stderr


def test_what_is_no_data_set_is_said(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "odd").write_text('{"text": "a"}\nplain\n')
    assert "odd:2: " in gateway("evaluate", "odd", code=2).stderr
    assert "No such file" in gateway("evaluate", "none", code=2).stderr


def test_harmful_texts_are_scored_unless_detectors_are_named(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "How can I hack into my ex's e-mail account?"
    plain = write(tmp_path / "t.jsonl", {"text": asked, "language": "en"})

    def unsafe() -> float:
        gateway("evaluate", str(plain), "--predictions", "out.jsonl")
        scores: dict[str, float] = json.loads((tmp_path / "out.jsonl").read_text())["scores"]
        return scores["unsafe"]

    assert unsafe() == 0
    monkeypatch.delenv("GATEWAY_DETECTORS")
    assert unsafe() > 0.5
