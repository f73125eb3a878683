"""Whether the database's tables, triggers, functions and views are those of the migrations.

A trigger that is gone, or a view that leaves rows out, changes no entry, so no hash shows
it. What should be there is made by the migrations themselves: on SQLite in memory, on
PostgreSQL in a schema of its own within a transaction that is rolled back.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError

from gateway.audit.report import Problem, Report
from gateway.db import build

# (kind, name) -> its definition, however the database words it.
Objects = dict[tuple[str, str], str]

_SQLITE = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"

_TABLE = """(
    SELECT string_agg(line, ', ' ORDER BY line) FROM (
        SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
            || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS line
        FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT CASE WHEN c.relispartition THEN replace(k.conname, c.relname, 'partition')
            ELSE k.conname END || ' ' || pg_get_constraintdef(k.oid)
        FROM pg_constraint k WHERE k.conrelid = c.oid
        UNION ALL
        SELECT pg_get_partkeydef(c.oid)
    ) AS lines
)"""
_GUARDS = """(
    SELECT string_agg(pg_get_triggerdef(t.oid) || ' ' || CAST(t.tgenabled AS text), ', '
        ORDER BY t.tgname)
    FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
)"""
# Which partitions there are depends on the time, but each is made like any other.
_POSTGRESQL = f"""
SELECT 'trigger', t.tgname || ' on ' || c.relname,
    pg_get_triggerdef(t.oid) || ' ' || CAST(t.tgenabled AS text)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = CAST(:schema AS regnamespace) AND NOT t.tgisinternal
    AND NOT c.relispartition
UNION ALL
SELECT 'rule', r.rulename || ' on ' || c.relname, pg_get_ruledef(r.oid)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind <> 'v'
UNION ALL
SELECT 'function', p.proname, pg_get_functiondef(p.oid)
FROM pg_proc p WHERE p.pronamespace = CAST(:schema AS regnamespace) AND p.prokind = 'f'
UNION ALL
SELECT 'view', c.relname, pg_get_viewdef(c.oid)
FROM pg_class c WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'v'
UNION ALL
SELECT 'index', c.relname, pg_get_indexdef(c.oid)
FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class o ON o.oid = i.indrelid
WHERE c.relnamespace = CAST(:schema AS regnamespace) AND NOT o.relispartition
UNION ALL
SELECT 'table', c.relname, {_TABLE}
FROM pg_class c WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition
UNION ALL
SELECT 'partition', c.relname, replace({_TABLE} || coalesce({_GUARDS}, ''), c.relname, 'partition')
FROM pg_class c WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'r'
    AND c.relispartition
"""  # noqa: S608  our own words
_DEFAULT = ("partition", "audit_entry_default")
_NOT_ALLOWED = "42501"  # PostgreSQL's insufficient_privilege
# What could act on rows without anybody's asking; others may add tables, views and indexes.
_ACTS = ("trigger", "rule")


def compare(engine: Engine, migrations: Path, report: Report) -> None:
    """Report what is missing, changed, or acts on rows and is not ours."""
    read = _postgresql if engine.dialect.name == "postgresql" else _sqlite
    try:
        expected, found = read(engine, migrations)
    except ProgrammingError as err:
        # An auditor's role may read everything and yet make no schema.
        if getattr(err.orig, "sqlstate", "") != _NOT_ALLOWED:
            raise
        report.unchecked.append("triggers, views and tables: this role may not make a schema")
        return
    for name, definition in _with_partitions(expected, found).items():
        words = " ".join(name)
        if name not in found:
            report.add(Problem("schema_missing", f"{words} is not there"))
        elif found[name] != definition:
            report.add(Problem("schema_changed", f"{words} is not the one of the migrations"))
    for name in found.keys() - expected.keys():
        if name[0] in _ACTS:
            report.add(Problem("schema_unknown", f"{' '.join(name)} is not of the migrations"))


def _with_partitions(expected: Objects, found: Objects) -> Objects:
    """What is expected where these partitions are: each as the default one, which there must be."""
    wanted = {name: each for name, each in expected.items() if name[0] != "partition"}
    if (pattern := expected.get(_DEFAULT)) is None:
        return wanted
    there = {_DEFAULT, *(name for name in found if name[0] == "partition")}
    return wanted | dict.fromkeys(there, pattern)


def _sqlite(engine: Engine, migrations: Path) -> tuple[Objects, Objects]:
    scratch = create_engine("sqlite://")
    try:
        with scratch.begin() as connection:
            build(connection, migrations)
            expected = _objects(connection, _SQLITE, _plain)
    finally:
        scratch.dispose()
    with engine.connect() as connection:
        return expected, _objects(connection, _SQLITE, _plain)


def _postgresql(engine: Engine, migrations: Path) -> tuple[Objects, Objects]:
    scratch = f"gateway_expected_{secrets.token_hex(4)}"
    with engine.connect() as connection:
        here = connection.execute(text("SELECT current_schema()")).scalar_one()
        found = _objects(connection, _POSTGRESQL, lambda sql: _within(sql, here), schema=here)
        connection.execute(text(f"CREATE SCHEMA {scratch}"))
        connection.execute(text(f"SET LOCAL search_path TO {scratch}"))
        build(connection, migrations)
        expected = _objects(
            connection, _POSTGRESQL, lambda sql: _within(sql, scratch), schema=scratch
        )
        connection.rollback()
    return expected, found


def _objects(
    connection: Connection, statement: str, normal: Callable[[str], str], **given: str
) -> Objects:
    rows = connection.execute(text(statement), given)
    return {(kind, name): normal(definition or "") for kind, name, definition in rows}


def _plain(sql: str) -> str:
    return " ".join(sql.split())


def _within(sql: str, schema: str) -> str:
    return _plain(sql).replace(f"{schema}.", "")
