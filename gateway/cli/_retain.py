"""`gateway audit retain`: what is kept of texts for longer than its class says, destroyed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli._output import Json, emit, say, table
from gateway.cli._subject import As, actor, custodian, flushed


def retain(
    apply: Annotated[bool, typer.Option("--apply", help="Destroy it, not only say so.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "its time is over",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Say which kept texts are older than GATEWAY_AUDIT_PAYLOAD_DAYS allows; destroy them.

    What is on hold stays, and so do all entries of the log. Run it once a day with `--apply`.
    """
    with custodian() as (found, at):
        days = found.retention_days
        gone = at.expire(actor(who, reason), days) if apply else at.over(days)
    if as_json:
        for each in gone:
            emit({"days": days[each.retention], "destroyed": apply, **asdict(each)})
    else:
        rows = [[escape(g.retention), str(days[g.retention]), f"{g.payloads:,}"] for g in gone]
        table(("Class", "Days", "Payloads"), rows, empty="Nothing is kept for too long.")
        if any(each.payloads for each in gone) and not apply:
            say("Nothing was destroyed. To do it: gateway audit retain --apply")
    flushed(gone)
