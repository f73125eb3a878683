"""The table of clients and features in docs/clients.md says what is tried."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
FILES = [
    file
    for folder in ("conformance", "translation")
    for file in sorted((ROOT / "tests" / folder).glob("test_*.py"))
]
COUNTS = re.compile(r"vendors\.of\(|row\.holds\(")


def cells() -> dict[tuple[str, str], str]:
    """Client and feature -> what the table says of them."""
    head, _, *rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    _, *clients = _cells(head)
    return {
        (client, feature): cell
        for feature, *said in map(_cells, rows)
        for client, cell in zip(clients, said, strict=True)
    }


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split("|")[1:-1]]


def marked() -> Iterator[tuple[str, str, str]]:
    """Client, feature and source of each test marked with `covers`.

    Read, not collected: litellm's tests cannot be imported where the others run.
    """
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        for test in ast.walk(ast.parse(text)):
            if not isinstance(test, ast.FunctionDef):
                continue
            source = ast.get_source_segment(text, test) or ""
            for mark in test.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.covers":
                    client, *features = map(ast.literal_eval, mark.args)
                    yield from ((client, feature, source) for feature in features)


def test_each_cell_is_tried_or_has_a_reason() -> None:
    tried = {(client, feature) for client, feature, _ in marked()}
    assert {cell for cell, said in cells().items() if said == "yes"} == tried
    others = {said for said in cells().values() if said != "yes"}
    assert others == {f"no ({letter})" for letter in re.findall(r"^- \((.)\) ", PAGE, re.MULTILINE)}


def test_each_of_these_tests_counts_the_calls_upstream() -> None:
    silent = {(client, feature) for client, feature, text in marked() if not COUNTS.search(text)}
    assert silent == set()
