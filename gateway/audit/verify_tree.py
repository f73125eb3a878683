"""Recomputes the tree over the log and compares it with what was signed, here and elsewhere.

`docs/audit-evidence.md` says what that proves. Holds in memory no more than one tile a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Result, Row, select

from gateway import signing
from gateway.audit import merkle, tiles, tree
from gateway.audit.checkpoint import Checkpoint, checkpoint
from gateway.audit.merkle import HASH_BYTES, Frontier
from gateway.audit.report import Problem, Report
from gateway.audit.tables import (
    audit_checkpoint,
    audit_cosignature,
    audit_entry,
    audit_run,
)
from gateway.audit.tiles import WIDTH, Read
from gateway.core.note import Key, Note, NoteError, Signature


def verify_tree(
    connection: Connection, log_key: Key, report: Report, saved: Sequence[Checkpoint] = ()
) -> None:
    """Check every leaf, tile and checkpoint, and that the log begins with the saved ones."""
    newest = connection.execute(
        select(audit_checkpoint.c.size).order_by(audit_checkpoint.c.size.desc()).limit(1)
    ).scalar_one_or_none()
    last = connection.execute(
        select(audit_run.c.first_index + audit_run.c.entries)
        .order_by(audit_run.c.first_index.desc())
        .limit(1)
    ).scalar_one_or_none()
    signed, placed = newest or 0, last or 0
    report.tree_size = signed
    if placed > signed:
        message = f"{placed} entries have places in the tree, the newest checkpoint signs {signed}"
        report.add(Problem("beyond_checkpoint", message))
    with closing(_placed(connection)) as entries, closing(_checkpoints(connection)) as checkpoints:
        walk = _Walk(tree.tiles(connection), entries, checkpoints, report)
        walk.run(max(signed, placed), log_key, saved)
    for head in saved:
        if head.size > max(signed, placed):
            message = (
                f"a saved checkpoint is of {head.size} entries, this log has "
                f"{max(signed, placed)}: it is older, or was cut off"
            )
            report.add(Problem("rolled_back", message))
    report.unsequenced = max(0, report.entries - placed)


def verify_witness(connection: Connection, witness: Key, report: Report) -> None:
    """Check all signatures of this witness that the log keeps; there must be one."""
    lines = connection.execute(
        select(audit_cosignature.c.size, audit_cosignature.c.line, audit_checkpoint.c.note)
        .join_from(
            audit_cosignature,
            audit_checkpoint,
            audit_cosignature.c.size == audit_checkpoint.c.size,
            isouter=True,
        )
        .where(audit_cosignature.c.witness == witness.name)
    )
    count = 0
    for row in lines:
        count += 1
        try:
            text = Note.parse(row.note or "").text
            signing.require(Note(text, (Signature.parse(row.line),)), witness)
        except NoteError:
            message = f"{witness.name} did not sign the checkpoint of {row.size} entries"
            report.add(Problem("cosignature_forged", message))
    if not count:
        report.add(Problem("cosignature_missing", f"there is no signature by {witness.name}"))


class _Walk:
    """Leaf by leaf through the tree, as the tiles have it."""

    def __init__(
        self, read: Read, entries: Result[Any], checkpoints: Result[Any], report: Report
    ) -> None:
        self._report = report
        self._read = read
        self._entries = iter(entries)
        self._entry: Row[Any] | None = next(self._entries, None)
        self._checkpoints = iter(checkpoints)
        self._checkpoint: Row[Any] | None = next(self._checkpoints, None)
        self._frontier = Frontier()
        self._above = _Above(read, report)
        self._missing_from: int | None = None

    def run(self, size: int, log_key: Key, saved: Sequence[Checkpoint]) -> None:
        """All leaves. Ends at the first that no tile has."""
        self._log_key = log_key
        self._saved = {checkpoint.size: checkpoint for checkpoint in saved}
        self._check_heads()
        for first in range(0, size, WIDTH):
            tile = self._read(0, first // WIDTH)
            width = min(WIDTH, size - first)
            if len(tile) != width * HASH_BYTES:
                message = f"{tiles.path(0, first // WIDTH)} does not have the {width} hashes"
                self._report.add(Problem("tile_missing", message))
            for place in range(min(width, len(tile) // HASH_BYTES)):
                self._leaf(first + place, tile[place * HASH_BYTES : (place + 1) * HASH_BYTES])
            if len(tile) < width * HASH_BYTES:
                return
            if width == WIDTH:
                self._above.add(tiles.tile_root(tile))
        self._found_again(size)
        self._above.end()
        if self._entry is not None:
            self._report.add(Problem("run_broken", "the tree has runs behind its end"))

    def _leaf(self, index: int, leaf: bytes) -> None:
        while self._entry is not None and self._entry.leaf_index < index:
            self._blame("run_broken", "this place in the tree is taken twice")
        if self._entry is None or self._entry.leaf_index > index:
            if self._missing_from is None:
                self._missing_from = index
        else:
            self._found_again(index)
            if merkle.leaf_hash(bytes(self._entry.hash)) != leaf:
                self._blame("leaf_changed", f"this entry is not the one that has place {index}")
            else:
                self._entry = next(self._entries, None)
        self._frontier.append(leaf)
        self._check_heads()

    def _blame(self, code: str, message: str) -> None:
        row = self._entry
        if row is not None:
            self._report.add(Problem(code, message, row.replica, row.epoch, row.n))
        self._entry = next(self._entries, None)

    def _found_again(self, index: int) -> None:
        if self._missing_from is not None:
            message = f"the entries with places {self._missing_from} to {index - 1} are not there"
            self._report.add(Problem("leaf_missing", message))
            self._missing_from = None

    def _check_heads(self) -> None:
        """Compare with the checkpoints of the size that was reached."""
        size = self._frontier.size
        while self._checkpoint is not None and self._checkpoint.size == size:
            self._report.checkpoints += 1
            self._check_signed(size, self._checkpoint.note)
            self._checkpoint = next(self._checkpoints, None)
        saved = self._saved.get(size)
        if saved is not None and saved.root != self._frontier.root():
            message = f"the first {size} entries are not those of the saved checkpoint"
            self._report.add(Problem("other_tree", message))

    def _check_signed(self, size: int, text: str) -> None:
        try:
            found = checkpoint(Note.parse(text), self._log_key)
        except NoteError as err:
            self._report.add(Problem("checkpoint_forged", f"of {size} entries: {err}"))
            return
        if found.size != size:
            message = f"the checkpoint of {size} entries is one of {found.size}"
            self._report.add(Problem("checkpoint_forged", message))
        elif found.root != self._frontier.root():
            message = f"the first {size} entries are not those that were signed"
            self._report.add(Problem("checkpoint_mismatch", message))


class _Above:
    """The levels above the leaves: each hash is the root of a full tile below."""

    def __init__(self, read: Read, report: Report) -> None:
        self._read = read
        self._report = report
        self._rows: list[list[bytes]] = []
        self._tiles: list[int] = []

    def add(self, root: bytes, level: int = 1) -> None:
        if len(self._rows) < level:
            self._rows.append([])
            self._tiles.append(0)
        row = self._rows[level - 1]
        row.append(root)
        if len(row) == WIDTH:
            hashes = self._check(level)
            self._rows[level - 1], self._tiles[level - 1] = [], self._tiles[level - 1] + 1
            self.add(tiles.tile_root(hashes), level + 1)

    def end(self) -> None:
        for level, row in enumerate(self._rows, 1):
            if row:
                self._check(level)

    def _check(self, level: int) -> bytes:
        hashes, index = b"".join(self._rows[level - 1]), self._tiles[level - 1]
        if self._read(level, index) != hashes:
            message = f"{tiles.path(level, index)} does not hold the roots of the tiles below"
            self._report.add(Problem("tile_changed", message))
        return hashes


def _placed(connection: Connection) -> Result[Any]:
    """Entries that have a place, in the order of the tree."""
    entry, run = audit_entry.c, audit_run.c
    index = (run.first_index + entry.n - run.first_n).label("leaf_index")
    statement = (
        select(index, entry.replica, entry.epoch, entry.n, entry.hash)
        .join_from(
            audit_run,
            audit_entry,
            (entry.replica == run.replica)
            & (entry.epoch == run.epoch)
            & entry.n.between(run.first_n, run.first_n + run.entries - 1),
        )
        .order_by(run.first_index, entry.n)
    )
    return connection.execute(statement)


def _checkpoints(connection: Connection) -> Result[Any]:
    statement = select(audit_checkpoint.c.size, audit_checkpoint.c.note)
    return connection.execute(statement.order_by(audit_checkpoint.c.size))
