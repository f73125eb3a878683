"""`gateway works`, and what `gateway evaluate` makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.detectors._verbatim.shingles import GUARANTEED_WORDS
from tests.cli.house import Gateway, lines, value
from tests.detectors.verbatim.texts import Author

AUTHOR = Author(31)
NOVEL = AUTHOR.work(400)


@pytest.fixture
def novel(tmp_path: Path) -> Path:
    path = tmp_path / "The Novel.txt"
    path.write_text(" ".join(NOVEL))
    return path


def test_a_work_is_added_listed_and_removed(gateway: Gateway, ready: Path, novel: Path) -> None:
    added = value(gateway("works", "add", str(novel), "--title", "T", "--owner", "O", "--json"))
    assert (added["id"], added["title"], added["words"]) == ("The-Novel", "T", len(NOVEL))
    (listed,) = lines(gateway("works", "list", "--json"))
    assert listed == {k: v for k, v in added.items() if k != "shingles"}
    assert "in use" in gateway("works", "list").stdout
    assert value(gateway("works", "remove", "The-Novel", "--json"))["removed"]
    assert "No work is registered" in gateway("works", "list").stdout


def test_both_are_on_record_without_a_word_of_the_text(
    gateway: Gateway, ready: Path, novel: Path
) -> None:
    gateway("works", "add", str(novel), "--id", "n1", "--licence", "all rights reserved")
    gateway("works", "remove", "n1")
    entries = lines(gateway("audit", "query", "--json"))
    added, removed = (e for e in reversed(entries) if e["kind"].startswith("works."))
    assert (added["kind"], removed["kind"]) == ("works.added", "works.removed")
    assert added["data"] == {
        "via": "cli", "work": "n1", "words": len(NOVEL), "licence": "all rights reserved"
    }  # fmt: skip
    assert removed["data"] == {"via": "cli", "work": "n1"}
    assert gateway("audit", "verify").exit_code == 0


def test_what_cannot_be_done_is_said_and_not_recorded(
    gateway: Gateway, ready: Path, novel: Path
) -> None:
    gateway("works", "add", str(novel), "--id", "n1")
    before = len(lines(gateway("audit", "query", "--json")))
    assert "n1' already" in gateway("works", "add", str(novel), "--id", "n1", code=2).stderr
    assert "no work 'n2'" in gateway("works", "remove", "n2", code=2).stderr
    assert "No such file" in gateway("works", "add", "none.txt", code=2).stderr
    few = gateway("works", "add", "-", "--id", "few", code=2, stdin="Too few words.")
    assert f"{GUARANTEED_WORDS} words or more" in few.stderr
    assert len(lines(gateway("audit", "query", "--json"))) == before


def test_what_anybody_may_reproduce_is_left_out(
    gateway: Gateway, ready: Path, novel: Path, tmp_path: Path
) -> None:
    notice = tmp_path / "notice"
    notice.write_text(" ".join(NOVEL[:200]))
    whole = value(gateway("works", "add", str(novel), "--json"))
    rest = value(gateway("works", "add", str(novel), "--id", "r", "--except", "notice", "--json"))
    assert rest["shingles"] == pytest.approx(whole["shingles"] / 2, rel=0.1)


def test_evaluate_looks_for_registered_works_or_those_of_a_file(
    gateway: Gateway, ready: Path, novel: Path, tmp_path: Path
) -> None:
    rows = [
        {"text": " ".join(NOVEL[100:180]), "label": 1, "kind": "whole", "overlap_words": 80},
        {"text": " ".join(NOVEL[100:110]), "label": 0, "kind": "quote", "overlap_words": 10},
    ]
    for name, values in (("t.jsonl", rows), ("w.jsonl", [{"doc": "n", "text": " ".join(NOVEL)}])):
        (tmp_path / name).write_text("".join(json.dumps(v) + "\n" for v in values))
    for extra in (["--works", "w.jsonl"], ["--predictions", "out.jsonl", "--works", "w.jsonl"]):
        (row,) = value(gateway("evaluate", "t.jsonl", "--json", *extra))["verbatim_by_source"]
        assert (row["precision"], row["recall"], row["others_raised"]) == (1.0, 1.0, 0.0)
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert first["scores"]["verbatim"] > 0.9
    assert first["findings"][0]["detector"] == "works"
    assert (second["scores"]["verbatim"], second["findings"]) == (0.0, [])
    (row,) = value(gateway("evaluate", "t.jsonl", "--json"))["verbatim_by_source"]
    assert row["recall"] == 0.0
    gateway("works", "add", str(novel))
    (row,) = value(gateway("evaluate", "t.jsonl", "--json"))["verbatim_by_source"]
    assert row["recall"] == 1.0
