"""Questions of a large log: indexes on times by kind, and views that pass over empty entries.

An index takes as long to build as the log is long. On PostgreSQL they are built before the
migration, CONCURRENTLY, so that nobody who writes waits; it takes what is there. SQLite reads all
entries while others wait.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_audit_entry_opened_ts_ms": "kind = 'exchange.opened'",
    "ix_audit_entry_closed_ts_ms": "kind = 'exchange.closed'",
    "ix_audit_entry_act_ts_ms": (
        "kind NOT IN ('exchange.opened', 'exchange.closed', 'chain.heartbeat')"
    ),
}
# Whoever has a transaction open is waited for, and nobody waits behind that.
WAIT = "10min"
VALID = """
SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(CAST(:name AS text))
"""
# As in 0007: one row per finding, effect, trial and opaque part of each closed exchange.
LISTS = {
    "finding": ("findings", ("detector", "category"), ("count", "max_pm")),
    "effect": ("effects", ("action", "rule", "reason"), ("count",)),
    "trial": ("trials", ("mode", "action", "rule", "reason"), ("count",)),
    "opaque": ("opaque", ("path", "media_type"), ("bytes",)),
}
COLUMNS = (
    "c.exchange_id, c.ts_ms, c.tenant, c.application, c.key_id, c.model, c.provider, c.outcome"
)
ROUTE = ("team", "endpoint", "region", "hosting")
# Without it PostgreSQL reads the JSON again for each column.
ONCE = " OFFSET 0"


def prepare(connection: sa.Connection) -> None:
    """What takes long: have the indexes built. Outside of any transaction; may be repeated."""
    there = sa.text("SELECT to_regclass('audit_entry') IS NOT NULL")
    if not connection.execute(there).scalar_one():
        return
    connection.exec_driver_sql(f"SET lock_timeout = '{WAIT}'")
    for name, kinds in INDEXES.items():
        valid = connection.execute(sa.text(VALID), {"name": name}).scalar()
        if valid is False:
            # It was broken off while it was built.
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY {name}")
        if not valid:
            connection.exec_driver_sql(
                f"CREATE INDEX CONCURRENTLY {name} ON audit_entry (ts_ms) WHERE {kinds}"
            )


def upgrade() -> None:
    for name, kinds in INDEXES.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON audit_entry (ts_ms) WHERE {kinds}")
    _replace_views()


def downgrade() -> None:
    _replace_views(old=True)
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")


def _replace_views(*, old: bool = False) -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name in LISTS:
        op.execute(f"DROP VIEW {name}")
        op.execute(_sqlite_list(name, old=old) if sqlite else _postgresql_list(name, old=old))


def _has_any(name: str, *, old: bool) -> str:
    """Passes over entries whose lists are empty, by their text: canonical JSON has no spaces."""
    items, _, _ = LISTS[name]
    return "" if old else f""" AND c.core LIKE '%"{items}":[{{"%'"""


def _sqlite_list(name: str, *, old: bool) -> str:
    items, words, numbers = LISTS[name]
    route = ", ".join(f"c.core ->> '$.data.{word}' AS {word}" for word in ROUTE)
    told = ", ".join(f"i.value ->> '$.{word}' AS {word}" for word in (*words, *numbers))
    sides = " UNION ALL ".join(
        f"SELECT {COLUMNS}, {route}, '{side}' AS direction, {told} "  # noqa: S608 - our own words
        f"FROM audit_entry AS c, json_each(c.core, '$.data.{side}.{items}') AS i "
        f"WHERE c.kind = 'exchange.closed'{_has_any(name, old=old)}"
        for side in ("request", "response")
    )
    return f"CREATE VIEW {name} AS {sides}"


def _postgresql_list(name: str, *, old: bool) -> str:
    items, words, numbers = LISTS[name]
    route = ", ".join(f"d.data ->> '{word}' AS {word}" for word in ROUTE)
    told = ", ".join(
        (
            *(f"i.value ->> '{word}' AS {word}" for word in words),
            *(f"CAST(i.value ->> '{word}' AS bigint) AS {word}" for word in numbers),
        )
    )
    return (
        f"CREATE VIEW {name} AS SELECT {COLUMNS}, {route}, s.side AS direction, {told} "  # noqa: S608
        "FROM audit_entry AS c CROSS JOIN LATERAL "
        f"(SELECT CAST(c.core AS jsonb) -> 'data' AS data{'' if old else ONCE}) AS d "
        "CROSS JOIN (VALUES ('request'), ('response')) AS s(side) "
        f"CROSS JOIN LATERAL jsonb_array_elements(d.data -> s.side -> '{items}') AS i(value) "
        f"WHERE c.kind = 'exchange.closed'{_has_any(name, old=old)}"
    )
