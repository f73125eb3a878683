"""Gives the entries of all chains their places in one tree, and signs it.

One round: see which chains have grown, check what is new, append it, sign a checkpoint. All
that a round needs is in the database, so it does not matter who did the one before. An entry
is visible together with the head of its chain or not at all, so nothing that commits late is
passed over. Within a chain the order is that of the chain; across chains that of the rounds.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway import signing
from gateway.audit import chain, merkle, tiles, tree
from gateway.audit.chain import GENESIS, Head
from gateway.audit.checkpoint import Checkpoint, checkpoint
from gateway.audit.tables import (
    audit_chain,
    audit_checkpoint,
    audit_entry,
    audit_run,
    audit_tile,
)
from gateway.audit.tree import Run
from gateway.core.errors import GatewayError
from gateway.core.ports import Clock
from gateway.db import snapshot, writing


class TreeError(GatewayError):
    """The tree in the database is not the one that was signed: nothing is added to it."""


@dataclass(slots=True)
class Round:
    """What a round came to. more: whether there is more to do at once.

    troubles: chains that cannot be continued, and why.
    """

    entries: int = 0
    size: int = 0
    more: bool = False
    troubles: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """What is to be written: it fits behind a tree of `size` leaves only."""

    size: int
    runs: list[Run] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    grown: dict[tuple[int, int], bytes] = field(default_factory=dict)
    root: bytes = merkle.EMPTY_ROOT


class Sequencer:
    """Does rounds, on whatever thread asks. Every call blocks.

    key: the audit key, with which the heads of chains are sealed. max_entries: at most so
    many in one round.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        key: bytes,
        signer: signing.Signer,
        clock: Clock,
        max_entries: int = 2_000,
    ) -> None:
        self._engine = engine
        self._key = key
        self._signer = signer
        self._clock = clock
        self._max_entries = max_entries
        dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
        self._insert_tile = dialect.insert(audit_tile)

    def round(self) -> Round:
        """Append what is new.

        Raises TreeError, NoteError or MissingTile, and what the database raises.
        """
        result = Round()
        with snapshot(self._engine) as connection:
            batch = self._gather(connection, result)
        result.size = batch.size + len(batch.leaves)
        if batch.leaves and self._write(batch):
            result.entries = len(batch.leaves)
        return result

    def close(self) -> None:
        """Close the connections; the next round makes new ones."""
        self._engine.dispose()

    def _gather(self, connection: Connection, result: Round) -> _Batch:
        pending = connection.execute(_pending()).all()
        if not pending:
            return _Batch(0)
        read = tree.tiles(connection)
        batch = _Batch(self._signed_size(connection, read))
        share = max(1, self._max_entries // len(pending))
        for row in pending:
            found = self._new_entries(connection, row, share, result)
            first = batch.size + len(batch.leaves)
            if found:
                run = Run(first, row.replica, row.epoch, row.next_n, len(found))
                batch.runs.append(run)
                batch.leaves += [merkle.leaf_hash(digest) for digest in found]
                result.more |= run.first_n + run.entries <= row.n
        batch.grown = tiles.grow(batch.size, batch.leaves, read)

        def read_grown(level: int, index: int) -> bytes:
            return batch.grown.get((level, index)) or read(level, index)

        batch.root = merkle.root(batch.size + len(batch.leaves), tiles.complete(read_grown))
        return batch

    def _signed_size(self, connection: Connection, read: tiles.Read) -> int:
        """How many leaves the tree has. Raises TreeError or MissingTile unless we signed it."""
        newest = tree.newest(connection)
        last = connection.execute(
            select(audit_run.c.first_index + audit_run.c.entries)
            .order_by(audit_run.c.first_index.desc())
            .limit(1)
        ).scalar_one_or_none()
        if newest is None and last is None:
            return 0
        if newest is None:
            raise TreeError("the tree has leaves and no checkpoint")
        found = checkpoint(newest[1], self._signer.key)
        if not found.size == newest[0] == last:
            raise TreeError(f"the newest checkpoint is of {found.size} leaves, there are {last}")
        if merkle.root(found.size, tiles.complete(read)) != found.root:
            raise TreeError("the tiles are not those of the newest checkpoint")
        return found.size

    def _new_entries(
        self, connection: Connection, row: Row[Any], limit: int, result: Round
    ) -> list[bytes]:
        """Hashes of what follows in this chain; none, and a trouble, if they do not follow."""
        head = Head(
            row.replica,
            row.epoch,
            row.ordinal,
            row.n,
            bytes(row.hash),
            row.opened_ms,
            row.closed_ms,
        )
        name = f"{row.replica}/{row.epoch}"
        if not hmac.compare_digest(bytes(row.mac), head.mac(self._key)):
            result.troubles.append(f"chain {name}: the seal of its head does not fit")
            return []
        found = self._linked(connection, head, row.next_n, limit)
        if found is None:
            result.troubles.append(f"chain {name}: what follows entry {row.next_n - 1} is broken")
        return found or []

    def _linked(
        self, connection: Connection, head: Head, next_n: int, limit: int
    ) -> list[bytes] | None:
        columns = audit_entry.c
        first_n, last_n = max(next_n - 1, 0), min(head.n, next_n + limit - 1)
        statement = (
            select(columns.n, columns.prev, columns.hash, columns.core)
            .where(
                columns.replica == head.replica,
                columns.epoch == head.epoch,
                columns.n.between(first_n, last_n),
            )
            .order_by(columns.n)
        )
        rows = list(connection.execute(statement))
        if len(rows) != last_n - first_n + 1:
            return None
        prev = bytes(rows.pop(0).hash) if next_n else GENESIS
        found: list[bytes] = []
        for n, row in enumerate(rows, next_n):
            # All the way to a sealed head, so nobody without the key gets anything signed.
            if row.n != n or bytes(row.prev) != prev:
                return None
            prev = chain.entry_hash(prev, row.core.encode())
            if prev != row.hash:
                return None
            found.append(prev)
        return found if last_n < head.n or prev == head.hash else None

    def _write(self, batch: _Batch) -> bool:
        """One short transaction. False if somebody else was quicker."""
        size = batch.size + len(batch.leaves)
        note = self._signer.sign(Checkpoint(self._signer.key.name, size, batch.root).text)
        changed = self._insert_tile.excluded.hashes
        tile = self._insert_tile.on_conflict_do_update(
            index_elements=["level", "tile_index"], set_={"hashes": changed}
        )
        with writing(self._engine) as connection:
            statement = select(func.coalesce(func.max(audit_checkpoint.c.size), 0))
            if connection.execute(statement).scalar_one() != batch.size:
                return False
            connection.execute(insert(audit_run), [_values(run) for run in batch.runs])
            connection.execute(tile, _tile_rows(batch.grown))
            connection.execute(
                insert(audit_checkpoint).values(
                    size=size, ts_ms=self._clock.now_ms(), note=str(note)
                )
            )
        return True


def _pending() -> Any:
    """Chains with entries that have no place yet, and the first such entry of each."""
    run = audit_run.c
    next_n = func.coalesce(
        select(run.first_n + run.entries)
        .where(run.replica == audit_chain.c.replica, run.epoch == audit_chain.c.epoch)
        .order_by(run.first_n.desc())
        .limit(1)
        .scalar_subquery(),
        0,
    )
    return (
        select(audit_chain, next_n.label("next_n"))
        .where(audit_chain.c.n >= next_n)
        .order_by(audit_chain.c.ordinal)
    )


def _values(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in audit_run.columns.keys()}  # noqa: SIM118


def _tile_rows(grown: dict[tuple[int, int], bytes]) -> Sequence[dict[str, Any]]:
    return [
        {"level": level, "tile_index": index, "hashes": hashes}
        for (level, index), hashes in grown.items()
    ]


def signer(key: bytes, origin: str) -> signing.Signer:
    """The log's signing key, which follows from the audit key.

    origin: the log's name in checkpoints; "" for one that follows from the key as well.
    """
    seed = hmac.digest(key, b"gateway audit checkpoint ed25519", "sha256")
    return signing.Signer(origin or f"responsible-use-gateway/{chain.key_fingerprint(key)}", seed)
