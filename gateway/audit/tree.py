"""The Merkle tree as it lies in the database: where entries stand in it, tiles, checkpoints.

Reads only; `sequencer` writes. Everything takes the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from gateway.audit.tables import audit_checkpoint, audit_cosignature, audit_run, audit_tile
from gateway.audit.tiles import Read
from gateway.core.note import Note, Signature

KEPT_TILES = 64


@dataclass(frozen=True, slots=True)
class Run:
    """Entries of one chain that stand one after the other in the tree."""

    first_index: int
    replica: str
    epoch: int
    first_n: int
    entries: int

    @property
    def end(self) -> int:
        """The index behind the last."""
        return self.first_index + self.entries


def tiles(connection: Connection) -> Read:
    """Reads tiles, those read lately not again."""
    known: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int) -> bytes:
        at = (level, index)
        if at not in known:
            if len(known) == KEPT_TILES:
                known.clear()
            found = connection.execute(
                select(audit_tile.c.hashes).where(
                    audit_tile.c.level == level, audit_tile.c.tile_index == index
                )
            ).scalar_one_or_none()
            known[at] = bytes(found or b"")
        return known[at]

    return read


def newest(connection: Connection) -> tuple[int, Note] | None:
    """(size, note) of the newest checkpoint, as it was signed; None before the first.

    Raises NoteError if it is no note.
    """
    row = connection.execute(
        select(audit_checkpoint.c.size, audit_checkpoint.c.note)
        .order_by(audit_checkpoint.c.size.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.size, Note.parse(row.note))


def cosigned(connection: Connection, size: int, note: Note) -> Note:
    """The checkpoint of this size with the newest cosignature of each witness under it."""
    rows = connection.execute(
        select(audit_cosignature.c.witness, audit_cosignature.c.line)
        .where(audit_cosignature.c.size == size)
        .order_by(audit_cosignature.c.ts_ms)
    )
    lines = {row.witness: row.line for row in rows}
    return Note(note.text, (*note.signatures, *map(Signature.parse, lines.values())))


def run_of(connection: Connection, replica: str, epoch: int, n: int) -> Run | None:
    """The run with this entry; None if it has no place in the tree yet."""
    columns = audit_run.c
    row = connection.execute(
        select(audit_run)
        .where(columns.replica == replica, columns.epoch == epoch, columns.first_n <= n)
        .order_by(columns.first_n.desc())
        .limit(1)
    ).one_or_none()
    if row is None or n >= row.first_n + row.entries:
        return None
    return Run(row.first_index, row.replica, row.epoch, row.first_n, row.entries)


def run_at(connection: Connection, index: int) -> Run | None:
    """The run with the leaf of this index; None if the tree has none."""
    row = connection.execute(
        select(audit_run)
        .where(audit_run.c.first_index <= index)
        .order_by(audit_run.c.first_index.desc())
        .limit(1)
    ).one_or_none()
    if row is None or index >= row.first_index + row.entries:
        return None
    return Run(row.first_index, row.replica, row.epoch, row.first_n, row.entries)


def checkpoint_for(connection: Connection, index: int) -> Note | None:
    """The checkpoint to prove a leaf by: the newest that a witness cosigned, else the newest.

    None if none has this leaf yet.
    """
    size = connection.execute(
        select(func.max(audit_cosignature.c.size)).where(audit_cosignature.c.size > index)
    ).scalar_one()
    if size is not None:
        text = connection.execute(
            select(audit_checkpoint.c.note).where(audit_checkpoint.c.size == size)
        ).scalar_one_or_none()
        if text is not None:
            return cosigned(connection, size, Note.parse(text))
    found = newest(connection)
    return found[1] if found is not None and found[0] > index else None
