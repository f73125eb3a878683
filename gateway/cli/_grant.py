"""`gateway db grant`: roles of PostgreSQL for the gateway itself and for auditors."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from gateway import grants, settings
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say
from gateway.cli._recorded import record
from gateway.core.errors import ConfigError
from gateway.grants import Rights, Standing

GRANTED = "database.role_granted"


def grant(
    name: Annotated[str, typer.Argument(help="The role; it is made if it is not there.")],
    rights: Annotated[
        Rights,
        typer.Option("--role", help="writer: the gateway's own role. auditor: who only reads."),
    ],
    show: Annotated[
        bool, typer.Option("--print", help="Print the SQL for whoever may run it; do nothing.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Say what the role may beyond that, or lacks.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give a role of PostgreSQL just the rights of the gateway or of an auditor.

    What else it was granted is taken from it. An auditor reads the log and its views, but no keys
    and no kept texts; the gateway's own role adds to the log and cannot change it. Run it again
    after `gateway db upgrade`. With `--check`, exit code 1 if the role has more or less than that.

    For example:

    - `gateway db grant auditor --role auditor`

    - `gateway db grant gateway --role writer --print | psql`
    """
    if show and check:
        raise ConfigError("--print and --check: give one of the two.")
    found = settings.read()
    with database(found) as engine:
        if check:
            _tell(grants.standing(engine, name, rights), name, rights, as_json=as_json)
            return
        planned = grants.plan(engine, name, rights)
        if not show:
            record(found, engine, GRANTED, {"role": name, "rights": str(rights)})
            grants.grant(engine, name, rights)
    if show:
        _print(planned, as_json=as_json)
        return
    made = any(statement.startswith("CREATE ROLE") for statement in planned)
    if as_json:
        emit({"role": name, "rights": rights, "made": made})
    elif made:
        say(
            f"{escape(name)} is made, with the rights of the {rights} and no password yet.\n"
            f"In psql: [bold]\\password {escape(name)}[/]"
        )
    else:
        say(f"{escape(name)} has the rights of the {rights}, and no others on this database.")


def _print(planned: list[str], *, as_json: bool) -> None:
    if as_json:
        emit({"statements": planned})
        return
    typer.echo("BEGIN;")
    for statement in planned:
        typer.echo(f"{statement};")
    typer.echo("COMMIT;")


def _tell(standing: Standing, name: str, rights: Rights, *, as_json: bool) -> None:
    if as_json:
        emit({"role": name, "rights": rights, "exact": standing.exact, **asdict(standing)})
    elif standing.exact:
        say(f"[bold green]{escape(name)} has the rights of the {rights}, and no others.[/]")
    for colour, words in (("red", standing.more), ("yellow", standing.less)):
        for each in () if as_json else words:
            say(f"[{colour}]{escape(name)} {escape(each)}[/]")
    if not standing.exact:
        raise typer.Exit(1)
