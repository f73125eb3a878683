"""`gateway audit payload`: read what is kept of an exchange's texts, on record first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from gateway import settings
from gateway.audit.reading import Leave, Reading, Readings
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, table, told, when
from gateway.cli._recorded import put
from gateway.cli._subject import As, Reason, actor
from gateway.clock import SystemClock
from gateway.identity.keyring import Keyring
from gateway.identity.persons import Persons
from gateway.identity.tenantkeys import open_keys

app = typer.Typer(
    help="Read what is kept of texts: with a reason, for a while, each time on record.",
    no_args_is_help=True,
)
WAITING = 3


@app.command()
def read(
    exchange_id: Annotated[str, typer.Argument(metavar="ID", help="The exchange's whole id.")],
    reason: Reason = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Show what is kept of an exchange's texts. Exit code 3 if somebody else must approve it first.

    For example: `gateway audit payload read 01975f2e-... --reason "complaint 12"`
    """
    by = actor(who, reason)
    with _readings() as at:
        asked = at.ask(by, exchange_id)
        if asked.approved:
            for each in at.read(by, asked.reading_id):
                told(each, as_json=as_json)
            return
    if as_json:
        emit(asdict(asked))
    else:
        say(f"Somebody else must approve: gateway audit payload approve {asked.reading_id}")
    raise typer.Exit(WAITING)


@app.command()
def approve(
    reading_id: Annotated[str, typer.Argument(metavar="READING", help="As `list` shows it.")],
    reason: Reason = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Let somebody else read what he has asked for."""
    with _readings() as at:
        approved = at.approve(actor(who, reason), reading_id)
    if as_json:
        emit(asdict(approved))
    else:
        say(f"{escape(approved.asked_by)} may read it until {when(approved.expires_ms)}.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List who may read what now, or waits for it. With `--json` one line each."""
    with _readings() as at:
        found = at.listing()
    if as_json:
        for each in found:
            emit(asdict(each))
        return
    columns = ("Reading", "Exchange", "Asked by", "Reason", "Approved by", "Until")
    table(columns, [_row(each) for each in found], empty="Nobody.")


@contextmanager
def _readings() -> Iterator[Readings]:
    found = settings.read()
    keys = open_keys(found.audit_payload_keys, Keyring.open(found.keyring_path, create=False))
    four_eyes, minutes = found.audit_payload_four_eyes == "true", found.audit_payload_minutes
    with database(found) as engine:
        leave = Leave(four_eyes, minutes, Persons(engine))
        yield Readings(
            engine,
            keys,
            leave,
            record=lambda entry: put(found, engine, entry),
            clock=SystemClock(),
        )


def _row(each: Reading) -> list[str]:
    approved = escape(each.approved_by or "nobody needed") if each.approved else "[yellow]waits[/]"
    return [
        each.reading_id,
        each.exchange_id,
        escape(each.asked_by),
        escape(each.reason),
        approved,
        when(each.expires_ms),
    ]
