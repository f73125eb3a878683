"""`gateway audit subject` and `gateway audit hold`: what is kept of one person's texts."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from gateway import settings
from gateway.audit.concerning import concerning
from gateway.audit.custody import EXPORTED, Actor, Custodian
from gateway.audit.erasing import Gone
from gateway.audit.holds import Hold
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, table, told, warn, when
from gateway.cli._recorded import put
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.ports import Entry
from gateway.identity.keyring import Keyring
from gateway.identity.tenantkeys import open_keys
from gateway.pipeline.concerned import reference
from gateway.settings import Settings

subject = typer.Typer(
    help="All that concerns one person, by a reference that names nobody.", no_args_is_help=True
)
hold = typer.Typer(help="What must not be erased for now.", no_args_is_help=True)

_REFERENCE = r"[0-9a-f]{64}"
Ref = Annotated[str, typer.Argument(metavar="[REF]", help="Its reference, as entries have it.")]
User = Annotated[str, typer.Option(help="The end user by the name that applications give.")]
Key = Annotated[str, typer.Option(help="The gateway key by its id, for what names no end user.")]
Tenant = Annotated[str, typer.Option(help="Whose it is.")]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]
As = Annotated[str, typer.Option("--as", help="Who acts. Default: the system's user.")]


@subject.command("reference")
def show_reference(
    tenant: Tenant = "default", user: User = "", key: Key = "", as_json: Json = False
) -> None:
    """Print the reference by which entries name somebody. Needs the keyring, and no database.

    For example: `gateway audit subject reference --tenant acme --user anna@example.org`
    """
    ref = named(settings.read(), tenant, "", user, key)
    if as_json:
        emit({"tenant": tenant, "subject": ref})
    else:
        typer.echo(ref)


@subject.command()
def erase(
    ref: Ref = "",
    tenant: Tenant = "default",
    user: User = "",
    key: Key = "",
    reason: Reason = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Destroy what is kept of somebody's texts, and its keys. Entries of the log stay.

    Refused while something of it is on hold. It cannot be undone.

    For example: `gateway audit subject erase --tenant acme --user anna@example.org --reason "her
    request of May 4"`
    """
    with custodian() as (found, at):
        whom = named(found, tenant, ref, user, key)
        gone = at.erase(actor(who, reason), tenant=tenant, subject=whom)
    if as_json:
        emit({"tenant": tenant, "subject": whom, **asdict(gone)})
    else:
        say(f"Erased: {gone.payloads:,} payloads and {gone.keys:,} keys of {whom[:16]}.")
    flushed([gone])


@subject.command()
def export(
    ref: Ref = "",
    tenant: Tenant = "default",
    user: User = "",
    key: Key = "",
    reason: Reason = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Print all that concerns somebody as JSON, with kept texts opened. That is on record first.

    Its exchanges one after the other, with `--json` one a line: entries, and what is kept of texts.

    For example: `gateway audit subject export --tenant acme --user anna@example.org --reason
    "access request of May 4" --json > anna.jsonl`
    """
    found = settings.read()
    whom = named(found, tenant, ref, user, key)
    keys = open_keys(found.audit_payload_keys, Keyring.open(found.keyring_path, create=False))
    core = {**actor(who, reason).said(), "subject": whom}
    with database(found) as engine:
        put(found, engine, Entry("", EXPORTED, core, tenant=tenant))
        for each in concerning(engine, keys, tenant=tenant, subject=whom):
            told(each, as_json=as_json)


@hold.command()
def place(
    tenant: Tenant = "default",
    user: User = "",
    key: Key = "",
    ref: Annotated[str, typer.Option("--subject", help="The person's reference.")] = "",
    exchange: Annotated[str, typer.Option(help="Only this exchange, by its whole id.")] = "",
    reason: Reason = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Have nothing erased of a person, an exchange or a tenant until the hold is lifted.

    For example: `gateway audit hold place --tenant acme --user anna@example.org --reason "case 17"`
    """
    with custodian() as (found, at):
        whom = named(found, tenant, ref, user, key) if ref or user or key else ""
        made = at.place(actor(who, reason), tenant=tenant, subject=whom, exchange_id=exchange)
    if as_json:
        emit(asdict(made))
    else:
        say(f"On hold: [bold]{made.hold_id}[/]")


@hold.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Those that were lifted, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the holds in force, oldest first. With `--json` one line each."""
    with custodian() as (_, at):
        found = at.holds(all_=all_)
    if as_json:
        for each in found:
            emit(asdict(each))
        return
    columns = ("Hold", "Placed", "By", "Tenant", "Of", "Reason", "Lifted")
    table(columns, [_row(each) for each in found], empty="Nothing is on hold.")


@hold.command()
def lift(
    hold_id: Annotated[str, typer.Argument(metavar="ID", help="As `hold list` shows it.")],
    reason: Reason = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Lift a hold, so that what was under it may be erased again."""
    with custodian() as (_, at):
        lifted = at.lift(actor(who, reason), hold_id)
    if as_json:
        emit({"hold_id": lifted.hold_id})
    else:
        say(f"Lifted: {lifted.hold_id}")


@contextmanager
def custodian() -> Iterator[tuple[Settings, Custodian]]:
    """The settings, and who looks after payloads, for one command."""
    found = settings.read()
    with database(found) as engine:
        yield found, Custodian(engine, lambda entry: put(found, engine, entry), SystemClock())


def actor(who: str, reason: str) -> Actor:
    """Who acts from the command line."""
    return Actor(who or getpass.getuser(), reason, via="cli")


def named(found: Settings, tenant: str, ref: str, user: str, key: str) -> str:
    """The reference of whoever is named in one of three ways. Raises ConfigError."""
    if sum(map(bool, (ref, user, key))) != 1:
        raise ConfigError("Say whom: a reference, --user NAME or --key ID; one of them.")
    if ref:
        if not re.fullmatch(_REFERENCE, ref):
            raise ConfigError(
                "Expected a whole reference, 64 hex digits in lower case, as `gateway audit "
                f"subject reference` prints it; found {len(ref)} characters. Nobody would be meant."
            )
        return ref
    seal = Keyring.open(found.keyring_path, create=False).seal
    return reference(tenant, user or key, seal, user=bool(user))


def flushed(gone: list[Gone]) -> None:
    """Warn if the database's files still hold some of it."""
    if not all(each.flushed for each in gone):
        warn(
            "It is gone from the database, but its write-ahead log could not be emptied, for "
            "somebody was reading all the time. Run `gateway audit retain --apply` later."
        )


def _row(each: Hold) -> list[str]:
    of = f"exchange {each.exchange_id}" if each.exchange_id else each.subject[:16] or "all"
    return [
        each.hold_id,
        when(each.placed_ms),
        escape(each.placed_by),
        escape(each.tenant),
        escape(of),
        escape(each.reason),
        when(each.lifted_ms),
    ]
