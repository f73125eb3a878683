from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

import gateway.audit.tables
import gateway.detectors._verbatim.store
import gateway.identity.classnotes
import gateway.identity.keytable
import gateway.identity.shelf
import gateway.lifecycle.tables
import gateway.quieting.store
import gateway.review.tables
import gateway.terms.tables  # noqa: F401  all put their tables on the metadata
from gateway import db
from gateway.core.errors import ConfigError

TABLES = {"audit_entry", "audit_chain", "audit_registry", "gateway_key"}


def tables(url):
    engine = db.open_engine(url)
    try:
        with db.snapshot(engine) as connection:
            inspector = inspect(connection)
            return set(inspector.get_table_names()) | set(inspector.get_view_names())
    finally:
        engine.dispose()


def _no_partition(_object, name, kind, _reflected, _compared):
    return kind != "table" or not name.startswith("audit_entry_")


# What SQLite's index of an expression is on can be read from its SQL only.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
def test_migrated_schema_is_the_metadata(engine):
    with db.snapshot(engine) as connection:
        opts = {"compare_type": True, "include_object": _no_partition}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, db.metadata) == []


def test_up_down_and_up_again_with_data(empty_database_url, migrations):
    url = empty_database_url
    assert db.current(url) is None
    db.upgrade(url, migrations)
    assert db.current(url) == db.head(migrations)
    assert tables(url) >= TABLES | {"exchange"}
    engine = db.open_engine(url)
    with db.writing(engine) as connection:
        insert = "INSERT INTO audit_registry VALUES (1, 0, :b, 'k', :b)"
        connection.execute(text(insert), {"b": b"x"})
        connection.execute(text("INSERT INTO policy_bundle VALUES ('d', '[]', 'n', 1, 'anna')"))
        connection.execute(text("INSERT INTO policy_tally VALUES (1, 'r', 1, 0, 2, 0)"))
        connection.execute(text("INSERT INTO class_note VALUES ('d', 'restricted', 'acme', 1)"))
        connection.execute(text("INSERT INTO class_tenant VALUES ('acme', 1)"))
        for name in ("approval", "acceptance", "attestation"):
            table = db.metadata.tables[f"terms_{name}"]
            row = {c.name: 1 if c.name.endswith("_ms") else "x" for c in table.columns}
            connection.execute(table.insert().values(row))
    engine.dispose()
    db.downgrade(url, migrations, "base")
    assert tables(url) == {"alembic_version"}
    db.upgrade(url, migrations)
    assert tables(url) >= TABLES | {"exchange"}


def test_many_may_migrate_at_once(empty_database_url, migrations, monkeypatch):
    monkeypatch.setattr(db, "BUSY_S", 0)  # the wait of the others' statements is not that of these
    problems = []

    def run():
        try:
            db.upgrade(empty_database_url, migrations)
        except Exception as err:  # noqa: BLE001  any failure of a thread must reach the test
            problems.append(err)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert db.current(empty_database_url) == db.head(migrations)


def test_migration_that_fails_leaves_nothing_behind(empty_database_url, migrations):
    engine = db.open_engine(empty_database_url, create=True)
    with db.writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE gateway_key (id integer)")
    engine.dispose()
    with pytest.raises(db.failures(engine)):
        db.upgrade(empty_database_url, migrations)
    assert tables(empty_database_url) == {"gateway_key"}


def test_snapshot_does_not_see_what_comes_later(engine):
    count = text("SELECT count(*) FROM audit_registry")
    with db.snapshot(engine) as reader:
        assert reader.execute(count).scalar() == 0
        with db.writing(engine) as writer:
            insert = "INSERT INTO audit_registry VALUES (1, 0, :b, 'k', :b)"
            writer.execute(text(insert), {"b": b"x"})
        assert reader.execute(count).scalar() == 0


def test_lost_sqlite_file_is_not_made_anew(sqlite_url, migrations):
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.unlink()
    engine = db.open_engine(sqlite_url)
    with pytest.raises(db.failures(engine), match="no such database file"), db.writing(engine):
        pass
    assert db.current(sqlite_url) is None
    assert not path.exists()


def test_sqlite_syncs_every_commit(sqlite_url):
    engine = db.open_engine(sqlite_url)
    with db.writing(engine) as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5_000}
    assert values == expected


@pytest.mark.parametrize(
    ("url", "drivername"),
    [
        ("postgresql://u:secret@host/name", "postgresql+psycopg"),
        ("postgres://u@host/name", "postgresql+psycopg"),
        ("postgresql+asyncpg://u@host/name", "postgresql+psycopg"),
        ("sqlite:///file.db", "sqlite+pysqlite"),
    ],
)
def test_urls_get_their_driver(url, drivername):
    assert db.normalise(url).drivername == drivername


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("mysql://u:secret@host/name", "mysql"),
        ("sqlite://", "file"),
        ("sqlite:///:memory:", "file"),
        ("secret", "expected"),
    ],
)
def test_other_urls_are_refused_without_their_password(url, word):
    with pytest.raises(ConfigError, match=word) as caught:
        db.normalise(url)
    assert "secret" not in str(caught.value)


def test_folder_without_migrations_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"env\.py"):
        db.head(tmp_path)


def test_an_error_of_a_statement_says_no_value(engine):
    with pytest.raises(db.failures(engine)) as caught, db.snapshot(engine) as connection:
        connection.execute(text("SELECT :name FROM no_such_table"), {"name": "Anna Lind"})
    assert "Anna" not in str(caught.value)
