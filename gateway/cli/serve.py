"""`gateway serve`: runs the gateway and, when it is ready, says how to use it."""

from __future__ import annotations

import dataclasses
import os
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from gateway import __version__, settings
from gateway import serve as serving
from gateway.cli import _welcome
from gateway.cli._open import explained
from gateway.cli._output import Json, console, emit
from gateway.cli._quickstart import FirstKey, prepare
from gateway.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

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
    serving.set_up_logging(found)
    with ExitStack() as stack:
        stack.enter_context(explained(found))
        key = prepare(found) if quickstart else None
        waiting = stack.enter_context(ExitStack())
        if not as_json and console().is_terminal:
            waiting.enter_context(console().status("Warming the detectors ..."))

        def ready() -> None:
            waiting.close()
            _tell(found, key, as_json=as_json)

        code = serving.serve(found, on_ready=ready)
    raise typer.Exit(code)


def _overridden(found: Settings, **given: Any) -> Settings:
    return dataclasses.replace(
        found, **{name: value for name, value in given.items() if value is not None}
    )


def _tell(found: Settings, key: FirstKey | None, *, as_json: bool) -> None:
    if not as_json:
        _welcome.show(found, key)
        return
    facts: dict[str, Any] = {
        "event": "ready",
        "version": __version__,
        "pid": os.getpid(),
        "url": _welcome.base_url(found),
        "admin_url": _welcome.admin_url(found),
        "data": str(found.data_dir),
        "models": [{"name": m.name, "missing": m.missing} for m in _welcome.models(found)],
    }
    if key is not None:
        facts["key"] = key.text or None
    emit(facts)
    console().file.flush()
