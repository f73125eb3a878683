"""`gateway audit partitions`: the months of the log on PostgreSQL."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from gateway import settings
from gateway.audit import partitions as months
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, table, warn, when
from gateway.clock import SystemClock


def partitions(
    ahead: Annotated[
        int | None, typer.Option(min=0, max=120, help="Make those of so many months to come.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the log's partitions on PostgreSQL; with `--ahead` make those of the months to come.

    Run it once a month with `--ahead 3`, as the role that runs `gateway db upgrade`, which makes
    them too. An entry whose month was not made goes to the default partition, and is found there;
    the next `--ahead` makes a month of that. SQLite has no partitions.
    """
    now_ms = SystemClock().now_ms()
    with database(settings.read()) as engine:
        made = []
        if ahead is not None:
            made = months.add_months(engine, ahead=ahead, now_ms=now_ms)
        found = months.partitions(engine)
        caution = months.caution(engine, now_ms)
    if as_json:
        emit({"made": made, "partitions": [asdict(p) for p in found], "caution": caution})
        return
    rows = [
        [p.name, when(p.since_ms), when(p.until_ms), f"{p.entries:,}", f"{p.bytes:,}"]
        for p in found
    ]
    table(
        ("Partition", "From", "Before", "Entries, about", "Bytes"),
        rows,
        empty="This database has no partitions.",
    )
    if made:
        say(f"Made: {', '.join(made)}.")
    if caution:
        warn(f"{caution[0].upper()}{caution[1:]}. Run: gateway audit partitions --ahead 3")
