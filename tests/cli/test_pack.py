"""`gateway audit pack`, as an operator runs it."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.house import Gateway, closed, lines, opened, value

PACK = ("audit", "pack", "--framework", "soc2", "--no-pdf", "--out")


@pytest.fixture
def logged(gateway: Gateway, write: Callable[..., None]) -> Gateway:
    write(opened(1), closed(1))
    gateway("audit", "sequence", "--once")
    return gateway


def test_a_pack_is_on_record_before_and_after(logged: Gateway, tmp_path: Path) -> None:
    done = value(logged(*PACK, "p.zip", "--json"))
    written = (tmp_path / "p.zip").read_bytes()
    assert hashlib.sha256(written).hexdigest() == done["sha256"]
    assert not (tmp_path / "p.zip.new").exists()
    (read,) = lines(logged("audit", "query", "--json", "--kind", "access.audit_read"))
    (packed,) = lines(logged("audit", "query", "--json", "--kind", "evidence.packed"))
    assert (read["data"]["as"], read["data"]["framework"]) == ("pack", "soc2")
    assert packed["data"]["sha256"] == done["sha256"]


def test_nothing_is_left_of_a_pack_that_cannot_be_made(
    gateway: Gateway, write: Callable[..., None], tmp_path: Path
) -> None:
    write(opened(1), closed(1))
    assert "sequence --once" in gateway(*PACK, "p.zip", code=2).stderr
    assert not list(tmp_path.glob("p.zip*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--framework", "sox", "--out", "p.zip"), "Known: eu-ai-act"),
        (("--framework", "pci", "--out", "old.zip", "--no-pdf"), "there is such a file already"),
        (
            ("--framework", "pci", "--out", "p.zip", "--no-pdf", "--from", "1d", "--to", "2d"),
            "expected a time after --from",
        ),
    ],
)
def test_what_cannot_be_is_said(
    logged: Gateway, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "old.zip").write_text("mine")
    assert message in logged("audit", "pack", *words, code=2).stderr
    assert (tmp_path / "old.zip").read_text() == "mine"


def test_without_its_library_a_pdf_is_refused(
    logged: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "reportlab", None)
    told = logged("audit", "pack", "--framework", "pci", "--out", "p.zip", code=2).stderr
    assert "responsible-use-gateway[evidence]" in told
    assert not (tmp_path / "p.zip").exists()
