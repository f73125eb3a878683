"""On PostgreSQL entries are partitioned by month, an existing log online. SQLite stays as it is.

What was there becomes the first partition as it is: no row is read, moved or written while others
wait. The locks on `audit_entry`, in order:

1. `prepare`, before the migration and beside those who write. ADD CONSTRAINT ... NOT VALID takes
   ACCESS EXCLUSIVE for milliseconds, for nothing is read. VALIDATE reads all times once, under
   SHARE UPDATE EXCLUSIVE, which neither reading nor writing waits for. The bound lies a month
   ahead at least; an entry of a later time would be refused, so the rest is not to be put off.
2. `upgrade`: ACCESS EXCLUSIVE to its end, for renaming, making the new parent and attaching, which
   the constraint spares a scan. Milliseconds, however long the log is.

Each waits for its lock for at most 3 s, for whoever comes behind it waits too; then it fails, all
is as before, and it can be run again when no long query runs. `downgrade` copies what later
partitions hold, and everybody waits for that.

A partition has a primary key of its own, (replica, epoch, n), for over all of them PostgreSQL has
none without the time. That no place is taken twice does not rest on it: an entry is inserted by
the one statement that moves its chain's head from the place before, in `audit_chain`, where the
chain is unique (gateway/audit/append_postgresql.py), and `gateway audit verify` reads every chain
in order. What is kept of texts is not partitioned: it goes by person and class, never by month.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

from gateway.core.errors import ConfigError

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LOCK = "3s"
AHEAD = timedelta(days=31)
CHECK = "ck_audit_entry_first"
FIRST, DEFAULT, GONE = "audit_entry_first", "audit_entry_default", "audit_entry_gone"
MARK = "first_"
# No clock that is merely wrong says so: an entry beyond it, and the migration fails.
LATEST_MS = 4_102_444_800_000
# Triggers that act on statements are not inherited, and TRUNCATE knows no others.
GUARDS = """
    FOREACH verb IN ARRAY ARRAY['update', 'delete', 'truncate'] LOOP
        EXECUTE format('CREATE TRIGGER audit_entry_no_%s BEFORE %s ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', verb, verb, name);
    END LOOP;"""
FUNCTIONS = (
    f"""
CREATE FUNCTION audit_guard_entries(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE verb text;
BEGIN{GUARDS}
END $$""",
    """
CREATE FUNCTION audit_add_partition(name text, bounds text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE audit_entry INCLUDING DEFAULTS INCLUDING STORAGE)',
        name);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I PRIMARY KEY (replica, epoch, n)',
        name, name || '_pkey');
    PERFORM audit_guard_entries(name);
    EXECUTE format('ALTER TABLE %I OWNER TO %I', name, (SELECT pg_get_userbyid(relowner)
        FROM pg_class WHERE oid = CAST('audit_entry' AS regclass)));
    EXECUTE format('ALTER TABLE audit_entry ATTACH PARTITION %I %s', name, bounds);
