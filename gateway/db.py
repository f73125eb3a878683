"""The database: URLs, engines, transactions and migrations. Knows no table.

SQLite (one file, WAL, every commit synced) and PostgreSQL (psycopg 3). Workshops put
their tables on `metadata`; the folder of migrations is handed in by the caller.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from gateway.core.errors import ConfigError

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BUSY_S = 5
MIGRATION_WAIT_S = 120
_LOOK_S = 0.1
_MIGRATION_LOCK = 0x6757_6442  # any fixed number that no other application is likely to use


def normalise(url: str) -> URL:
    """The URL with its driver. Raises ConfigError, without the password, if it cannot be used."""
    try:
        parsed = make_url(url)
    except ArgumentError as err:
        raise ConfigError(
            "database URL: expected sqlite:///path or postgresql://user@host/name, "
            "found something that is not a URL."
        ) from err
    backend = parsed.get_backend_name()
    if backend == "postgres":
        parsed = parsed.set(drivername="postgresql")
        backend = "postgresql"
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigError(
            f"database URL: {backend!r} is not supported. Known: sqlite:///path, postgresql://..."
        )
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError(
            "database URL: SQLite needs a file (sqlite:///path): "
            "what is only in memory is no record."
        )
    return parsed.set(drivername="sqlite+pysqlite")


def open_engine(
    url: str, *, pool_size: int = 2, create: bool = False, busy_s: int | None = None
) -> Engine:
    """A synchronous engine with a small pool. Connects on first use, not here.

    create: whether an SQLite file that is not there may be made. Only migrations do:
    an empty file in place of a lost one would be taken for the log.
    busy_s: how long SQLite waits for another's lock, from the connection's first statement.
    """
    parsed = normalise(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=2,
            hide_parameters=True,
            connect_args={"timeout": BUSY_S if busy_s is None else busy_s},
        )
        if not create:
            event.listen(engine, "do_connect", _must_exist)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=2,
        # They hold names of people; errors of statements are logged.
        hide_parameters=True,
        pool_timeout=BUSY_S,
        connect_args={
            "connect_timeout": 5,
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "application_name": "gateway",
        },
    )


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes; on SQLite it takes the write lock at once."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one state of the whole database, however long it takes.

    Results are fetched in pieces of 1,000 rows, never all at once.
    """
    options: dict[str, Any] = {"yield_per": 1_000}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    else:
        options |= {"sqlite_begin": "BEGIN"}
    with engine.connect() as plain:
        connection = plain.execution_options(**options)
        with connection.begin():
            yield connection


def securely(connection: Connection) -> None:
    """Have what is deleted from now on overwritten, where the database can do that.

    SQLite leaves deleted rows in free pages and in its write-ahead log: `flush` when it is
    committed. PostgreSQL has no such switch: there VACUUM makes room of them.
    """
    if connection.dialect.name == "sqlite":
        # With zeros (SQLite, "Pragma statements").
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def flush(engine: Engine, *, wait_s: float = 0.0) -> bool:
    """Empty SQLite's write-ahead log of what was deleted; whether that is done.

    It is not while somebody reads. wait_s: how long to wait for that; else the next flush, or the
    end of the last connection, does it. True where there is no such log.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone() or (0,)
        cursor.execute(f"PRAGMA busy_timeout = {int(wait_s * 1_000)}")
        try:
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() or (1, 0, 0)
        except failures(engine):
            return False
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")
        return not busy
    finally:
        connection.close()


def failures(engine: Engine) -> tuple[type[Exception], ...]:
    """What this engine's calls raise when the database does not do its part."""
    dbapi_error: type[Exception] = engine.dialect.loaded_dbapi.Error
    return (SQLAlchemyError, dbapi_error, OSError)


def upgrade(url: str, migrations: Path, revision: str = "head") -> None:
    """Bring the schema up to `revision`. Safe to call from many processes at once.

    All revisions are one transaction. One that changes a table which others write to may have a
    function `prepare(connection)`: what takes long and needs no such transaction. On PostgreSQL it
    is called before, in autocommit; what it did stays if the rest fails, so it may be repeated.
    """
    _prepare(url, migrations, revision)
    _migrate(url, migrations, lambda config: command.upgrade(config, revision))


def downgrade(url: str, migrations: Path, revision: str) -> None:
    """Take the schema back to `revision` ("base": empty). Loses what the newer tables held."""
    _migrate(url, migrations, lambda config: command.downgrade(config, revision))


def build(connection: Connection, migrations: Path) -> None:
    """Run all revisions on an empty schema, in the caller's transaction."""
    config = _config(migrations)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def current(url: str) -> str | None:
    """The revision that the database is at; None if it was never migrated."""
    engine = open_engine(url)
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
        return None
    try:
        with snapshot(engine) as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def head(migrations: Path) -> str | None:
    """The newest revision in the folder of migrations."""
    return ScriptDirectory.from_config(_config(migrations)).get_current_head()


def _prepare(url: str, migrations: Path, revision: str) -> None:
    if normalise(url).get_backend_name() != "postgresql" or (at := current(url)) is None:
        return
    script = ScriptDirectory.from_config(_config(migrations))
    revisions = reversed(list(script.iterate_revisions(revision, at)))
    steps = [each.module.prepare for each in revisions if hasattr(each.module, "prepare")]
    engine = open_engine(url, pool_size=1)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _wait_for_others(connection)
            for step in steps:
                step(connection)
    finally:
        engine.dispose()


def _wait_for_others(connection: Connection) -> None:
    """Until nobody else prepares; held until the connection is closed.

    Asked again and again: who waited within a statement would hold a snapshot, and the other's
    CREATE INDEX CONCURRENTLY waits for the end of all that are older.
    """
    ours = text("SELECT pg_try_advisory_lock(:key)")
    while not connection.execute(ours, {"key": _MIGRATION_LOCK + 1}).scalar_one():
        time.sleep(_LOOK_S)


def _migrate(url: str, migrations: Path, run: Any) -> None:
    config = _config(migrations)
    engine = open_engine(url, pool_size=1, create=True, busy_s=MIGRATION_WAIT_S)
    try:
        with _one_at_a_time(engine) as connection:
            config.attributes["connection"] = connection
            run(config)
    finally:
        engine.dispose()


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[Connection]:
    """One transaction for all revisions, behind a lock that others wait for."""
    with engine.connect() as plain:
        connection = plain.execution_options(sqlite_begin="BEGIN EXCLUSIVE")
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{MIGRATION_WAIT_S}s'")
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK}
                )
            yield connection


def _config(migrations: Path) -> Config:
    if not (migrations / "env.py").is_file():
        raise ConfigError(f"{migrations}: expected a folder of migrations, found no env.py in it.")
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config


def _must_exist(_dialect: Any, _record: Any, arguments: Any, _options: Any) -> None:
    if not Path(arguments[0]).is_file():
        raise sqlite3.OperationalError(f"{arguments[0]}: there is no such database file")


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own BEGIN comes too late for a snapshot and never for a read.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN IMMEDIATE"))
