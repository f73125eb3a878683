"""Entries in the order of the tree: what is read by place is never skipped and never moved.

By time it would be: an entry of a slow replica becomes visible behind later ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, select

from gateway.audit.tables import audit_entry, audit_run
from gateway.audit.tree import Run
from gateway.core.errors import GatewayError
from gateway.db import snapshot


class Missing(GatewayError):
    """The tree has a place whose entry is not in the log: somebody took it out."""


def placed(engine: Engine, start: int, limit: int) -> list[dict[str, Any]]:
    """The entries with places [start, start + limit), as far as the tree goes.

    Each is its core's values, its "hash" in hex and its "index" in the tree. Raises Missing.
    """
    with snapshot(engine) as connection:
        runs = _runs(connection, start, start + limit)
        return [entry for run in runs for entry in _entries(connection, run)]


def _runs(connection: Connection, start: int, end: int) -> list[Run]:
    """The runs in this stretch of the tree, cut to it."""
    columns = audit_run.c
    rows = connection.execute(
        select(audit_run)
        .where(columns.first_index < end, columns.first_index + columns.entries > start)
        .order_by(columns.first_index)
    )
    found = []
    for row in rows:
        first = max(row.first_index, start)
        behind = min(row.first_index + row.entries, end)
        n = row.first_n + first - row.first_index
        found.append(Run(first, row.replica, row.epoch, n, behind - first))
    return found


def _entries(connection: Connection, run: Run) -> Iterator[dict[str, Any]]:
    columns = audit_entry.c
    rows = connection.execute(
        select(columns.n, columns.core, columns.hash)
        .where(
            columns.replica == run.replica,
            columns.epoch == run.epoch,
            columns.n >= run.first_n,
            columns.n < run.first_n + run.entries,
        )
        .order_by(columns.n)
    ).all()
    if len(rows) != run.entries:
        raise Missing(
            f"Of {run.entries} entries from place {run.first_index} on, {len(rows)} are in the "
            "log. Run: gateway audit verify"
        )
    for row in rows:
        index = run.first_index + row.n - run.first_n
        yield {**json.loads(row.core), "hash": bytes(row.hash).hex(), "index": index}