END $$""",
)


def prepare(connection: sa.Connection) -> None:
    """What takes long: have it proved that all entries lie before the first month to come.

    Outside of any transaction; may be repeated.
    """
    plain = "SELECT 1 FROM pg_class WHERE oid = to_regclass('audit_entry') AND relkind = 'r'"
    if not connection.execute(sa.text(plain)).first():
        return
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK}'")
    found = _bound(connection)
    if found is not None and found < _soonest_ms():
        connection.exec_driver_sql(f"ALTER TABLE audit_entry DROP CONSTRAINT {CHECK}")
        found = None
    if found is None:
        bound = _next_bound(connection)
        connection.exec_driver_sql(
            f"ALTER TABLE audit_entry ADD CONSTRAINT {CHECK} CHECK (ts_ms < {bound}) NOT VALID"
        )
    connection.exec_driver_sql(f"ALTER TABLE audit_entry VALIDATE CONSTRAINT {CHECK}")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for function in FUNCTIONS:
        op.execute(function)
    before = _lock(connection)
    bound = _bound(connection)
    if bound is None:
        # An empty log, or one whose `prepare` was passed over: read here, while others wait.
        bound = _next_bound(connection)
        op.execute(f"ALTER TABLE audit_entry ADD CONSTRAINT {CHECK} CHECK (ts_ms < {bound})")
    indexes = _indexes(connection, "audit_entry")
    op.execute(f"ALTER TABLE audit_entry RENAME TO {FIRST}")
    op.execute(f"ALTER TABLE {FIRST} RENAME CONSTRAINT pk_audit_entry TO {FIRST}_pkey")
    for name in indexes:
        op.execute(f"ALTER INDEX {name} RENAME TO {MARK}{name}")
    op.execute(
        f"CREATE TABLE audit_entry (LIKE {FIRST} INCLUDING DEFAULTS INCLUDING STORAGE) "
        "PARTITION BY RANGE (ts_ms)"
    )
    # The first partition's own fit these and are taken for them; none is built.
    for definition in indexes.values():
        op.execute(definition)
    op.execute("SELECT audit_guard_entries('audit_entry')")
    bounds = f"FOR VALUES FROM (MINVALUE) TO ({bound})"
    op.execute(f"ALTER TABLE audit_entry ATTACH PARTITION {FIRST} {bounds}")
    op.execute(f"ALTER TABLE {FIRST} DROP CONSTRAINT {CHECK}")
    before.put_back(FIRST)
    op.execute(f"SELECT audit_add_partition('{DEFAULT}', 'DEFAULT')")


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    before = _lock(connection)
    op.execute(f"ALTER TABLE audit_entry DETACH PARTITION {FIRST}")
    op.execute(f"INSERT INTO {FIRST} SELECT * FROM audit_entry ORDER BY ts_ms")  # noqa: S608
    for name in _indexes(connection, "audit_entry"):
        op.execute(f"ALTER INDEX {name} RENAME TO gone_{name}")
    op.execute(f"ALTER TABLE audit_entry RENAME TO {GONE}")
    op.execute(f"ALTER TABLE {FIRST} RENAME TO audit_entry")
    op.execute(f"ALTER TABLE audit_entry RENAME CONSTRAINT {FIRST}_pkey TO pk_audit_entry")
    for name in _indexes(connection, "audit_entry"):
        if name.startswith(MARK):
            op.execute(f"ALTER INDEX {name} RENAME TO {name.removeprefix(MARK)}")
    before.put_back(GONE)
    op.execute(f"DROP TABLE {GONE}")
    for name in ("audit_add_partition(text, text)", "audit_guard_entries(text)"):
        op.execute(f"DROP FUNCTION {name}")


class Surroundings(NamedTuple):
    """Who owned the table, who might do what with it, and the views on it, which follow no name."""

    owner: str
    grants: Sequence[sa.Row[Any]]
    views: Sequence[sa.Row[Any]]

    def put_back(self, taken_from: str) -> None:
        """For the table that has the name now; nobody but its owner has the other one."""
        op.execute(f"ALTER TABLE audit_entry OWNER TO {self.owner}")
        for grantee, privilege, grantable in self.grants:
            option = " WITH GRANT OPTION" if grantable else ""
            op.execute(f"GRANT {privilege} ON audit_entry TO {grantee}{option}")
            op.execute(f"REVOKE ALL ON {taken_from} FROM {grantee}")
        for name, options, definition in self.views:
            having = f" WITH ({options})" if options else ""
            op.execute(f"CREATE OR REPLACE VIEW {name}{having} AS {definition}")


OWNER = """
SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class
WHERE oid = CAST('audit_entry' AS regclass)
"""
GRANTS = """
SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    privilege_type || coalesce('(' || attname || ')', ''), is_grantable
FROM (
    SELECT CAST(NULL AS text) AS attname, relowner, (aclexplode(relacl)).*
    FROM pg_class WHERE oid = CAST('audit_entry' AS regclass)
    UNION ALL
    SELECT quote_ident(attname), relowner, (aclexplode(attacl)).*
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE attrelid = CAST('audit_entry' AS regclass)
) AS given
WHERE grantee <> relowner
"""
VIEWS = """
SELECT DISTINCT CAST(CAST(c.oid AS regclass) AS text), array_to_string(c.reloptions, ', '),
    rtrim(pg_get_viewdef(c.oid), ';'), c.relkind
FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
WHERE d.classid = CAST('pg_rewrite' AS regclass) AND d.refclassid = CAST('pg_class' AS regclass)
    AND d.refobjid = CAST('audit_entry' AS regclass) AND c.relkind IN ('v', 'm')
"""
INDEXES = """
SELECT quote_ident(c.relname), pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c
    ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass(:name) AND NOT i.indisunique
"""


def _lock(connection: sa.Connection) -> Surroundings:
    usual = connection.execute(sa.text("SELECT current_setting('lock_timeout')")).scalar_one()
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK}'")
    connection.exec_driver_sql("LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{usual}'")
    views = connection.execute(sa.text(VIEWS)).all()
    if kept := [row[0] for row in views if row[3] == "m"]:
        raise ConfigError(
            f"Materialized views on audit_entry cannot follow it: {', '.join(kept)}. Drop them, "
            "upgrade, and make them again."
        )
    return Surroundings(
        connection.execute(sa.text(OWNER)).scalar_one(),
        connection.execute(sa.text(GRANTS)).all(),
        [row[:3] for row in views],
    )


def _indexes(connection: sa.Connection, table: str) -> dict[str, str]:
    """Name -> definition, of those that are not unique: these stay with each partition."""
    found = connection.execute(sa.text(INDEXES), {"name": table})
    return {row[0]: row[1] for row in found}


def _bound(connection: sa.Connection) -> int | None:
    """Before which time all entries are to be, if that was said already."""
    said = connection.execute(
        sa.text(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conname = :name AND conrelid = CAST('audit_entry' AS regclass)"
        ),
        {"name": CHECK},
    ).scalar_one_or_none()
    return None if said is None else int(re.findall(r"\d{6,}", said)[0])


def _next_bound(connection: sa.Connection) -> int:
    """The beginning of the first month that no entry of today or of `AHEAD` reaches."""
    newest = connection.execute(sa.text("SELECT max(ts_ms) FROM audit_entry")).scalar_one() or 0
    after = max(_soonest_ms(), min(newest, LATEST_MS))
    when = datetime.fromtimestamp(after / 1000, UTC)
    return _ms(datetime(when.year + when.month // 12, when.month % 12 + 1, 1, tzinfo=UTC))


def _soonest_ms() -> int:
    return _ms(datetime.now(UTC) + AHEAD)


def _ms(when: datetime) -> int:
    return int(when.timestamp()) * 1000
