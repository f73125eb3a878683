"""Evidence packs: made of a real log on both databases, and checked as an outsider would."""

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from gateway import db
from gateway.audit.evidence import framework
from gateway.audit.evidence.document import Document, Facts, Finding, Grid, Section
from gateway.audit.evidence.figures import FIGURES, count
from gateway.audit.evidence.html import html
from gateway.audit.evidence.pack import Texts, write
from gateway.audit.prove import Unplaced
from gateway.core.errors import ConfigError
from gateway.documents import parse

EVER = {"since_ms": 0, "until_ms": 4_000_000_000_000}
TEXTS = Texts(lambda digest: [("p.yaml", f"# {digest}")], lambda name: [])


@pytest.fixture
def made(filled: Any, sequencer: Any, log_key: Any, tmp_path: Path) -> Any:
    """Writes a pack of a log whose entries all have their places."""
    sequencer().round()

    def make(name: str = "pack.zip", *, which: str = "eu-ai-act", **times: int) -> Path:
        path = tmp_path / name
        write(filled, path, framework.named(which), log_key=log_key, texts=TEXTS, pdf=None,
              **{**EVER, **times})  # fmt: skip
        return path

    return make


def test_every_file_has_its_digest(made: Any) -> None:
    with zipfile.ZipFile(made()) as archive:
        sums = dict(
            reversed(line.split("  ")) for line in archive.read("SHA256SUMS").decode().splitlines()
        )
        assert set(sums) == set(archive.namelist()) - {"SHA256SUMS"}
        for name, digest in sums.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["framework"] == "eu-ai-act"
    assert set(manifest["files"]) == set(sums) - {"manifest.json"}


def test_its_own_verifier_holds_its_proofs(made: Any, log_key: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(made()) as archive:
        archive.extractall(tmp_path / "out")
    command = [sys.executable, "-I", "-S", "verifier.py", "proofs/exchanges.json"]
    done = subprocess.run(
        [*command, "--key", str(log_key)], cwd=tmp_path / "out", capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "The evidence holds." in done.stdout
    proved = json.loads((tmp_path / "out" / "proofs" / "exchanges.json").read_text())
    assert 1 <= len(proved["entries"]) <= 12


def test_the_same_time_gives_the_same_pack_again(made: Any, sequencer: Any, audit_log: Any) -> None:
    first = made("a.zip").read_bytes()
    assert made("b.zip").read_bytes() == first


def test_what_comes_later_changes_nothing(
    made: Any, filled: Any, sequencer: Any, audit_log: Any, opened: Any
) -> None:
    with db.snapshot(filled) as connection:
        until = connection.execute(text("SELECT max(ts_ms) + 1 FROM audit_entry")).scalar_one()
    first = made("a.zip", until_ms=until).read_bytes()

    async def more() -> None:
        async with audit_log() as log:
            await log.append(opened(99))

    import asyncio
    import time

    while time.time_ns() // 1_000_000 <= until:
        time.sleep(0.001)
    asyncio.run(more())
    sequencer().round()
    assert made("b.zip", until_ms=until).read_bytes() == first


def test_figures_are_those_of_the_questions(made: Any, filled: Any) -> None:
    with db.snapshot(filled) as connection:
        found = count(connection, **EVER)
        none = count(connection, since_ms=0, until_ms=1)
    assert (found["exchanges"], found["unlabelled"], found["unclosed"]) == (12, 12, 0)
    assert (found["found"], found["blocks"], found["keys_used"]) == (24, 0, 1)
    assert set(none.values()) == {0}
    with zipfile.ZipFile(made()) as archive:
        assert json.loads(archive.read("figures.json")) == found
        rows = list(csv.DictReader(io.StringIO(archive.read("questions/usage.csv").decode())))
        assert sum(int(row["exchanges"]) for row in rows) == 12
        assert archive.read(f"policy/{'d' * 64}/p.yaml").decode() == f"# {'d' * 64}"


def test_entries_without_a_place_are_waited_for(filled: Any, log_key: Any, tmp_path: Path) -> None:
    with pytest.raises(Unplaced, match="sequence --once"):
        write(filled, tmp_path / "p.zip", framework.named("soc2"), log_key=log_key, texts=TEXTS,
              pdf=None, **EVER)  # fmt: skip


@pytest.mark.parametrize("name", framework.names())
def test_every_framework_makes_a_report(made: Any, name: str) -> None:
    found = framework.named(name)
    with zipfile.ZipFile(made(which=name)) as archive:
        page = archive.read("report.html").decode()
    assert found.id == name
    assert all(control.lacks for control in found.controls)
    assert page.count("<article") == len(found.controls)
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)


def test_a_name_from_outside_is_no_markup() -> None:
    grid = Grid(("<b>",), [("<script>alert(1)</script>",)])
    page = html(Document("t", "s", [("<i>", "&")], [Section("<u>", [grid])]))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("figures: [exchange]", r"x.yaml:\d+: figures: 'exchange' is unknown. Did you mean"),
        ("questions: [why]", "questions: 'why' is unknown"),
        ("log: maybe", "'maybe' is not a valid Standing"),
        ("more: 1", "expected a control with"),
        ("id: 1.2", "id: expected a text; put it in quotes"),
    ],
)
def test_a_framework_that_says_something_else_is_refused(change: str, message: str) -> None:
    said = f"""apiVersion: gateway/evidence/v1
kind: Framework
id: x
title: X
source: X
asOf: "2026-11-22"
scope: all
controls:
  - {"" if change.startswith("id") else 'id: "1"'}
    title: One
    {"" if change.startswith("log") else "log: shows"}
    certainty: verified
    shows: a
    lacks: b
    {change}
"""
    (document,) = parse(said.encode(), "x.yaml")
    with pytest.raises(ConfigError, match=message):
        framework.read(document)


def test_others_are_unknown() -> None:
    with pytest.raises(ConfigError, match="Known: eu-ai-act, gdpr, hipaa, iso-42001, pci, soc2"):
        framework.named("fedramp")


def test_the_pdf_is_the_same_again(made: Any) -> None:
    pytest.importorskip("reportlab")
    from gateway.audit.evidence import pdf

    document = Document("t", "s", [("a", "b")], [Section("u", [Grid(("n",), [("1",)])])])
    first = pdf.load()(document)
    assert first.startswith(b"%PDF-")
    assert pdf.load()(document) == first


@pytest.mark.parametrize("said", ["word " * 400, "x" * 2_000])
def test_what_is_longer_than_a_page_goes_on_on_the_next(said: str) -> None:
    pytest.importorskip("reportlab")
    from gateway.audit.evidence import pdf

    grid = Grid(tuple("abcdef"), [(said, "", "", "", "", "")])
    finding = Finding("1", "t", "shows", "b", "", said * 4, "l", Facts([]), [])
    document = Document("t", "s", [("a", said * 4)], [Section("u", [grid, finding])])
    assert pdf.load()(document).startswith(b"%PDF-")
