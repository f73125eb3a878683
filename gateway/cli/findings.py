"""`gateway findings`: false hits that are to stay quiet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from gateway import settings
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, table, when
from gateway.cli._recorded import put
from gateway.cli._text import read_text
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.ports import Entry
from gateway.identity.keyring import Keyring
from gateway.quieting.store import ENDED, MAX_DAYS, QUIETED, FalseHit, QuietValue, Store
from gateway.settings import Settings

app = typer.Typer(
    help="Mark false hits, so that they stay quiet.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

Tenant = Annotated[str, typer.Option(help="Whose exchanges it counts for.")]
_COLUMNS = ("Id", "Tenant", "Category", "State", "Made", "Expires", "Reason")
_SOON = "[dim]Running gateways know within 5 seconds.[/]"


@app.command()
def quiet(
    category: Annotated[str, typer.Argument(help="What it was taken for, such as PERSON.")],
    file: Annotated[
        str, typer.Argument(help="A file that holds the value; without it, standard input.")
    ] = "-",
    tenant: Tenant = "default",
    days: Annotated[int, typer.Option(min=0, max=MAX_DAYS, help="For so long; 0 for ever.")] = 0,
    reason: Annotated[str, typer.Option(help="Why, in your words; without the value.")] = "",
    as_json: Json = False,
) -> None:
    """Mark a value that was found falsely: for its tenant it is no finding of this category.

    The value is exactly what was found, in any case and spacing. It is not kept: only a digest
    under the tenant's key. It never stands in a command's arguments, which others can see.

    For example:

    - `printf 'Jordan Reyes' | gateway findings quiet PERSON --reason "our test user"`
    """
    found = settings.read()
    value = read_text(file).rstrip("\r\n")
    with _store(found) as (engine, store):
        made = store.read(FalseHit(tenant, category, value, reason, "cli", days))
        put(found, engine, _entry(QUIETED, made))
        store.add(made)
    if as_json:
        emit(_facts(made))
    else:
        say(f"Quiet from now on, as [bold]{made.id}[/].")
        say(_SOON)


@app.command("list")
def list_quiet(
    tenant: Annotated[str, typer.Option(help="Only those of this tenant.")] = "",
    as_json: Json = False,
) -> None:
    """List what is quiet, oldest first: by category and tenant, never by value."""
    with _store(settings.read()) as (_, store):
        values = store.all(tenant or None)
    if as_json:
        for each in values:
            emit(_facts(each))
        return
    now_ms = SystemClock().now_ms()
    table(_COLUMNS, (_row(each, now_ms) for each in values), empty="No value is quiet.")


@app.command()
def end(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As in `gateway findings list`.")],
    as_json: Json = False,
) -> None:
    """Have a quiet value found again."""
    found = settings.read()
    with _store(found) as (engine, store):
        known = store.get(id_)
        if known is None:
            raise ConfigError(f"There is no quiet value {id_[:64]!r}. See: gateway findings list")
        put(found, engine, _entry(ENDED, known))
        store.end(id_)
    if as_json:
        emit({"id": id_, "ended": True})
    else:
        say(f"[bold]{escape(id_)}[/] is a finding again.")
        say(_SOON)


@contextmanager
def _store(found: Settings) -> Iterator[tuple[Engine, Store]]:
    with database(found) as engine:
        keyring = Keyring.open(found.keyring_path)
        yield engine, Store(engine, keyring.quiet_key, SystemClock())


def _entry(kind: str, value: QuietValue) -> Entry:
    return Entry("", kind, {"via": "cli", **value.core}, tenant=value.tenant)


def _facts(value: QuietValue) -> dict[str, object]:
    return asdict(value)


def _row(value: QuietValue, now_ms: int) -> list[str]:
    return [
        value.id,
        escape(value.tenant),
        f"[bold]{value.category}[/]",
        "[green]quiet[/]" if value.counts(now_ms) else "[dim]expired[/]",
        when(value.created_ms),
        when(value.expires_ms) if value.expires_ms else "",
        escape(value.reason),
    ]
