"""How commands speak: JSON for programs, tables for people, errors in one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_PLAIN_WIDTH = 160


def _note(ctx: typer.Context, value: bool) -> bool:
    """Remember it where the outermost error handler can see it."""
    ctx.meta["json"] = value
    return value


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.", callback=_note)]


def console(*, stderr: bool = False) -> Console:
    """A console on standard output or error, as wide as a pipe can take."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, width=None if stream.isatty() else _PLAIN_WIDTH)


def emit(value: Any) -> None:
    """One JSON value on one line of standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def told(value: Any, *, as_json: bool) -> None:
    """One JSON value: on one line for programs, with colours and room for people."""
    if as_json:
        emit(value)
    else:
        console().print_json(json.dumps(value))


def say(text: str) -> None:
    """Lines for people, with rich's markup, never cut or wrapped."""
    console().print(text, soft_wrap=True)


def warn(text: str) -> None:
    """One line on standard error. `text` is shown as it is."""
    console(stderr=True).print(f"[yellow]{escape(text)}[/]", soft_wrap=True)


def fail(text: str, *, as_json: bool) -> None:
    """An error on standard error, in one line if it is one."""
    if as_json:
        sys.stderr.write(json.dumps({"error": text}, ensure_ascii=False) + "\n")
    else:
        console(stderr=True).print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Rows of rich markup under headings, or the words `empty`."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    if grid.row_count:
        console().print(grid)
    else:
        say(f"[dim]{escape(empty)}[/]")


def when(ms: int | None) -> str:
    """A time in UTC, to the second; empty for none."""
    if ms is None:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
