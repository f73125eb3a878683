"""Loads the module of a command when the command is run, and says errors in one line."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from gateway.cli._output import fail
from gateway.core.errors import GatewayError


class Commands(TyperGroup):
    """The top group: each command is the typer app in the module of its name."""

    def load(self, name: str) -> None:
        """Put the real command where its placeholder stands. Unknown names are left alone."""
        if name in self.commands:
            module = importlib.import_module(f"gateway.cli.{name}")
            command = get_command(module.app)
            command.name = name
            self.commands[name] = command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As any group, with the command loaded first."""
        self.load(args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what an operator did wrong is one line and exit code 2."""
        try:
            return super().invoke(ctx)
        except GatewayError as err:
            fail(str(err), as_json=bool(ctx.meta.get("json")))
            raise typer.Exit(2) from err
