"""The command `gateway`. A command's own module, and what it needs, is imported when it is run."""

from __future__ import annotations

from typing import Any

import typer

from gateway.cli._lazy import Commands

# In the order of `gateway --help`. Each is a module of this package with a typer `app`.
COMMANDS = {
    "serve": "Run the gateway.",
    "doctor": "Say what is missing or wrong in the set-up, and how to mend it.",
    "models": "List the models that clients may ask for.",
    "keys": "Make, list and revoke gateway keys.",
    "policy": "Check, test and explain policies.",
    "terms": "Read, approve and accept the terms of use of models.",
    "scan": "Find personal data and secrets in a text.",
    "findings": "Mark false hits, so that they stay quiet.",
    "evaluate": "Measure what the detectors find and miss in labelled texts.",
    "works": "Register works of which answers must not reproduce long runs.",
    "reviews": "Decide about requests that wait for a person.",
    "audit": "Read and verify the audit log.",
    "coverage": "Print which fields of which API are judged, which are not, and why.",
    "openapi": "Print what is served as an OpenAPI document.",
    "db": "Bring the database up to date, and say who may do what with it.",
    "list": "List everything the gateway knows: detectors, actions, settings, ...",
    "version": "Say which version this is.",
}

app = typer.Typer(
    name="gateway",
    cls=Commands,
    help=(
        "The responsible-use gateway: stands between LLM clients and models, takes personal "
        "data and secrets out, applies policies, labels answers, keeps a tamper-evident log.\n\n"
        "Start with `gateway serve --quickstart`. Every command has `--json`."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command that the arguments name."""
    app()


def _placeholder() -> Any:
    """Stands for a command in `--help` until it is loaded."""


for _name, _help in COMMANDS.items():
    app.command(_name, help=_help)(_placeholder)
