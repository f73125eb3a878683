"""`gateway doctor`: looks at everything a start needs, and says how to mend what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import typer
from rich.markup import escape

from gateway.cli._checks import Check, State, checks
from gateway.cli._output import Json, emit, say

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_MARKS = {
    State.OK: "[green]ok  [/]",
    State.WARN: "[bold yellow]warn[/]",
    State.FAIL: "[bold red]FAIL[/]",
}


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is missing or wrong in the set-up, and how to mend it.

    Changes nothing; may be run beside a running gateway. Exit code 1 if something fails.
    """
    found = []
    for check in checks():
        found.append(check)
        if not as_json:
            _tell(check)
    counts = Counter(check.state for check in found)
    failed = counts[State.FAIL] > 0
    if as_json:
        emit({"ok": not failed, "checks": [asdict(check) for check in found]})
    else:
        word = "[bold red]Not fit to serve.[/]" if failed else "[bold green]Fit to serve.[/]"
        say(f"\n{word} {counts[State.FAIL]} failed, {counts[State.WARN]} warnings.")
    if failed:
        raise typer.Exit(1)


def _tell(check: Check) -> None:
    say(f"{_MARKS[check.state]} [bold]{check.name:<12}[/] {escape(check.text)}")
    if check.mend:
        say(f"     [dim]mend:[/] [cyan]{escape(check.mend)}[/]")
