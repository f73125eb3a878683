"""`gateway keys`: who may use the gateway."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import classes, settings
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, table, when
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.identity.keytable import KeyInfo, KeyTable
from gateway.settings import Settings

app = typer.Typer(
    help="Make, list and revoke gateway keys.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

_DAY_MS = 86_400_000
_COLUMNS = (
    "Id",
    "Name",
    "State",
    "Tenant",
    "Application",
    "Team",
    "Roles",
    "Class",
    "Made",
    "Expires",
)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What you will know it by.")],
    tenant: Annotated[str, typer.Option(help="Whose data its exchanges are.")] = "default",
    application: Annotated[str, typer.Option(help="What will use it.")] = "",
    team: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    role: Annotated[
        list[str] | None,
        typer.Option(help="May be given more than once. admin and auditor open the admin app."),
    ] = None,
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Valid for so many days.")
    ] = None,
    data_class: Annotated[
        list[str] | None,
        typer.Option(help="What is asked with it is of this class at least. Also more than once."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once and stored nowhere; only its hash is.

    For example:

    - `gateway keys new support-bot --application support --team crm`

    - `gateway keys new carol --role auditor --expires-days 30`

    - `gateway keys new clinic --data-class restricted --data-class health`
    """
    if not name.strip():
        raise ConfigError("A key needs a name: gateway keys new NAME")
    for word in (name, tenant, application, team, *(role or ())):
        if not word.isprintable():
            raise ConfigError(f"{word!r}: expected no line ends or other controls in names.")
    found = settings.read()
    _check_classes(found, data_class or ())
    clock = SystemClock()
    expires_ms = None if expires_days is None else clock.now_ms() + expires_days * _DAY_MS
    with database(found) as engine:
        who, text = KeyTable(engine, clock).new(
            name,
            tenant=tenant,
            application=application,
            team=team,
            roles=tuple(role or ()),
            expires_ms=expires_ms,
            data_class=", ".join(data_class or ()),
        )
    if as_json:
        emit({"id": who.key_id, "key": text, **_facts(who), "expires_ms": expires_ms})
        return
    say(f"[bold magenta]{text}[/]")
    say("[dim]Shown once. Works within 5 seconds.[/]")
    say(f"[dim]gateway keys revoke {who.key_id} makes it worthless.[/]")


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """List all keys, oldest first, the revoked ones too. With `--json` one line each."""
    clock = SystemClock()
    with database(settings.read()) as engine:
        infos = KeyTable(engine, clock).list()
    now_ms = clock.now_ms()
    if as_json:
        for info in infos:
            emit({**asdict(info), "state": _state(info, now_ms)})
        return
    rows = (_row(info, _state(info, now_ms)) for info in infos)
    table(_COLUMNS, rows, empty="There are no keys yet. Make one: gateway keys new NAME")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As in `gateway keys list`.")],
    as_json: Json = False,
) -> None:
    """Make a key worthless, for good. Running gateways know within 5 seconds."""
    # The whole key will do, too: it is what people have at hand.
    key_id = key_id.split("_")[1] if key_id.count("_") >= 2 else key_id
    with database(settings.read()) as engine:
        keys = KeyTable(engine, SystemClock())
        done = keys.revoke(key_id)
        known = done or any(info.id == key_id for info in keys.list())
    if not known:
        raise ConfigError(f"There is no key with the id {key_id[:20]!r}. See: gateway keys list")
    if as_json:
        emit({"id": key_id, "revoked": True, "now": done})
    else:
        say(f"Key {key_id} {'is revoked' if done else 'had been revoked before'}.")


def _check_classes(found: Settings, names: Collection[str]) -> None:
    known = classes.read(found.classes_path).names if names else ()
    for name in names:
        if name not in known:
            raise ConfigError(f"There is no class {name[:40]!r}. Known: {', '.join(known)}.")


def _facts(who: Any) -> dict[str, Any]:
    names = ("name", "tenant", "application", "team", "roles", "data_class")
    return {name: getattr(who, name) for name in names}


def _state(info: KeyInfo, now_ms: int) -> str:
    if info.valid(now_ms):
        return "valid"
    return "revoked" if info.revoked_ms is not None else "expired"


def _row(info: KeyInfo, state: str) -> list[str]:
    colour = "green" if state == "valid" else "red"
    texts = [info.tenant, info.application, info.team, ", ".join(info.roles), info.data_class]
    return [
        info.id,
        f"[bold]{escape(info.name)}[/]",
        f"[{colour}]{state}[/]",
        *map(escape, texts),
        when(info.created_ms),
        when(info.expires_ms),
    ]
