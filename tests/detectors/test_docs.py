"""docs/secrets.md names every category of every pack."""

from __future__ import annotations

from pathlib import Path

from gateway.detectors._packs import read_pack
from gateway.detectors.patterns import default_pack

PAGE = Path(__file__).parents[2] / "docs" / "secrets.md"


def table() -> str:
    """The rows as the packs have them; what to put into the page when they change."""
    rows = []
    for path in sorted(default_pack().glob("*.yaml")):
        categories = dict.fromkeys(pattern.category for pattern in read_pack(path))
        listed = ", ".join(f"`{category}`" for category in sorted(categories))
        rows.append(f"| [{path.stem}](../policies/patterns/{path.name}) | {listed} |\n")
    return "".join(rows)


def test_the_page_lists_what_the_packs_cover() -> None:
    assert PAGE.read_text().endswith("|---|---|\n" + table())
