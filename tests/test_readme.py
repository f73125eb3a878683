"""The README's tables say what the code does."""

from __future__ import annotations

import dataclasses
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway import actions, backends, catalogue, detectors
from gateway.cli import app
from gateway.cli._lazy import Commands
from gateway.core import apis, exchange, judgement, message, ports, prices, reviews, standing
from gateway.detectors import _assessors
from gateway.detectors._verbatim.following import DETECTORS
from gateway.labels import headers
from gateway.pipeline import assessing, passage
from gateway.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, list[str]]:
    """The first table under a heading: first cell, without its ticks -> the other cells."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return {row[0].strip("`"): row[1:] for row in cells}


def commands() -> dict[str, str]:
    """Every command as it is typed -> the first line of its help."""
    found: dict[str, str] = {}

    def walk(command: Any, name: str) -> None:
        if not hasattr(command, "commands"):
            found[name] = " ".join((command.help or "").strip().split("\n\n")[0].split())
            return
        for child in list(command.commands):
            if isinstance(command, Commands):
                command.load(child)
            walk(command.commands[child], f"{name} {child}")

    walk(typer.main.get_command(app), "gateway")
    return found


def test_each_command_is_in_the_readme() -> None:
    assert {name: cells[0] for name, cells in table("Commands").items()} == commands()


def test_each_setting_is_in_the_readme_with_its_default_and_text() -> None:
    told = {name: (cells[0].strip("`"), cells[1]) for name, cells in table("Settings").items()}
    assert told == {
        f"GATEWAY_{f.name.upper()}": (str(f.default), f.metadata["text"])
        for f in dataclasses.fields(Settings)
    }


def test_each_detector_is_in_the_readme() -> None:
    ours = {info.name for info in pkgutil.iter_modules(detectors.__path__)}
    assert set(table("Detectors")) == {name for name in ours if not name.startswith("_")}


def test_each_kind_of_assessor_is_on_its_page() -> None:
    page = (ROOT / "docs" / "assessors.md").read_text(encoding="utf-8")
    section = page.split("\n## Kinds\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert rows == _assessors.kinds()


def test_each_detector_of_whole_texts_is_in_the_readme() -> None:
    assert set(table("Detectors of whole texts")) == set(DETECTORS)


def test_each_action_is_in_the_readme() -> None:
    assert set(table("Actions")) == set(actions.load())


def test_a_decision_is_an_action_by_its_name() -> None:
    told = table("Response headers")["Gw-Decision"][0]
    words = re.findall(r"`(\w+)`", told)
    assert set(words) == {*actions.load(), "error"}
    assert set(headers._DECISIONS) < set(words)


def test_each_backend_kind_is_in_the_readme_and_its_example_can_be_read(tmp_path: Path) -> None:
    section = README.split("\n### Connect your models\n", 1)[1].split("\n## ", 1)[0]
    rows = [row.split("|") for row in section.splitlines() if row.startswith("| `")]
    kinds = [cells[1].strip(" `") for cells in rows]
    assert set(kinds) == set(backends.kinds())
    example = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0]
    lines = [
        f"  - {{name: n{i}, kind: {kind}, url: {cells[3].strip(' `')}}}\n"
        for i, (kind, cells) in enumerate(zip(kinds, rows, strict=True))
        if cells[3].strip()
    ]
    path = tmp_path / "catalogue.yaml"
    head = "apiVersion: gateway/v1\nkind: Catalogue\n"
    path.write_text(head + example.replace("models:", "".join(lines) + "models:"))
    found = catalogue.read(path, backends.kinds(), {})
    assert len(found.upstreams) == 1 + len(lines)
    assert found.find("llama-3.1-8b")


def test_no_line_of_prose_is_too_long() -> None:
    long = [line for line in README.splitlines() if len(line) > 100 and line[0] != "|"]
    assert long == []


def test_no_placeholder_is_left() -> None:
    assert re.findall(r"^[A-Z]{4,}$", README, re.MULTILINE) == []


def test_each_word_names_something_in_the_code() -> None:
    known = {
        name
        for module in (
            apis,
            exchange,
            judgement,
            message,
            ports,
            prices,
            reviews,
            standing,
            assessing,
            passage,
        )
        for name in vars(module)
    }
    elsewhere = {
        "Segment",
        "View",
        "Mark",
        "Reach",
        "Rule",
        "Policy",
        "Catalogue",
        "Chain",
        "Checkpoint",
        "Witness",
        "Terms profile",
        "Trace span",
        "Trial",
        "Binding",
        "Work",
        "Run",
        "Surrogate",
        "Act",
        "Rollout",
        "Shadow",
        "Lists",
        "Sieve",
    }
    words = [word.strip() for row in table("The words") for word in row.split(",")]
    assert [word for word in words if word not in known | elsewhere] == []


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]
)
def test_each_link_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)", text)
    broken = [
        link
        for link in links
        if not link.startswith("http") and not (ROOT / page).parent.joinpath(link).exists()
    ]
    assert broken == []
