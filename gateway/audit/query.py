"""Reads the log for people: entries by what they say, and one exchange with all that is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Engine, Row, Select, TextClause, select, text, tuple_

from gateway.audit import chain
from gateway.audit.tables import audit_entry
from gateway.core.errors import ConfigError
from gateway.db import snapshot

MIN_PREFIX_CHARS = 8
READ = "access.audit_read"
PAGE = 500

# Either side of the exchange. The words stand in the data of a closed entry.
_SQLITE_HAS = (
    "EXISTS (SELECT 1 FROM json_each(audit_entry.core, '$.data.request.{list}') "
    "WHERE value ->> '$.{word}' = :{name} "
    "UNION ALL SELECT 1 FROM json_each(audit_entry.core, '$.data.response.{list}') "
    "WHERE value ->> '$.{word}' = :{name})"
)
_POSTGRESQL_HAS = (
    "EXISTS (SELECT 1 FROM (VALUES ('request'), ('response')) AS side(name), "
    "jsonb_array_elements(CAST(audit_entry.core AS jsonb) -> 'data' -> side.name -> '{list}') "
    "AS found(value) WHERE found.value ->> '{word}' = :{name})"
)

# What stands in a list, and under which word there.
_LISTED = {
    "category": ("findings", "category"),
    "rule": ("effects", "rule"),
    "trial": ("trials", "rule"),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What entries to show: all that are given must hold. Times are [since, until).

    rule: one that acted. trial: one that would have, had it been enforced.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    tenant: str | None = None
    application: str | None = None
    key_id: str | None = None
    model: str | None = None
    provider: str | None = None
    outcome: str | None = None
    kind: str | None = None
    category: str | None = None
    rule: str | None = None
    trial: str | None = None


def query(
    engine: Engine,
    filters: Filters,
    *,
    limit: int = 100,
    after: tuple[int, str] | None = None,
    newest_first: bool = False,
) -> Iterator[dict[str, Any]]:
    """Entries in order of (ts_ms, id), each as its core's values and its "hash" in hex.

    after: (ts_ms, id) of the last entry of the page before. The iterator holds a
    transaction open until it is used up or closed.
    """
    columns = audit_entry.c
    place = tuple_(columns.ts_ms, columns.entry_id)
    statement = _filtered(select(columns.core, columns.hash), filters, engine.dialect.name)
    if after is not None:
        end = tuple_(*after)
        statement = statement.where(place < end if newest_first else place > end)
    order = (columns.ts_ms, columns.entry_id)
    statement = statement.order_by(*(column.desc() if newest_first else column for column in order))
    with snapshot(engine) as connection:
        for row in connection.execute(statement.limit(limit)):
            yield {**json.loads(row.core), "hash": bytes(row.hash).hex()}


def walk(engine: Engine, filters: Filters, *, page: int = PAGE) -> Iterator[dict[str, Any]]:
    """All of them, the oldest first, page after page: no transaction is open between entries."""
    after: tuple[int, str] | None = None
    while found := list(query(engine, filters, limit=page, after=after)):
        yield from found
        after = found[-1]["ts_ms"], found[-1]["id"]


def show(engine: Engine, exchange_id: str) -> dict[str, Any] | None:
    """One exchange: {"id", "opened", "closed", "others", "chain"}; None if there is none.

    exchange_id: the whole id or an unambiguous beginning of at least 8 characters.
    "opened" and "closed" are the entries' cores (None if missing), "others" further
    entries about it; "chain" says where the entries stand: replica and epoch of the
    first, n and hash by entry. Raises ConfigError if more than one exchange begins so.
    """
    exchange_id = exchange_id.removeprefix("urn:uuid:")
    if len(exchange_id) < MIN_PREFIX_CHARS:
        raise ConfigError(
            f"An exchange is named by at least {MIN_PREFIX_CHARS} characters of its id."
        )
    columns = audit_entry.c
    statement = (
        select(audit_entry)
        .where(columns.exchange_id >= exchange_id, columns.exchange_id < exchange_id + "\U0010ffff")
        .order_by(columns.ts_ms, columns.epoch, columns.n)
        .limit(1_000)
    )
    if engine.dialect.name == "postgresql":
        # The order of text depends on the database's locale; a beginning does not.
        statement = (
            select(audit_entry)
            .where(columns.exchange_id.startswith(exchange_id, autoescape=True))
            .order_by(columns.ts_ms, columns.epoch, columns.n)
            .limit(1_000)
        )
    with snapshot(engine) as connection:
        rows = connection.execute(statement).all()
    ids = {row.exchange_id for row in rows}
    if len(ids) > 1:
        raise ConfigError(
            f"{len(ids)} or more exchanges begin with {exchange_id!r}: give more of it."
        )
    return _merged(list(rows)) if rows else None


def _filtered(
    statement: Select[tuple[Any, ...]], filters: Filters, dialect: str
) -> Select[tuple[Any, ...]]:
    columns = audit_entry.c
    for item in fields(filters):
        value = getattr(filters, item.name)
        if value is None:
            continue
        if item.name == "since_ms":
            statement = statement.where(columns.ts_ms >= value)
        elif item.name == "until_ms":
            statement = statement.where(columns.ts_ms < value)
        elif item.name in _LISTED:
            statement = statement.where(_has(dialect, *_LISTED[item.name], value))
        else:
            statement = statement.where(columns[item.name] == value)
    return statement


def _has(dialect: str, items: str, word: str, value: str) -> TextClause:
    pattern = _POSTGRESQL_HAS if dialect == "postgresql" else _SQLITE_HAS
    name = f"{items}_{word}"
    found = pattern.format(list=items, word=word, name=name)
    return text(found).bindparams(**{name: value})


def _merged(rows: list[Row[Any]]) -> dict[str, Any]:
    cores = [(json.loads(row.core), bytes(row.hash).hex()) for row in rows]

    def named(kind: str) -> dict[str, Any] | None:
        return next((core for core, _ in cores if core["kind"] == kind), None)

    return {
        "id": rows[0].exchange_id,
        "opened": named(chain.OPENED),
        "closed": named(chain.CLOSED),
        "others": [c for c, _ in cores if c["kind"] not in (chain.OPENED, chain.CLOSED)],
        "chain": {
            "replica": rows[0].replica,
            "epoch": rows[0].epoch,
            "entries": [
                {"kind": core["kind"], "n": core["n"], "hash": digest} for core, digest in cores
            ],
        },
    }
