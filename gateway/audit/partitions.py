"""The months of the audit log on PostgreSQL: which there are, and those to come.

Entries go to the partition of their month; what fits none goes to the default one, so that no entry
is ever refused for want of a month. Making partitions takes the role that owns the tables; the
gateway's own only looks. SQLite has none of this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, text

from gateway.core.errors import ConfigError
from gateway.db import snapshot, writing

AHEAD_MONTHS = 3
# A month is made ahead before the last one begins.
SHORT_MS = 31 * 86_400_000
_DEFAULT = "audit_entry_default"
_LOCK_WAIT = "3s"
_ADVISORY = 0x6757_6D6F  # any fixed number that no other application is likely to use
_BOUNDS = re.compile(r"FOR VALUES FROM \((?:MINVALUE|'(-?\d+)')\) TO \('(-?\d+)'\)")
_FOUND = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bounds,
    greatest(CAST(c.reltuples AS bigint), 0) AS entries, pg_total_relation_size(c.oid) AS bytes
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass('audit_entry')
"""
_BEHIND = "SELECT min(ts_ms), max(ts_ms) FROM audit_entry WHERE ts_ms >= :end"


@dataclass(frozen=True, slots=True)
class Partition:
    """Entries of [since_ms, until_ms), None where it has no such end; the default one has neither.

    entries: what PostgreSQL estimates.
    """

    name: str
    since_ms: int | None
    until_ms: int | None
    entries: int
    bytes: int

    @property
    def default(self) -> bool:
        """Whether it is the one for entries that fit no other."""
        return self.until_ms is None


def partitions(engine: Engine) -> list[Partition]:
    """All of them, the oldest first and the default one last; none on SQLite."""
    if engine.dialect.name != "postgresql":
        return []
    with snapshot(engine) as connection:
        return _partitions(connection)


def caution(engine: Engine, now_ms: int) -> str:
    """What is to be done about them before long, in words; empty if nothing is.

    Needs no more than to read entries.
    """
    if engine.dialect.name != "postgresql":
        return ""
    with snapshot(engine) as connection:
        end = _end(_partitions(connection))
        _, newest = connection.execute(text(_BEHIND), {"end": end}).one()
    if newest is not None:
        return "entries are in the default partition, for their month was not made"
    if end - now_ms < SHORT_MS:
        days = max(0, (end - now_ms) // 86_400_000)
        return f"the last partition of the audit log ends in {days} days"
    return ""


def add_months(engine: Engine, *, ahead: int, now_ms: int) -> list[str]:
    """Make the partitions up to the month that is so many after this one; the names of the new.

    If entries are in the default partition, that becomes the one for their months, as it is, and
    there is a new default one. Waits 3 s at most for a lock, for entries wait behind it; raises
    ConfigError then, or if the tables are another role's.
    """
    if engine.dialect.name != "postgresql":
        return []
    with writing(engine) as connection:
        _may(connection)
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY})
        before = {each.name for each in _partitions(connection)}
        end = _empty_default(connection, _end(_partitions(connection)), now_ms)
        while end < _month_after(now_ms, ahead + 1):
            following = _month_after(end, 1)
            _add(connection, _name(end), end, following)
            end = following
        return [each.name for each in _partitions(connection) if each.name not in before]


def _partitions(connection: Connection) -> list[Partition]:
    found = []
    for row in connection.execute(text(_FOUND)):
        bounds = _BOUNDS.fullmatch(row.bounds)
        since, until = map(_time, bounds.groups()) if bounds else (None, None)
        found.append(Partition(row.relname, since, until, row.entries, row.bytes))
    return sorted(found, key=lambda each: (each.default, each.until_ms or 0))


def _time(bound: str | None) -> int | None:
    return None if bound is None else int(bound)


def _end(found: list[Partition]) -> int:
    """From when on entries fit none but the default one."""
    return max((each.until_ms for each in found if each.until_ms is not None), default=0)


def _may(connection: Connection) -> None:
    owner = connection.execute(
        text(
            "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('audit_entry') "
            "AND NOT pg_has_role(relowner, 'USAGE')"
        )
    ).scalar_one_or_none()
    if owner is not None:
        raise ConfigError(
            f"The audit log's tables belong to {owner}, and only that role makes partitions. "
            "Set GATEWAY_DATABASE_URL to the one that runs `gateway db upgrade`."
        )


def _empty_default(connection: Connection, end: int, now_ms: int) -> int:
    """Where the partitions end once no entry is in the default one.

    Nothing is copied, so no entry of the log is ever deleted, not even to be put elsewhere.
    """
    oldest, newest = connection.execute(text(_BEHIND), {"end": end}).one()
    if oldest is None:
        return end
    until = _month_after(max(newest, now_ms), 1)
    name = _name(end)
    for statement in (
        f"ALTER TABLE audit_entry DETACH PARTITION {_DEFAULT}",
        f"ALTER TABLE {_DEFAULT} RENAME TO {name}",
        f"ALTER TABLE {name} RENAME CONSTRAINT {_DEFAULT}_pkey TO {name}_pkey",
        f"ALTER TABLE audit_entry ATTACH PARTITION {name} FOR VALUES FROM ({end}) TO ({until})",
        f"SELECT audit_add_partition('{_DEFAULT}', 'DEFAULT')",
    ):
        connection.exec_driver_sql(statement)
    return until


def _add(connection: Connection, name: str, since_ms: int, until_ms: int) -> None:
    bounds = f"FOR VALUES FROM ({since_ms}) TO ({until_ms})"
    connection.execute(
        text("SELECT audit_add_partition(:name, :bounds)"), {"name": name, "bounds": bounds}
    )


def _name(since_ms: int) -> str:
    return f"audit_entry_{datetime.fromtimestamp(since_ms / 1000, UTC):%Y_%m}"


def _month_after(at_ms: int, months: int) -> int:
    """When the month begins that is so many after that of this time."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    years, month = divmod(at.month - 1 + months, 12)
    return int(datetime(at.year + years, month + 1, 1, tzinfo=UTC).timestamp()) * 1_000
