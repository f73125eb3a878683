"""`gateway version`."""

from __future__ import annotations

import platform

import typer

from gateway import __version__
from gateway.cli._output import Json, emit, say

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def version(as_json: Json = False) -> None:
    """Say which version this is."""
    if as_json:
        emit({"version": __version__, "python": platform.python_version()})
    else:
        say(f"gateway {__version__} (Python {platform.python_version()})")
