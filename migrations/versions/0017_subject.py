"""An index from a person's reference to the entries that concern it.

It is on what the core says, so that nothing is written twice: the gateway sends no byte more, and
PostgreSQL does the work in its own process. There it is built online, before the migration: of each
partition by itself and CONCURRENTLY, so that nobody who writes waits. The migration then takes what
is built, under a lock of milliseconds. SQLite reads all entries while others wait.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INDEX = "ix_audit_entry_subject_ts_ms"
# Whoever has a transaction open is waited for, and nobody waits behind that.
WAIT = "10min"
LOCK = "3s"
OF_SQLITE = "core ->> '$.data.subject'"
# A value of type json is looked through where it stands; one of jsonb would be built first.
OF_POSTGRESQL = "CAST(core AS json) #>> '{data,subject}'"
BEFORE = "CAST(core AS jsonb) #>> '{data,subject}'"
TABLES = """
SELECT c.oid, quote_ident(c.relname) AS quoted, c.relname = 'audit_entry' AS whole
FROM pg_class c
WHERE c.relkind = 'r' AND (c.oid = to_regclass('audit_entry')
    OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass('audit_entry')))
"""
INDEXES = """
SELECT quote_ident(c.relname) AS quoted, i.indisvalid AS valid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = :table AND pg_get_expr(i.indexprs, i.indrelid) LIKE '%{data,subject}%'
"""


def prepare(connection: sa.Connection) -> None:
    """What takes long: have the index built of each table that holds entries.

    Outside of any transaction; may be repeated. One that was broken off is built anew.
    """
    connection.exec_driver_sql(f"SET lock_timeout = '{WAIT}'")
    for table in connection.execute(sa.text(TABLES)).all():
        found = connection.execute(sa.text(INDEXES), {"table": table.oid}).all()
        for index in found:
            if not index.valid:
                connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY {index.quoted}")
        if not any(index.valid for index in found):
            # PostgreSQL names those of partitions as it would if it made them itself.
            name = INDEX if table.whole else ""
            connection.exec_driver_sql(
                f"CREATE INDEX CONCURRENTLY {name} ON {table.quoted} (({OF_POSTGRESQL}), ts_ms)"
            )


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE INDEX {INDEX} ON audit_entry ({OF_SQLITE}, ts_ms)")
        return
    usual = op.get_bind().execute(sa.text("SELECT current_setting('lock_timeout')")).scalar_one()
    op.execute(f"SET LOCAL lock_timeout = '{LOCK}'")
    # One of a partition that fits is taken for it; one that is whole already came with 0015.
    op.execute(f"CREATE INDEX IF NOT EXISTS {INDEX} ON audit_entry (({OF_POSTGRESQL}), ts_ms)")
    op.execute(f"SET LOCAL lock_timeout = '{usual}'")
    op.execute(_concern(OF_POSTGRESQL))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_concern(BEFORE))
    op.execute(f"DROP INDEX {INDEX}")


def _concern(subject: str) -> str:
    """As in 0011, with these words for the reference: the planner knows an index by them."""
    told = subject.replace("core", "e.core")
    return (
        f"CREATE OR REPLACE VIEW concern AS SELECT {told} AS subject, e.ts_ms, e.kind, "  # noqa: S608
        "e.exchange_id, e.tenant, e.application, e.key_id, e.model, e.provider, e.outcome "
        f"FROM audit_entry AS e WHERE {told} IS NOT NULL"
    )
