"""`gateway openapi`: what is served, for programs that read OpenAPI documents."""

from __future__ import annotations

import json

import typer

from gateway import dialects
from gateway.cli._output import Json, emit
from gateway.server.openapi import document
from gateway.server.paths import Table

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command("openapi")
def openapi(as_json: Json = False) -> None:
    """Print an OpenAPI document of what clients are served. `--json` makes it one line.

    A running gateway serves the same at `/openapi.json`, to anybody.
    """
    told = document(Table(dialects.load().values()))
    if as_json:
        emit(told)
    else:
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
