"""`gateway policy diff`: what changes from one bundle of policies to another."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import settings
from gateway.cli import _candidate
from gateway.cli._output import Json, emit, say
from gateway.cli._replay import Span, counted, facts, tell
from gateway.policy.comparing import Change, Field, Step, compare

DIFF = "diff"
_SIGNS = {Step.ADDED: "[green]+[/]", Step.REMOVED: "[red]-[/]", Step.CHANGED: "[yellow]~[/]"}


def diff(
    first: Annotated[str, typer.Argument(help=_candidate.HELP)],
    second: Annotated[
        str | None, typer.Argument(help="The same. Without it: from what is in force to FIRST.")
    ] = None,
    since: Annotated[
        str, typer.Option(help="Also ask both about the log's exchanges since then: 2h, 7d.")
    ] = "",
    until: Annotated[str, typer.Option(help="Up to when. Default: now.")] = "",
    tenant: Annotated[str, typer.Option(help="Only this tenant's exchanges.")] = "",
    as_json: Json = False,
) -> None:
    """Say which rules, policies and bindings differ by what they mean.

    For example:

    - `gateway policy diff policies/`: what would change

    - `gateway policy diff 3fa9c2d18b40 policies/ --since 7d`
    """
    found = settings.read()
    new = _candidate.named(found, second or first)
    old = _candidate.named(found, first) if second else _candidate.in_force(found)
    changes = compare(old, new)
    span = Span.of(since, until, tenant) if since else None
    counts = counted(found, new, span, as_=DIFF, against=old) if span else None
    if as_json:
        emit(
            {
                "before": old.digest,
                "after": new.digest,
                "changes": [_facts(change) for change in changes],
                "log": {**span.facts(), **facts(counts)} if span and counts else None,
            }
        )
        return
    _tell(changes)
    if counts:
        say("")
        tell(counts)


def _facts(change: Change) -> dict[str, Any]:
    fields = [field._asdict() for field in change.fields]
    return {"what": change.what, "name": change.name, "change": change.step, "fields": fields}


def _tell(changes: list[Change]) -> None:
    for change in changes:
        name = f" [bold]{escape(change.name)}[/]" if change.name else ""
        say(f"{_SIGNS[change.step]} {change.what}{name}")
        for field in change.fields:
            say(f"    {escape(field.name)}: {escape(_said(field))}")
    if not changes:
        say("[dim]Both mean the same.[/]")


def _said(field: Field) -> str:
    before, after = field.before, field.after
    if field.name != "order" and _names(before) and _names(after):
        gone = [f"-{name}" for name in before if name not in after]
        return " ".join([*gone, *(f"+{name}" for name in after if name not in before)])
    return f"{_shown(before)} -> {_shown(after)}"


def _names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _shown(value: object) -> str:
    if value is None:
        return "(none)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
