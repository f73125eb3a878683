"""Appends to an SQLite file: one transaction that takes the write lock at once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection

from gateway.audit.append import MOVED, WriteError, reason
from gateway.audit.chain import Head
from gateway.audit.sealing import Kept, KeyRow, PayloadRow
from gateway.audit.tables import audit_entry
from gateway.db import failures

_COLUMNS = ", ".join(column.name for column in audit_entry.columns)
_PLACES = ", ".join("?" * len(audit_entry.columns))
# Rows of one statement: each statement hands the interpreter's lock over and back. As many as
# keep within 999 values, which every SQLite takes.
_ROWS = 999 // len(audit_entry.columns)
_MOVE = (
    "UPDATE audit_chain SET n = ?, hash = ?, closed_ms = ?, mac = ? "
    "WHERE replica = ? AND epoch = ? AND n = ? AND hash = ?"
)
_KEY = (
    f"INSERT INTO audit_payload_key ({', '.join(KeyRow._fields)}) "  # noqa: S608  our own names
    f"VALUES ({', '.join('?' * len(KeyRow._fields))}) ON CONFLICT (key_id) DO NOTHING"
)
_PAYLOAD = (
    f"INSERT INTO audit_payload ({', '.join(PayloadRow._fields)}) "  # noqa: S608  our own names
    f"SELECT {', '.join('?' * len(PayloadRow._fields))} "
    "WHERE EXISTS (SELECT 1 FROM audit_payload_key WHERE key_id = ?)"
)
_HEAD = "SELECT n, hash FROM audit_chain WHERE replica = ? AND epoch = ?"


class SQLiteAppender:
    """Implements `Appender`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._failures = failures(engine)
        self._path = Path(engine.url.database or "")
        self._pooled: PoolProxiedConnection | None = None
        self._file: os.stat_result | None = None

    def write(
        self,
        rows: Sequence[tuple[Any, ...]],
        before: Head,
        after: Head,
        seal: bytes,
        kept: Sequence[Kept] = (),
    ) -> None:
        """As `Appender` says."""
        place = (before.replica, before.epoch, before.n, before.hash)
        unsure = False
        try:
            raw = self._connection()
            self._check_file()
            cursor = raw.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            for start in range(0, len(rows), _ROWS):
                some = rows[start : start + _ROWS]
                cursor.execute(_insert(len(some)), [*chain.from_iterable(some)])
            cursor.execute(_MOVE, (after.n, after.hash, after.closed_ms, seal, *place))
            if cursor.rowcount != 1:
                raise WriteError(MOVED)
            if kept:
                cursor.executemany(_KEY, [each.key for each in kept if each.key is not None])
                cursor.executemany(_PAYLOAD, [(*p, p.key_id) for p, _ in kept])
            unsure = True
            raw.commit()
        except self._failures as err:
            self.discard()
            raise WriteError(reason(err), unsure=unsure) from err
        except WriteError:
            self.discard()
            raise

    def head(self, of: Head) -> tuple[int, bytes] | None:
        """As `Appender` says."""
        try:
            row = self._connection().execute(_HEAD, (of.replica, of.epoch)).fetchone()
            self._check_file()
        except self._failures as err:
            self.discard()
            raise WriteError(reason(err)) from err
        return None if row is None else (row[0], bytes(row[1]))

    def discard(self) -> None:
        """As `Appender` says."""
        pooled, self._pooled, self._file = self._pooled, None, None
        if pooled is not None:
            with contextlib.suppress(*self._failures):
                # A closed connection keeps its locks while a cursor of it lives on.
                pooled.rollback()
            with contextlib.suppress(*self._failures):
                pooled.invalidate()
                pooled.close()

    def _connection(self) -> Any:
        if self._pooled is None:
            self._pooled = self._engine.raw_connection()
        return self._pooled.driver_connection

    def _check_file(self) -> None:
        """SQLite goes on writing to a file that was deleted or replaced; the log must not."""
        found = self._path.stat()
        if self._file is None:
            self._file = found
        elif not os.path.samestat(found, self._file):
            self.discard()
            raise WriteError("the database file was replaced")


@cache
def _insert(rows: int) -> str:
    places = ", ".join([f"({_PLACES})"] * rows)
    return f"INSERT INTO audit_entry ({_COLUMNS}) VALUES {places}"  # noqa: S608  our own names
