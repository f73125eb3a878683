"""`gateway reviews`: what goes wrong at the command line. What goes right: tests/e2e."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.house import Gateway, lines, value

NOBODY = "gwk_" + "A" * 12 + "_" + "B" * 43


@pytest.fixture
def reviewer(gateway: Gateway, ready: Path, tmp_path: Path) -> Path:
    """A file with the key of somebody who reviews."""
    made = value(gateway("keys", "new", "rita", "--role", "reviewer", "--json"))
    path = tmp_path / "rita.key"
    path.write_text(made["key"] + "\n")
    return path


def test_nothing_waits(gateway: Gateway, reviewer: Path) -> None:
    arguments = ("reviews", "list", "--key-file", str(reviewer))
    assert lines(gateway(*arguments, "--json")) == []
    assert "Nothing waits for you." in gateway(*arguments, "--state", "any").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "--state", "open"), "Known: any, waiting"),
        (("show", "0192"), "no such review"),
        (("approve", "0192"), "no such review"),
        (("refuse", "0192", "--because", "no"), "no such review"),
        (("edit", "0192", "--text", "only-a-path"), "PATH=FILE"),
        (("edit", "0192", "--text", "/messages/0/content=nowhere.txt"), "nowhere.txt"),
    ],
)
def test_mistakes_are_told(
    gateway: Gateway, reviewer: Path, arguments: tuple[str, ...], words: str
) -> None:
    said = gateway("reviews", *arguments, "--key-file", str(reviewer), code=2).stderr
    assert words in " ".join(said.split())


@pytest.mark.parametrize(
    ("key", "words"), [("", "--key-file"), (NOBODY, "valid gateway key"), ("é", "cannot be read")]
)
def test_nobody_decides_without_a_key(
    gateway: Gateway, ready: Path, tmp_path: Path, key: str, words: str
) -> None:
    path = tmp_path / "some.key"
    path.write_text(key, encoding="utf-8")
    said = gateway("reviews", "list", "--key-file", str(path), code=2).stderr
    assert words in " ".join(said.split())
    assert NOBODY not in said
