"""Evidence for outsiders: entries with the proof that the log has them, as one JSON bundle.

`verifier` checks such a bundle without a database and without this package.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, select

from gateway.audit import merkle, tiles, tree
from gateway.audit.chain import CLOSED, OPENED
from gateway.audit.checkpoint import checkpoint
from gateway.audit.tables import audit_entry
from gateway.audit.verifier import FORM
from gateway.core.errors import GatewayError
from gateway.core.note import Key, Note
from gateway.db import snapshot

MAX_ENTRIES = 1_000


class Unplaced(GatewayError):
    """An entry has no place in the tree yet: the sequencer has not come to it."""


def prove(engine: Engine, exchange_id: str, log_key: Key) -> dict[str, Any] | None:
    """All entries about an exchange; None if there is none of this id.

    Raises Unplaced, and NoteError if the checkpoint in the database is not the log's.
    """
    columns = audit_entry.c
    return _bundle(engine, select(audit_entry).where(columns.exchange_id == exchange_id), log_key)


def prove_own(engine: Engine, exchange_id: str, key_id: str, log_key: Key) -> dict[str, Any] | None:
    """The two entries of an exchange that was made with this key; None if there is none."""
    columns = audit_entry.c
    statement = select(audit_entry).where(
        columns.exchange_id == exchange_id,
        columns.key_id == key_id,
        columns.kind.in_((OPENED, CLOSED)),
    )
    return _bundle(engine, statement, log_key)


def prove_at(engine: Engine, index: int, log_key: Key) -> dict[str, Any] | None:
    """The entry at this place of the tree; None if the tree is not that large."""
    with snapshot(engine) as connection:
        run = tree.run_at(connection, index)
    if run is None:
        return None
    columns = audit_entry.c
    n = run.first_n + index - run.first_index
    statement = select(audit_entry).where(
        columns.replica == run.replica, columns.epoch == run.epoch, columns.n == n
    )
    return _bundle(engine, statement, log_key)


def _bundle(
    engine: Engine, statement: Select[tuple[Any, ...]], log_key: Key
) -> dict[str, Any] | None:
    columns = audit_entry.c
    with snapshot(engine) as connection:
        rows = connection.execute(
            statement.order_by(columns.ts_ms, columns.epoch, columns.n).limit(MAX_ENTRIES)
        ).all()
        if not rows:
            return None
        placed = [(row, index_of(connection, row)) for row in rows]
        note = tree.checkpoint_for(connection, max(index for _, index in placed))
        if note is None:
            raise Unplaced("The checkpoint of this entry is not signed yet.")
        return bundle(connection, placed, note, log_key)


def bundle(
    connection: Connection, placed: Sequence[tuple[Row[Any], int]], note: Note, log_key: Key
) -> dict[str, Any]:
    """Rows of `audit_entry` with their places, and the proof that this checkpoint has them."""
    size = checkpoint(note, log_key).size
    complete = tiles.complete(tree.tiles(connection))
    return {
        "form": FORM,
        "key": str(log_key),
        "checkpoint": str(note),
        "entries": [
            {
                "index": index,
                "prev": bytes(row.prev).hex(),
                "core": row.core,
                "proof": [_base64(h) for h in merkle.inclusion(index, size, complete)],
            }
            for row, index in placed
        ],
    }


def index_of(connection: Connection, row: Row[Any]) -> int:
    """An entry's place in the tree. Raises Unplaced."""
    run = tree.run_of(connection, row.replica, row.epoch, row.n)
    if run is None:
        raise Unplaced(
            "This entry has no place in the tree yet. The gateway gives it one within seconds, "
            "or run: gateway audit sequence --once"
        )
    return run.first_index + int(row.n) - run.first_n


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
