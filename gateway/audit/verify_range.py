"""Checks some entries by their proofs alone: the newest checkpoint stands for all others."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select

from gateway.audit import merkle, tiles, tree
from gateway.audit.checkpoint import Checkpoint, checkpoint
from gateway.audit.merkle import Complete
from gateway.audit.report import Problem, Report
from gateway.audit.tables import audit_entry
from gateway.audit.verify import faults
from gateway.core.note import Key, NoteError
from gateway.db import snapshot


def verify_range(engine: Engine, log_key: Key, start: int, end: int) -> Report:
    """Check only the entries with places [start, end) in the tree, by their proofs.

    Needs no audit key: the newest checkpoint's signature stands for the rest.
    """
    report = Report()
    with snapshot(engine) as connection:
        found = tree.newest(connection)
        try:
            head = checkpoint(found[1], log_key) if found else None
        except NoteError as err:
            report.add(Problem("checkpoint_forged", str(err)))
            head = None
        report.tree_size = head.size if head else 0
        if head is None or not 0 <= start < end <= head.size:
            message = f"places {start} to {end - 1} are not all in a tree of {report.tree_size}"
            report.add(Problem("leaf_missing", message))
            return report
        report.checkpoints = 1
        complete = tiles.complete(tree.tiles(connection))
        for index in range(start, end):
            _prove(connection, index, head, complete, report)
    return report


def _prove(
    connection: Connection, index: int, head: Checkpoint, complete: Complete, report: Report
) -> None:
    run = tree.run_at(connection, index)
    row = None
    if run is not None:
        columns = audit_entry.c
        row = connection.execute(
            select(audit_entry).where(
                columns.replica == run.replica,
                columns.epoch == run.epoch,
                columns.n == run.first_n + index - run.first_index,
            )
        ).one_or_none()
    if row is None:
        report.add(Problem("leaf_missing", f"the entry with place {index} is not there"))
        return
    report.entries += 1
    for code, message in faults(row, row.n - 1, bytes(row.prev)):
        report.add(Problem(code, message, row.replica, row.epoch, row.n))
    try:
        proof = merkle.inclusion(index, head.size, complete)
    except tiles.MissingTile as err:
        report.add(Problem("tile_missing", str(err)))
        return
    leaf = merkle.leaf_hash(bytes(row.hash))
    if not merkle.included(leaf, index, head.size, proof, head.root):
        message = f"this entry is not the one that has place {index}"
        report.add(Problem("leaf_changed", message, row.replica, row.epoch, row.n))
