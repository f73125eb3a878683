"""`gateway scan`: what the detectors find in a text, without a gateway."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway import settings
from gateway.cli._output import Json, emit, table, warn
from gateway.cli._scanning import load_scanner
from gateway.cli._text import place, read_text
from gateway.core.judgement import DETECTOR_ERROR, Finding

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

FOUND = 3
_COLUMNS = ("Place", "Category", "Characters", "Score", "Detector")


@app.command()
def scan(
    file: Annotated[str, typer.Argument(help="A text file, or `-` for standard input.")],
    fail: Annotated[
        bool, typer.Option("--fail", help=f"Exit with code {FOUND} if something was found.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find personal data and secrets in a text. Nothing leaves this machine.

    Findings are told by place (line:column), never by what stands there. With `--json` one
    line each, with `start` and `end` counted in characters.

    For example:

    - `gateway scan notes.txt`

    - `git diff --cached | gateway scan - --fail`
    """
    text = read_text(file)
    findings = load_scanner(settings.read()).scan(text)
    if as_json:
        for finding in findings:
            emit(_facts(finding))
    else:
        rows = (_row(finding, text) for finding in findings)
        table(
            ("Place", "Category", "Characters", "Score", "Detector"), rows, empty="Nothing found."
        )
    if any(finding.category == DETECTOR_ERROR for finding in findings):
        warn("A detector failed, so this is not all there may be.")
        raise typer.Exit(1)
    if fail and findings:
        raise typer.Exit(FOUND)


def _facts(finding: Finding) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "category": finding.category,
        "start": finding.start,
        "end": finding.end,
        "score": finding.score,
        "detector": finding.detector,
    }
    return {**facts, "note": finding.note} if finding.note else facts


def _row(finding: Finding, text: str) -> list[str]:
    return [
        place(text, finding.start),
        f"[bold]{finding.category}[/]",
        str(finding.end - finding.start),
        f"{finding.score:.2f}",
        finding.detector,
    ]
