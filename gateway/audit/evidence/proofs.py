"""Which entries a pack proves: the acts of its time, and exchanges spread evenly over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from gateway.audit import tree
from gateway.audit.chain import CLOSED
from gateway.audit.prove import Unplaced, bundle, index_of
from gateway.audit.tables import audit_checkpoint, audit_cosignature, audit_entry
from gateway.core.note import Key, Note

SAMPLE = 100
MAX_ACTS = 1_000
_DAY_MS = 86_400_000
_NO_ACTS = ("chain.%", "exchange.%", "access.%")


@dataclass(frozen=True, slots=True)
class Proofs:
    """bundles: by file name. checkpoints: notes as an anchor file has them. witnesses: by name.

    size: of the checkpoint that all is proved by; 0 if there was nothing to prove.
    """

    bundles: dict[str, dict[str, Any]]
    checkpoints: str
    size: int
    witnesses: tuple[str, ...]


def gather(connection: Connection, since_ms: int, until_ms: int, log_key: Key) -> Proofs:
    """Proofs for times in [since, until). Raises Unplaced if entries have no place yet."""
    chosen = {
        "acts.json": _acts(connection, since_ms, until_ms),
        "exchanges.json": _spread(connection, since_ms, until_ms),
    }
    placed = {
        name: [(row, index_of(connection, row)) for row in rows]
        for name, rows in chosen.items()
        if rows
    }
    notes = _daily(connection, since_ms, until_ms)
    if not placed:
        return Proofs({}, "\n".join(map(str, notes.values())), 0, ())
    size, note = _covering(connection, max(i for each in placed.values() for _, i in each))
    notes[size] = note
    return Proofs(
        {name: bundle(connection, rows, note, log_key) for name, rows in placed.items()},
        "\n".join(str(notes[each]) for each in sorted(notes)),
        size,
        tuple(each.name for each in note.signatures if each.name != log_key.name),
    )


def _acts(connection: Connection, since_ms: int, until_ms: int) -> Sequence[Row[Any]]:
    columns = audit_entry.c
    return connection.execute(
        select(audit_entry)
        .where(columns.ts_ms >= since_ms, columns.ts_ms < until_ms)
        .where(*(columns.kind.not_like(kind) for kind in _NO_ACTS))
        .order_by(columns.ts_ms, columns.entry_id)
        .limit(MAX_ACTS)
    ).all()


def _spread(connection: Connection, since_ms: int, until_ms: int) -> list[Row[Any]]:
    """The first exchange that ended at or after each of so many moments, each once."""
    columns = audit_entry.c
    found: dict[str, Row[Any]] = {}
    ended = select(audit_entry).where(columns.kind == CLOSED, columns.ts_ms < until_ms)
    first_ms, last_ms = connection.execute(
        select(func.min(columns.ts_ms), func.max(columns.ts_ms)).where(
            columns.kind == CLOSED, columns.ts_ms >= since_ms, columns.ts_ms < until_ms
        )
    ).one()
    if first_ms is None:
        return []
    for number in range(SAMPLE):
        moment = first_ms + (last_ms - first_ms) * number // SAMPLE
        row = connection.execute(
            ended.where(columns.ts_ms >= moment).order_by(columns.ts_ms, columns.entry_id).limit(1)
        ).one_or_none()
        if row is None:
            break
        found[row.entry_id] = row
    return list(found.values())


def _covering(connection: Connection, index: int) -> tuple[int, Note]:
    """The oldest checkpoint with this leaf that a witness signed; if none did, the oldest.

    So the same time gives the same pack again, however long the log has grown since.
    """
    for column in (audit_cosignature.c.size, audit_checkpoint.c.size):
        size = connection.execute(select(func.min(column)).where(column > index)).scalar_one()
        if size is not None:
            return size, _note(connection, size)
    raise Unplaced("The checkpoint of the last entries is not signed yet. Try again in a second.")


def _daily(connection: Connection, since_ms: int, until_ms: int) -> dict[int, Note]:
    """The last checkpoint of each day (UTC), by size."""
    columns = audit_checkpoint.c
    day = columns.ts_ms // _DAY_MS
    sizes = connection.execute(
        select(func.max(columns.size))
        .where(columns.ts_ms >= since_ms, columns.ts_ms < until_ms)
        .group_by(day)
    ).scalars()
    return {size: _note(connection, size) for size in sorted(sizes.all())}


def _note(connection: Connection, size: int) -> Note:
    text = connection.execute(
        select(audit_checkpoint.c.note).where(audit_checkpoint.c.size == size)
    ).scalar_one()
    return tree.cosigned(connection, size, Note.parse(text))
