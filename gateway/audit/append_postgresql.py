"""Appends to PostgreSQL: one prepared statement for a batch of any size, in one round trip.

Spoken to libpq itself, so that there is a deadline also for a server that has fallen silent,
and because psycopg's cursors cost more than the statement does. Measured per commit of one
row (CPU of the thread): 447 us with COPY, UPDATE and COMMIT through cursors, 150 us like this.
"""

from __future__ import annotations

import contextlib
import select
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Engine

from gateway.audit.append import MOVED, WriteError, reason
from gateway.audit.chain import Head
from gateway.audit.sealing import Kept, KeyRow, PayloadRow
from gateway.audit.tables import audit_entry
from gateway.db import failures

# Of every entry of a batch the same; `n` follows from the entry's place in the batch.
_CHAIN = ("replica", "epoch", "n")
_COLUMNS = tuple(column.name for column in audit_entry.columns)[len(_CHAIN) :]
# Type names, their numbers in pg_type, and how a value is spelled in its binary form.
_TEXT: tuple[str, int, Callable[[Any], bytes]] = ("text", 25, str.encode)
_BYTES: tuple[str, int, Callable[[Any], bytes]] = ("bytea", 17, bytes)
_NUMBER: tuple[str, int, Callable[[Any], bytes]] = ("bigint", 20, struct.Struct("!q").pack)
_KINDS = [{"ts_ms": _NUMBER, "prev": _BYTES, "hash": _BYTES}.get(c, _TEXT) for c in _COLUMNS]

_KEY_KINDS = [{"created_ms": _NUMBER, "wrapped": _BYTES}.get(c, _TEXT) for c in KeyRow._fields]
_PAYLOAD_KINDS = [{"ts_ms": _NUMBER, "sealed": _BYTES}.get(c, _TEXT) for c in PayloadRow._fields]


def _unnest(kinds: Sequence[tuple[str, int, Any]], first: int) -> str:
    """What makes rows of as many arrays, whose parameters begin with this number."""
    return ", ".join(f"${place}::{kind[0]}[]" for place, kind in enumerate(kinds, first))


_FIRST = 9
_FIRST_KEY = _FIRST + len(_KINDS)
_FIRST_PAYLOAD = _FIRST_KEY + len(_KEY_KINDS)
_MOVED = """
WITH moved AS (
    UPDATE audit_chain SET n = $1::bigint, hash = $2::bytea, closed_ms = $3::bigint, mac = $4::bytea
    WHERE replica = $5::text AND epoch = $6::bigint AND n = $7::bigint AND hash = $8::bytea
    RETURNING replica, epoch
)"""
# A key that is being destroyed is waited for, and then it is gone, and so is what it was for. What
# one part of a statement inserts no other part sees but by what it returns. A new key is refused if
# it is somebody's who was erased since; `known` waits for that, so that nobody who erases, and
# takes the same locks in that order, ever waits for somebody who waits for him.
_KEPT = f""", fresh AS (
    INSERT INTO audit_payload_key ({", ".join(KeyRow._fields)})
    SELECT given.* FROM moved, unnest({_unnest(_KEY_KINDS, _FIRST_KEY)}) AS given
    ON CONFLICT (key_id) DO NOTHING RETURNING key_id
), known AS (
    SELECT key_id FROM audit_payload_key
    WHERE key_id = ANY (${_FIRST_PAYLOAD + PayloadRow._fields.index("key_id")}::text[])
        AND (SELECT count(*) FROM fresh) >= 0
    FOR KEY SHARE
), payload AS (
    INSERT INTO audit_payload ({", ".join(PayloadRow._fields)})
    SELECT given.* FROM moved, unnest({_unnest(_PAYLOAD_KINDS, _FIRST_PAYLOAD)})
        AS given ({", ".join(PayloadRow._fields)})
    WHERE given.key_id IN (SELECT key_id FROM fresh UNION SELECT key_id FROM known)
)"""  # noqa: S608  our own column names
_ENTRIES = f"""
INSERT INTO audit_entry (replica, epoch, n, {", ".join(_COLUMNS)})
SELECT moved.replica, moved.epoch, $7::bigint + place, {", ".join(_COLUMNS)}
FROM moved, unnest({_unnest(_KINDS, _FIRST)}) WITH ORDINALITY
    AS given ({", ".join(_COLUMNS)}, place)
"""  # noqa: S608  our own column names
_APPEND = (_MOVED + _ENTRIES).encode()
_APPEND_KEPT = (_MOVED + _KEPT + _ENTRIES).encode()
_HEAD = b"SELECT n, hash FROM audit_chain WHERE replica = $1::text AND epoch = $2::bigint"
# "Durable" must not depend on how the server or role happens to be set.
_SYNCHRONOUS = (
    b"SELECT set_config('synchronous_commit', 'on', false) "
    b"WHERE current_setting('synchronous_commit') = 'off'"
)
_NAME = b"gateway_audit_append"
_NAME_KEPT = b"gateway_audit_append_kept"
_ARRAY = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i")
_BINARY = 1


