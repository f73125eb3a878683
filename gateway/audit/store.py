"""What the writer asks of the database: open a chain, move it on, say where it ends."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Select,
    exists,
    insert,
    select,
    text,
    tuple_,
    update,
)

from gateway.audit import chain
from gateway.audit.append import Appender, WriteError, reason
from gateway.audit.append_postgresql import PostgreSQLAppender
from gateway.audit.append_sqlite import SQLiteAppender
from gateway.audit.chain import Head, Registry
from gateway.audit.sealing import Kept
from gateway.audit.tables import audit_chain, audit_entry, audit_registry
from gateway.core.canonical import canonical
from gateway.core.errors import ConfigError
from gateway.core.ids import new_id
from gateway.db import failures, writing

ANSWER_S = 5.0


class Store:
    """Opens chains and moves them on. Used by one thread at a time; every call blocks."""

    def __init__(self, engine: Engine, key: bytes, *, answer_s: float = ANSWER_S) -> None:
        self._engine = engine
        self._key = key
        self._failures = failures(engine)
        self._appender: Appender = (
            PostgreSQLAppender(engine, answer_s=answer_s)
            if engine.dialect.name == "postgresql"
            else SQLiteAppender(engine)
        )

    def open_chain(
        self, replica: str, now_ms: int, data: dict[str, Any], *, lost: Head | None = None
    ) -> Head:
        """Start a chain of this replica, linked to the one before it, and register it.

        data: what its first entry says besides the links. lost: the head that the chain
        before it had when this process last saw it; otherwise the database is asked.
        Raises WriteError; ConfigError if the registry does not bear this key's seal, so
        that nothing tampered with is ever sealed anew.
        """
        try:
            with writing(self._engine) as connection:
                return self._open_chain(connection, replica, now_ms, data, lost)
        except self._failures as err:
            raise WriteError(reason(err)) from err

    def head(self, head: Head) -> tuple[int, bytes] | None:
        """(n, hash) of this chain's end as the database has it; None if it has no such chain.

        Raises WriteError.
        """
        return self._appender.head(head)

    def write(
        self,
        rows: Sequence[tuple[Any, ...]],
        before: Head,
        after: Head,
        kept: Sequence[Kept] = (),
    ) -> None:
        """Write the rows and move the head from `before` to `after`, both or neither.

        kept: what goes beside them. Raises WriteError, also if the head in the database is not
        `before`.
        """
        self._appender.write(rows, before, after, after.mac(self._key), kept)

    def holds(self, end: Head) -> bool:
        """Whether this entry is in the database. Raises WriteError."""
        entry = audit_entry.c
        statement = select(entry.hash).where(
            entry.replica == end.replica, entry.epoch == end.epoch, entry.n == end.n
        )
        return [bytes(row.hash) for row in self._read(statement)] == [end.hash]

    def closed_behind(self, end: Head) -> set[str]:
        """Exchanges whose closing entries stand in this chain behind that. Raises WriteError."""
        entry = audit_entry.c
        statement = select(entry.exchange_id).where(
            entry.replica == end.replica,
            entry.epoch == end.epoch,
            entry.n > end.n,
            entry.kind == chain.CLOSED,
        )
        return {row.exchange_id for row in self._read(statement)}

    def ended(self, exchanges: Sequence[str]) -> set[str]:
        """Those of these exchanges that have a closing entry, in any chain. Raises WriteError."""
        entry = audit_entry.c
        statement = select(entry.exchange_id).where(
            entry.exchange_id.in_(exchanges), entry.kind == chain.CLOSED
        )
        return {row.exchange_id for row in self._read(statement)}

    def missing(self, entries: Sequence[chain.Made]) -> list[chain.Made]:
        """Those of these entries that are not in the database, in any chain. Raises WriteError."""
        entry = audit_entry.c
        asked = [(ts_ms, entry_id) for entry_id, ts_ms, _, _ in entries]
        statement = select(entry.entry_id).where(tuple_(entry.ts_ms, entry.entry_id).in_(asked))
        there = {row.entry_id for row in self._read(statement)}
        return [each for each in entries if each[0] not in there]

    def unclosed(self, end: Head, *, limit: int) -> list[str]:
        """Cores of this chain's opened entries whose exchanges have no end. Raises WriteError."""
        entry, closed = audit_entry.c, audit_entry.alias("closed").c
        ended = exists().where(closed.exchange_id == entry.exchange_id, closed.kind == chain.CLOSED)
        statement = (
            select(entry.core)
            .where(
                entry.replica == end.replica,
                entry.epoch == end.epoch,
                entry.kind == chain.OPENED,
                ~ended,
            )
            .order_by(entry.n)
            .limit(limit)
        )
        return [row.core for row in self._read(statement)]

    def open_chains(self) -> list[Head]:
        """The ends of all chains that are open and whose seals fit. Raises WriteError."""
        rows = self._read(select(audit_chain).where(audit_chain.c.closed_ms.is_(None)))
        heads = [(_head(row), bytes(row.mac)) for row in rows]
        return [head for head, mac in heads if hmac.compare_digest(mac, head.mac(self._key))]

    def open_end(self, of: Head) -> Head | None:
        """Where this chain ends now; None if it was closed, or its seal does not fit.

        Raises WriteError.
        """
        names = {(head.replica, head.epoch): head for head in self.open_chains()}
        return names.get((of.replica, of.epoch))

    def promised_beat_s(self, head: Head) -> int:
        """How often this chain's process lets hear of itself; 0 if it does not say."""
        entry = audit_entry.c
        statement = select(entry.core).where(
            entry.replica == head.replica, entry.epoch == head.epoch, entry.n == 0
        )
        said = [json.loads(row.core)["data"].get("heartbeat_s") for row in self._read(statement)]
        return said[0] if said and isinstance(said[0], int) else 0

    def discard(self) -> None:
        """Drop the connection; the next call makes a new one."""
        self._appender.discard()

    def _read(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(statement).all()
        except self._failures as err:
            raise WriteError(reason(err)) from err

    def _open_chain(
        self,
        connection: Connection,
        replica: str,
        now_ms: int,
        data: dict[str, Any],
        lost: Head | None,
    ) -> Head:
        registry = self._lock_registry(connection)
        previous, newest = _latest(connection, replica, lost)
        epoch = now_ms if newest is None else max(now_ms, newest + 1)
        registry = registry.add(replica, epoch)
        first = {
            **data,
            "ordinal": registry.chains,
            "previous": previous,
            "registry": registry.digest.hex(),
        }
        texts = ("", chain.CHAIN_OPENED, "", "", "", "", "", "")
        start = Head(replica, epoch, registry.chains, -1, chain.GENESIS, now_ms)
        rows = chain.rows(start, [(new_id(), now_ms, texts, canonical(first))])
        head = Head(replica, epoch, registry.chains, 0, rows[0][-1], now_ms)
        mac_key = chain.key_fingerprint(self._key)
        connection.execute(
            insert(audit_entry).values(dict(zip(audit_entry.columns.keys(), rows[0], strict=True)))
        )
        connection.execute(
            insert(audit_chain).values(
                replica=replica,
                epoch=epoch,
                ordinal=head.ordinal,
                n=0,
                hash=head.hash,
                opened_ms=now_ms,
                mac_key=mac_key,
                mac=head.mac(self._key),
            )
        )
        connection.execute(
            update(audit_registry).values(
                chains=registry.chains, digest=registry.digest, mac=registry.mac(self._key)
            )
        )
        return head

    def _lock_registry(self, connection: Connection) -> Registry:
        """The registry, locked until the transaction ends; made if no chain was ever opened."""
        empty = Registry()
        connection.execute(
            text(
                "INSERT INTO audit_registry (id, chains, digest, mac_key, mac) "
                "VALUES (1, 0, :digest, :mac_key, :mac) ON CONFLICT (id) DO NOTHING"
            ),
            {
                "digest": empty.digest,
                "mac_key": chain.key_fingerprint(self._key),
                "mac": empty.mac(self._key),
            },
        )
        row = connection.execute(select(audit_registry).with_for_update()).one()
        if row.mac_key != chain.key_fingerprint(self._key):
            raise ConfigError(
                f"The audit log was sealed with key {row.mac_key}, this keyring's audit key "
                f"is {chain.key_fingerprint(self._key)}. "
                "Put the old keyring back, or use a new database."
            )
        registry = Registry(row.chains, bytes(row.digest))
        if bytes(row.mac) != registry.mac(self._key):
            raise ConfigError(
                "The registry of audit chains was changed from outside (its seal does not fit). "
                "Run `gateway audit verify`, keep a copy as evidence, and use a new database."
            )
        return registry


def _head(row: Row[Any]) -> Head:
    return Head(
        row.replica,
        row.epoch,
        row.ordinal,
        row.n,
        bytes(row.hash),
        row.opened_ms,
        row.closed_ms,
    )


def _latest(
    connection: Connection, replica: str, lost: Head | None
) -> tuple[dict[str, Any] | None, int | None]:
    """What the first entry says of the replica's chain before it, and the newest epoch."""
    row = connection.execute(
        select(audit_chain)
        .where(audit_chain.c.replica == replica)
        .order_by(audit_chain.c.epoch.desc())
        .limit(1)
    ).one_or_none()
    newest = None if row is None else row.epoch
    if lost is not None:
        link = {"epoch": lost.epoch, "n": lost.n, "hash": lost.hash.hex()}
        return link, max(lost.epoch, newest or 0)
    if row is None:
        return None, None
    return {"epoch": row.epoch, "n": row.n, "hash": bytes(row.hash).hex()}, newest
