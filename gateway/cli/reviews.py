"""`gateway reviews`: requests that wait for a person."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.markup import escape

from gateway import settings
from gateway.audit.log import AuditLog
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, table, when
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError, RecordUnavailable
from gateway.core.judgement import Principal
from gateway.core.ports import Counters
from gateway.core.reviews import ReviewState
from gateway.identity.keyring import Keyring
from gateway.identity.keys import KeyStore
from gateway.review.desk import CannotReview, Desk
from gateway.review.info import ReviewInfo, facts
from gateway.review.sealed import Seals
from gateway.review.store import Store

app = typer.Typer(
    help="Look at requests that wait for a person, and decide about them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

KEY = "GATEWAY_REVIEWER_KEY"
T = TypeVar("T")
Id = Annotated[str, typer.Argument(metavar="ID", help="As in `gateway reviews list`.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file", help=f"File with your gateway key. Default: the variable {KEY}.", exists=True
    ),
]
_COLUMNS = ("Id", "State", "Key", "Model", "Why", "Opened", "Until")


@app.command("list")
def list_reviews(
    state: Annotated[
        str, typer.Option(help="waiting, approved, edited, refused, expired or any.")
    ] = "waiting",
    key_file: KeyFile = None,
    as_json: Json = False,
) -> None:
    """List the reviews that your key may decide, oldest first. With `--json` one line each."""
    wanted = _states(state)

    async def ask(desk: Desk, who: Principal) -> list[ReviewInfo]:
        found, after = await desk.listing(who, wanted)
        while after is not None:
            more, after = await desk.listing(who, wanted, after=after)
            found += more
        return found

    infos = _at_desk(key_file, ask)
    if as_json:
        for info in infos:
            emit(facts(info))
        return
    table(_COLUMNS, (_row(info) for info in infos), empty="Nothing waits for you.")


@app.command()
def show(id_: Id, key_file: KeyFile = None, as_json: Json = False) -> None:
    """Show a review, and what its request says. That you read it is on record."""
    info, said = _at_desk(key_file, lambda desk, who: desk.read(who, id_))
    if as_json:
        emit({**facts(info), "request": said})
        return
    table(_COLUMNS, [_row(info)], empty="")
    for text in said["texts"] if said else ():
        say(f"\n[dim]{escape(text['path'])}  {escape(text['role'])}[/]")
        say(_marked(text["text"], text["marks"]))
    for each in said["attached"] if said else ():
        about = f"{each['media_type']}, {each['size_bytes']:,} bytes, at {each['path']}"
        say(f"\n[yellow]not shown:[/] {escape(about)}")


@app.command()
def approve(id_: Id, key_file: KeyFile = None, as_json: Json = False) -> None:
    """Let the request go on as it is."""
    _tell(_at_desk(key_file, lambda desk, who: desk.approve(who, id_)), as_json=as_json)


@app.command()
def edit(
    id_: Id,
    text: Annotated[
        list[str],
        typer.Option(help="PATH=FILE: what is to stand at a path that `show` names, in a file."),
    ],
    key_file: KeyFile = None,
    as_json: Json = False,
) -> None:
    """Let the request go on with other texts. They are judged first, as if it had come so.

    For example:

    - `gateway reviews edit 0192... --text /messages/0/content=better.txt`
    """
    texts = dict(_text(each) for each in text)
    _tell(_at_desk(key_file, lambda desk, who: desk.edit(who, id_, texts)), as_json=as_json)


@app.command()
def refuse(
    id_: Id,
    words: Annotated[str, typer.Option("--because", help="What the caller is told.")],
    key_file: KeyFile = None,
    as_json: Json = False,
) -> None:
    """Let the request not go on, and say why."""
    _tell(_at_desk(key_file, lambda desk, who: desk.refuse(who, id_, words)), as_json=as_json)


def _at_desk(key_file: Path | None, ask: Callable[[Desk, Principal], Awaitable[T]]) -> T:
    """Ask the desk as whoever holds the key. Raises ConfigError for what is not done."""
    found, clock = settings.read(), SystemClock()
    key = _key(key_file)
    with database(found) as engine:
        keys = KeyStore(engine, clock=clock)
        keys.refresh()
        who = keys.authenticate(key)
        if who is None:
            raise ConfigError("This is not a valid gateway key. See: gateway keys list")
        ring = Keyring.open(found.keyring_path, create=False)
        log = AuditLog(
            engine,
            key=ring.audit_key,
            replica=f"{found.replica_name}/cli",
            clock=clock,
            counters=Counters(),
        )
        desk = Desk(Store(engine, Seals(ring.review_key), clock), log, Counters(), via="cli")

        async def asked() -> T:
            await log.start()
            try:
                return await ask(desk, who)
            finally:
                await log.aclose()

        try:
            return asyncio.run(asked())
        except CannotReview as err:
            raise ConfigError(str(err)) from err
        except RecordUnavailable as err:
            raise ConfigError(f"Nothing was done, for it could not be recorded: {err}") from err


def _key(path: Path | None) -> str:
    try:
        key = path.read_text(encoding="ascii") if path else os.environ.get(KEY, "")
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: the key cannot be read: {type(err).__name__}.") from err
    if not key.strip():
        raise ConfigError(f"Who decides? Name a file with your gateway key: --key-file, or {KEY}.")
    return key.strip()


def _states(word: str) -> list[ReviewState]:
    if word == "any":
        return list(ReviewState)
    if word not in list(ReviewState):
        known = ", ".join(["any", *ReviewState])
        raise ConfigError(f"--state: unknown {word[:40]!r}. Known: {known}.")
    return [ReviewState(word)]


def _text(given: str) -> tuple[str, str]:
    path, equals, file = given.partition("=")
    if not equals:
        raise ConfigError("--text: expected PATH=FILE, such as /messages/0/content=better.txt")
    try:
        return path, Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{file}: expected a text in UTF-8: {type(err).__name__}.") from err


def _tell(info: ReviewInfo, *, as_json: bool) -> None:
    if as_json:
        emit(facts(info))
        return
    say(f"Review {info.id} is [bold]{info.state.value}[/].")
    if info.state is not ReviewState.REFUSED:
        say(
            f"[dim]The request may go through {info.uses} time(s) until {when(info.expires_ms)}.[/]"
        )


def _row(info: ReviewInfo) -> list[str]:
    why = ", ".join(sorted({f"{r.rule} ({r.category})" for r in info.reasons}))
    until = when(info.expires_ms)
    return [
        f"[bold]{info.id}[/]",
        info.state.value,
        *map(escape, (info.key_name, info.model, why)),
        when(info.created_ms),
        until,
    ]


def _marked(text: str, marks: list[dict[str, Any]]) -> str:
    """The text with what was found in it between signs, each with its category behind it."""
    out, done = "", 0
    for mark in marks:
        if mark["start"] < done:
            continue
        out += escape(text[done : mark["start"]])
        out += f"[bold yellow]{escape(text[mark['start'] : mark['end']])}[/]"
        out += f"[dim]\\[{mark['category']}][/]"
        done = mark["end"]
    return out + escape(text[done:])
