"""`gateway serve`: runs the gateway and, when it is ready, says how to use it."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
from typing import Annotated, Any

import typer

from gateway import settings
from gateway.cli._output import Json
from gateway.detectors._channel import launch
from gateway.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

# What takes a detection worker longest to import.
_HEAVY = ("presidio_analyzer",)
_PORT = {"min": 1, "max": 65_535}


@app.command()
def serve(
    workers: Annotated[int | None, typer.Option(min=1, help="Gateway processes.")] = None,
    host: Annotated[str | None, typer.Option(help="Address that clients connect to.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port that clients connect to.")
    ] = None,
    admin_port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port of the admin app.")
    ] = None,
    quickstart: Annotated[
        bool,
        typer.Option(
            "--quickstart",
            help="First make what is missing: data folder, database, keyring and a first key, "
            "which is kept in the data folder as `first-key`.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the gateway until Ctrl-C or SIGTERM.

    Options given here win over `GATEWAY_*` variables and the configuration file.

    For example:

    - `gateway serve --quickstart`: try it, with nothing set up

    - `gateway db upgrade && gateway serve --workers 4`: in earnest
    """
    found = _overridden(
        settings.read(), workers=workers, host=host, port=port, admin_port=admin_port
    )
    with contextlib.ExitStack() as stack:
        launched = launch(_HEAVY) if found.workers == 1 else None
        if launched is not None:
            stack.callback(launched.close)
        # Imported while the worker imports its libraries on another core: a second of the start.
        serving = importlib.import_module("gateway.cli._serving")
        code = serving.run(found, launched=launched, quickstart=quickstart, as_json=as_json)
    raise typer.Exit(code)


def _overridden(found: Settings, **given: Any) -> Settings:
    return dataclasses.replace(
        found, **{name: value for name, value in given.items() if value is not None}
    )
