"""`gateway db`: the database's tables."""

from __future__ import annotations

import typer

from gateway import db, settings
from gateway.audit.partitions import AHEAD_MONTHS, add_months
from gateway.cli import _grant
from gateway.cli._open import address, explained, make_data_folder
from gateway.cli._output import Json, emit, say
from gateway.clock import SystemClock
from gateway.settings import Settings, shipped

app = typer.Typer(
    help="Bring the database up to date, and say who may do what with it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)


@app.command()
def upgrade(as_json: Json = False) -> None:
    """Make the tables, or bring them to the revision that this gateway needs.

    Safe to run again, and from several machines at once. Part of every update. On PostgreSQL it
    also makes the audit log's partitions of the next months.
    """
    found = settings.read()
    if not found.database_url:
        make_data_folder(found)
    with explained(found):
        before = db.current(found.database)
        db.upgrade(found.database, shipped("migrations"))
        _make_months(found)
        after = db.current(found.database)
    if as_json:
        emit({"database": address(found), "before": before, "revision": after})
    elif before == after:
        say(f"Nothing to do: {address(found)} is at revision {after}.")
    else:
        say(f"{address(found)} is now at revision {after}; it was at {before or 'none'}.")


@app.command()
def status(as_json: Json = False) -> None:
    """Say at which revision the database is. Exit code 1 if it needs an upgrade."""
    found = settings.read()
    at, needed = revisions(found)
    if as_json:
        facts = {"database": address(found), "revision": at, "needed": needed}
        emit({**facts, "up_to_date": at == needed})
    elif at == needed:
        say(f"{address(found)} is up to date, at revision {at}.")
    else:
        say(
            f"{address(found)} is at revision {at or 'none'}; this gateway needs {needed}.\n"
            "Run: [bold]gateway db upgrade[/]"
        )
    if at != needed:
        raise typer.Exit(1)


def _make_months(found: Settings) -> None:
    engine = db.open_engine(found.database)
    try:
        add_months(engine, ahead=AHEAD_MONTHS, now_ms=SystemClock().now_ms())
    finally:
        engine.dispose()


def revisions(found: Settings) -> tuple[str | None, str | None]:
    """(the revision the database is at, the one this gateway needs)."""
    with explained(found):
        return db.current(found.database), db.head(shipped("migrations"))


app.command()(_grant.grant)
