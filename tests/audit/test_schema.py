"""The database's own guards, compared with what the migrations make."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text

from gateway import db
from gateway.audit.report import Report
from gateway.audit.schema import compare


def found(engine, migrations):
    report = Report()
    compare(engine, migrations, report)
    assert report.unchecked == []
    return {(problem.code, problem.message.split(" is ")[0]) for problem in report.problems}


def test_a_migrated_database_is_as_it_should_be_and_stays_so(engine, migrations):
    assert found(engine, migrations) == set()
    assert found(engine, migrations) == set()
    if engine.dialect.name == "postgresql":
        with db.snapshot(engine) as connection:
            left = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'gateway_expected%'"
            assert connection.execute(text(left)).scalar_one() == 0


def test_ones_own_tables_and_indexes_are_ones_own(engine, migrations):
    with db.writing(engine) as connection:
        connection.execute(text("CREATE TABLE mine (id integer)"))
        connection.execute(text("CREATE INDEX mine_too ON audit_entry (model)"))
        connection.execute(text("CREATE VIEW mine_as_well AS SELECT model FROM audit_entry"))
    assert found(engine, migrations) == set()


SQLITE = [
    ("DROP TRIGGER audit_entry_no_update", ("schema_missing", "trigger audit_entry_no_update")),
    ("DROP TRIGGER audit_tile_grows", ("schema_missing", "trigger audit_tile_grows")),
    (
        (
            "DROP TRIGGER audit_run_no_delete;"
            "CREATE TRIGGER audit_run_no_delete BEFORE DELETE ON audit_run BEGIN SELECT 1; END"
        ),
        ("schema_changed", "trigger audit_run_no_delete"),
    ),
    (
        "CREATE TRIGGER quiet BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(IGNORE); END",
        ("schema_unknown", "trigger quiet"),
    ),
    (
        "DROP VIEW exchange; CREATE VIEW exchange AS SELECT * FROM audit_entry WHERE n < 3",
        ("schema_changed", "view exchange"),
    ),
    ("ALTER TABLE gateway_key ADD COLUMN god integer", ("schema_changed", "table gateway_key")),
]
POSTGRESQL = [
    (
        "DROP TRIGGER audit_entry_no_update ON audit_entry",
        ("schema_missing", "trigger audit_entry_no_update on audit_entry"),
    ),
    (
        "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_no_delete",
        ("schema_changed", "trigger audit_entry_no_delete on audit_entry"),
    ),
    (
        (
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN NULL; END $$"
        ),
        ("schema_changed", "function audit_refuse"),
    ),
    (
        (
            "CREATE TRIGGER quiet BEFORE INSERT ON audit_entry FOR EACH STATEMENT "
            "EXECUTE FUNCTION audit_refuse()"
        ),
        ("schema_unknown", "trigger quiet on audit_entry"),
    ),
    (
        "CREATE RULE quiet AS ON INSERT TO audit_run DO INSTEAD NOTHING",
        ("schema_unknown", "rule quiet on audit_run"),
    ),
    (
        "DROP VIEW exchange; CREATE VIEW exchange AS SELECT * FROM audit_entry WHERE n < 3",
        ("schema_changed", "view exchange"),
    ),
    ("ALTER TABLE gateway_key ADD COLUMN god integer", ("schema_changed", "table gateway_key")),
    (
        "ALTER TABLE gateway_key ALTER COLUMN hash DROP NOT NULL",
        ("schema_changed", "table gateway_key"),
    ),
]


@pytest.mark.parametrize(("sql", "problem"), SQLITE, ids=[p[1] for _, p in SQLITE])
def test_what_was_done_to_sqlite_is_found(sqlite_url, migrations, sql, problem):
    engine = db.open_engine(sqlite_url)
    with engine.connect() as connection:
        connection.connection.driver_connection.executescript(f"{sql};")
    assert found(engine, migrations) == {problem}
    engine.dispose()


@pytest.mark.parametrize(
    ("sql", "problem"), POSTGRESQL, ids=[f"{p[0]}-{p[1]}" for _, p in POSTGRESQL]
)
def test_what_was_done_to_postgresql_is_found(postgres_url, migrations, sql, problem):
    engine = db.open_engine(postgres_url)
    with db.writing(engine) as connection:
        connection.exec_driver_sql(sql)
    assert found(engine, migrations) == {problem}
    engine.dispose()


def test_a_role_that_only_reads_is_told_what_it_did_not_check(postgres_url, migrations):
    admin = db.open_engine(postgres_url)
    name = str(make_url(postgres_url).database)
    with db.writing(admin) as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name}_auditor LOGIN")
    reader = create_engine(db.normalise(postgres_url).set(username=f"{name}_auditor"))
    report = Report()
    compare(reader, migrations, report)
    assert (len(report.unchecked), report.problems) == (1, [])
    reader.dispose()
    with db.writing(admin) as connection:
        connection.exec_driver_sql(f"DROP ROLE {name}_auditor")
    admin.dispose()
