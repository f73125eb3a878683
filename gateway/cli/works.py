"""`gateway works`: texts of which answers must not reproduce long runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from gateway import settings
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, table, when
from gateway.cli._recorded import record
from gateway.cli._text import read_text
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.detectors._verbatim.store import Register, WorkInfo
from gateway.identity.keyring import Keyring
from gateway.settings import Settings

app = typer.Typer(
    help="Register works of which answers must not reproduce long runs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

ADDED, REMOVED = "works.added", "works.removed"
_COLUMNS = ("Id", "Title", "Owner", "Licence", "Words", "State", "Registered")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_SOON = "[dim]Running gateways know within 5 seconds.[/]"


@app.command()
def add(
    file: Annotated[str, typer.Argument(help="The text in UTF-8, or `-` for standard input.")],
    id_: Annotated[
        str, typer.Option("--id", help="What findings and records call it. Default: the file.")
    ] = "",
    title: Annotated[str, typer.Option(help="What it is called.")] = "",
    owner: Annotated[str, typer.Option(help="Whose it is.")] = "",
    licence: Annotated[str, typer.Option(help="Under which terms.")] = "",
    free: Annotated[
        str, typer.Option("--except", help="A text that anybody may reproduce: it is left out.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Register a work. Its text is not kept, only keyed hashes of some of its shingles.

    Answers that reproduce 25 of its words in a row or more are findings of the category
    PROTECTED_TEXT, also where some words were changed. `--except` names a text such as a
    notice of a licence, which may stand in the work and in answers alike.

    For example:

    - `gateway works add novel.txt --title "The Novel" --owner "A. Writer"`

    - `gateway works add source.c --id parser --except licence-header.txt`
    """
    name = id_ or _ODD.sub("-", Path(file).stem).strip("-.")
    text, passed = read_text(file), read_text(free) if free else ""
    found = settings.read()
    with _register(found) as (engine, register):
        info, kept = register.read(WorkInfo(name, title, owner, licence, 0, 0), text, free=passed)
        _must_be_new(register, info.id)
        record(found, engine, ADDED, {"work": info.id, "words": info.words, "licence": licence})
        register.add(info, kept)
    if as_json:
        emit({**asdict(info), "shingles": len(kept.places) // 4})
    else:
        say(f"Work [bold]{escape(info.id)}[/] is registered: {info.words} words.")
        say(_SOON)


@app.command("list")
def list_works(as_json: Json = False) -> None:
    """List all registered works, oldest first. With `--json` one line each."""
    with _register(settings.read()) as (_, register):
        infos = register.infos()
    if as_json:
        for info in infos:
            emit(asdict(info))
        return
    empty = "No work is registered. Register one: gateway works add FILE"
    table(_COLUMNS, (_row(info) for info in infos), empty=empty)


@app.command()
def remove(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As in `gateway works list`.")],
    as_json: Json = False,
) -> None:
    """Forget a work, and all that is kept of it."""
    found = settings.read()
    with _register(found) as (engine, register):
        if all(info.id != id_ for info in register.infos()):
            raise ConfigError(f"There is no work {id_[:64]!r}. See: gateway works list")
        record(found, engine, REMOVED, {"work": id_})
        register.remove(id_)
    if as_json:
        emit({"id": id_, "removed": True})
    else:
        say(f"Work [bold]{escape(id_)}[/] is forgotten.")
        say(_SOON)


@contextmanager
def _register(found: Settings) -> Iterator[tuple[Engine, Register]]:
    with database(found) as engine:
        key = Keyring.open(found.keyring_path).works_key
        yield engine, Register(engine, key, SystemClock())


def _must_be_new(register: Register, id_: str) -> None:
    if any(info.id == id_ for info in register.infos()):
        raise ConfigError(
            f"There is a work {id_!r} already. Name another with --id, or: gateway works "
            f"remove {id_}"
        )


def _row(info: WorkInfo) -> list[str]:
    state = "[green]in use[/]" if info.usable else "[red]register again[/]"
    return [
        f"[bold]{escape(info.id)}[/]",
        *map(escape, (info.title, info.owner, info.licence)),
        str(info.words),
        state,
        when(info.created_ms),
    ]
