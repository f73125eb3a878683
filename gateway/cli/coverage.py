"""`gateway coverage`: which fields of which API are judged, which are not, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from gateway import dialects
from gateway.cli._output import Json, emit, say, table
from gateway.core.apis import Dialect
from gateway.core.errors import ConfigError

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_COLOURS = {"judged": "green", "opaque": "yellow", "not judged": "dim"}


@app.command("coverage")
def coverage(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[DIALECT]...", help="Only these dialects.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print endpoint x field x direction: what is judged, what is opaque, what is neither.

    The table is made from the declarations by which bodies are read. A field that is not in
    it is judged: a "*" stands for whatever else may be there. Without names it is long, so each
    dialect gets one line with its counts; with `--json` it is always whole.
    """
    known = dialects.load()
    for name in names or ():
        if name not in known:
            raise ConfigError(f"unknown dialect {name!r}. Known: {', '.join(known)}.")
    rows = [row for name in names or known for row in _rows(known[name])]
    if as_json:
        emit(rows)
        return
    if not names:
        table(("Dialect", *_COLOURS, "Paths"), _counts(known, rows), empty="None.")
        say("\n[dim]The fields of one:[/] gateway coverage openai_chat")
        return
    for name in names:
        mine = [row for row in rows if row["dialect"] == name]
        say(f"\n[bold cyan]{name}[/]  {'  '.join(known[name].paths)}")
        table(("Direction", "Field", "Fate", "What it is, or why not"), _cells(mine), empty="None.")


def _rows(dialect: Dialect) -> list[dict[str, Any]]:
    return [
        {
            "dialect": dialect.name,
            "paths": list(dialect.paths),
            "direction": place.direction.value,
            "field": place.path,
            "fate": place.fate,
            "why": place.why,
        }
        for place in dialect.manifest()
    ]


def _counts(known: Mapping[str, Dialect], rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    counts = Counter((row["dialect"], row["fate"]) for row in rows)
    for name, dialect in known.items():
        first, *more = dialect.paths
        paths = f"{first}, {len(more)} more" if more else first
        yield name, *(str(counts[name, fate]) for fate in _COLOURS), paths


def _cells(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    for row in rows:
        colour = _COLOURS[row["fate"]]
        yield row["direction"], row["field"], f"[{colour}]{row['fate']}[/]", row["why"]
