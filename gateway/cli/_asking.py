"""`gateway audit ask`: saved questions, answered from the log."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import settings
from gateway.audit import questions
from gateway.audit.query import READ
from gateway.audit.questions import Answer
from gateway.cli._open import database
from gateway.cli._output import Json, emit, table, warn, when
from gateway.cli._recorded import record
from gateway.cli._times import moment
from gateway.clock import SystemClock


def ask(
    name: Annotated[
        str, typer.Argument(metavar="[QUESTION]", help="Without it: which questions there are.")
    ] = "",
    since: Annotated[str, typer.Option(help="From then on: 2h, 7d, 2026-11-01.")] = "",
    until: Annotated[str, typer.Option(help="Before then.")] = "",
    tenant: Annotated[str, typer.Option(help="Only of this tenant.")] = "",
    subject: Annotated[
        str, typer.Option(help="Only what concerns this person, by reference.")
    ] = "",
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL instead of asking it.")] = False,
    as_json: Json = False,
) -> None:
    """Answer a saved question: who sent what where, what was blocked, what went unlabelled.

    For example:

    - `gateway audit ask destinations --since 7d`

    - `gateway audit ask blocked --since 2026-11-01 --tenant acme --json`
    """
    if not name:
        _list(as_json=as_json)
        return
    question = questions.named(name)
    if sql:
        typer.echo(question.sql, nl=False)
        return
    found, now_ms = settings.read(), SystemClock().now_ms()
    with database(found) as engine:
        record(found, engine, READ, {"as": "question", "question": name})
        answer = questions.ask(
            engine,
            question,
            since_ms=moment(since, now_ms) if since else None,
            until_ms=moment(until, now_ms) if until else None,
            tenant=tenant,
            subject=subject,
        )
    if as_json:
        for row in answer.rows:
            emit(dict(zip(answer.columns, row, strict=True)))
    else:
        _show(answer)
    if answer.cut:
        warn(f"There are more than {questions.MAX_ROWS:,} rows; ask for a shorter time.")


def _list(*, as_json: bool) -> None:
    known = questions.saved().values()
    if as_json:
        for question in known:
            emit({"name": question.name, "title": question.title})
    else:
        table(("Question", "What it answers"), [(q.name, q.title) for q in known], empty="None.")


def _show(answer: Answer) -> None:
    names = [column.removesuffix("_ms").replace("_", " ") for column in answer.columns]
    rows = (
        [_cell(column, value) for column, value in zip(answer.columns, row, strict=True)]
        for row in answer.rows
    )
    table(names, rows, empty="Nothing.")


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if column.endswith("_ms"):
        return when(int(value))
    return f"{value:,}" if isinstance(value, int) else escape(str(value))