class PostgreSQLAppender:
    """Implements `Appender`.

    answer_s: how long the server may take. What it was asked last may still happen after
    that; it happens to the head that it was meant for or not at all.
    """

    def __init__(self, engine: Engine, *, answer_s: float) -> None:
        self._engine = engine
        self._failures = failures(engine)
        self._answer_s = answer_s
        self._raw: Any = None

    def write(
        self,
        rows: Sequence[tuple[Any, ...]],
        before: Head,
        after: Head,
        seal: bytes,
        kept: Sequence[Kept] = (),
    ) -> None:
        """As `Appender` says."""
        place = [_text(before.replica), _number(before.epoch), _number(before.n), before.hash]
        closed = None if after.closed_ms is None else _number(after.closed_ms)
        columns = zip(*rows, strict=True)
        for _ in _CHAIN:
            next(columns)
        arrays = [_array(kind, values) for kind, values in zip(_KINDS, columns, strict=True)]
        given = [_number(after.n), after.hash, closed, seal, *place, *arrays]
        name = _NAME
        if kept:
            name = _NAME_KEPT
            given += _arrays(_KEY_KINDS, [each.key for each in kept if each.key is not None])
            given += _arrays(_PAYLOAD_KINDS, [each.payload for each in kept])
        with self._asking(unsure=True) as pg:
            pg.send_query_prepared(name, given, [_BINARY] * len(given))
            written = self._answer(pg).command_tuples
        if written != len(rows):
            raise WriteError(MOVED)

    def head(self, of: Head) -> tuple[int, bytes] | None:
        """As `Appender` says."""
        given = [_text(of.replica), _number(of.epoch)]
        with self._asking(unsure=False) as pg:
            pg.send_query_params(_HEAD, given, None, [_BINARY] * len(given), result_format=_BINARY)
            answer = self._answer(pg)
        if not answer.ntuples:
            return None
        return int.from_bytes(answer.get_value(0, 0), "big"), answer.get_value(0, 1)

    def discard(self) -> None:
        """As `Appender` says."""
        raw, self._raw = self._raw, None
        if raw is not None:
            # The driver's own close: the pool's would first wait for a rollback.
            raw.close()

    @contextlib.contextmanager
    def _asking(self, *, unsure: bool) -> Any:
        """The connection, for one question; it is dropped if that fails."""
        asked = False
        try:
            pg = self._connection()
            asked = True
            yield pg
        except TimeoutError as err:
            self.discard()
            text = f"the database did not answer within {self._answer_s:g} s"
            raise WriteError(text, unsure=unsure and asked, late=True) from err
        except self._failures as err:
            self.discard()
            raise WriteError(reason(err), unsure=unsure and asked, late=not asked) from err

    def _connection(self) -> Any:
        if self._raw is None:
            pooled = self._engine.raw_connection()
            # Set up for nothing else, so it never goes back to the pool.
            pooled.detach()
            self._raw = pooled.dbapi_connection
            self._raw.autocommit = True
            pg = self._raw.pgconn
            pg.send_query_params(_SYNCHRONOUS, None)
            self._answer(pg)
            for name, statement in ((_NAME, _APPEND), (_NAME_KEPT, _APPEND_KEPT)):
                pg.send_prepare(name, statement)
                self._answer(pg)
        return self._raw.pgconn

    def _answer(self, pg: Any) -> Any:
        """The result of the one statement that was sent, once the server is done with all of it.

        It says that a statement is done before it commits: what goes wrong then comes as one more
        result, and only behind that it is ready again. Raises TimeoutError, or as psycopg.
        """
        driver: Any = self._engine.dialect.loaded_dbapi
        poll = select.poll()
        until = time.monotonic() + self._answer_s
        while pg.flush():
            _wait(poll, pg.socket, select.POLLIN | select.POLLOUT, until)
            pg.consume_input()
        answers = []
        while (answer := _next(pg, poll, until)) is not None:
            answers.append(answer)
        for answer in answers:
            if answer.status not in _WELL:
                raise driver.errors.error_from_result(answer)
        if not answers or pg.transaction_status != _IDLE:
            raise driver.OperationalError("the connection was lost")
        return answers[0]


def _next(pg: Any, poll: select.poll, until: float) -> Any:
    """The next result; None when the server is ready again, or gone."""
    while pg.is_busy():
        _wait(poll, pg.socket, select.POLLIN, until)
        pg.consume_input()
    return pg.get_result()


def _wait(poll: select.poll, socket: int, events: int, until: float) -> None:
    poll.register(socket, events)
    left_ms = 1000 * (until - time.monotonic())
    if left_ms <= 0 or not poll.poll(left_ms):
        raise TimeoutError


# libpq's PGRES_COMMAND_OK and PGRES_TUPLES_OK.
_WELL = (1, 2)
# Its PQTRANS_IDLE: no transaction is under way.
_IDLE = 0


def _text(value: str) -> bytes:
    return value.encode()


def _number(value: int) -> bytes:
    return _NUMBER[2](value)


def _arrays(
    kinds: Sequence[tuple[str, int, Callable[[Any], bytes]]], rows: Sequence[tuple[Any, ...]]
) -> list[bytes]:
    """The columns of these rows, of which there may be none."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(kinds)
    return [_array(kind, values) for kind, values in zip(kinds, columns, strict=True)]


def _array(kind: tuple[str, int, Callable[[Any], bytes]], values: Sequence[Any]) -> bytes:
    """A one-dimensional array in binary form, as array_recv of PostgreSQL reads it."""
    _, number, spell = kind
    out = [_ARRAY.pack(1, 0, number, len(values), 1)]
    for value in values:
        spelled = spell(value)
        out.append(_LENGTH.pack(len(spelled)))
        out.append(spelled)
    return b"".join(out)
