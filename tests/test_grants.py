"""Roles of PostgreSQL, tried as the role itself on a real server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import ProgrammingError

from gateway import db, grants
from gateway.audit import questions
from gateway.audit.log import AuditLog
from gateway.audit.sequencer import Sequencer, signer
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.ports import Counters, Entry
from gateway.grants import Rights

PAGE = (Path(__file__).parents[1] / "docs" / "audit.md").read_text(encoding="utf-8")
KEY = b"audit key of the tests, 32 bytes"
Engines = Callable[[Rights], Engine]


@pytest.fixture
def owner(postgres_url: str) -> Iterator[Engine]:
    engine = db.open_engine(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture
def name(owner: Engine) -> Iterator[str]:
    """A role's name that nobody has, and nobody has afterwards."""
    role = f"{owner.url.database}_role"
    yield role
    with db.writing(owner) as connection:
        if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role}).all():
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")


@pytest.fixture
def acting(owner: Engine, name: str) -> Iterator[Engines]:
    """Gives the role its rights and is the role."""
    opened = []

    def be(rights: Rights) -> Engine:
        grants.grant(owner, name, rights)
        opened.append(create_engine(db.normalise(_url(owner)).set(username=name)))
        return opened[-1]

    yield be
    for engine in opened:
        engine.dispose()


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def _refused(engine: Engine, statement: str) -> bool:
    with engine.connect() as connection:
        try:
            connection.exec_driver_sql(statement)
        except ProgrammingError as err:
            return getattr(err.orig, "sqlstate", "") == "42501"
    return False


def test_an_auditor_may_ask_every_question_and_write_nothing(
    owner: Engine, acting: Engines
) -> None:
    auditor = acting(Rights.AUDITOR)
    for question in questions.saved().values():
        assert questions.ask(auditor, question).rows == []
    tables = inspect(owner).get_table_names()
    verbs = ("DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES", "DROP TABLE {}")
    assert len(tables) > 20
    for table in tables:
        assert [v for v in verbs if not _refused(auditor, v.format(table))] == [], table
    assert _refused(auditor, "CREATE SCHEMA mine")
    # A trigger would refuse it to everybody; here the grant already does.
    assert _refused(auditor, "UPDATE audit_entry SET core = ''")


def test_an_auditor_reads_the_log_and_no_secrets(owner: Engine, acting: Engines) -> None:
    auditor = acting(Rights.AUDITOR)
    readable = {
        table
        for table in inspect(owner).get_table_names()
        if not _refused(auditor, f"SELECT * FROM {table}")
    }
    tree = {"audit_run", "audit_tile", "audit_checkpoint", "audit_cosignature"}
    assert readable == {"alembic_version", "audit_entry", "audit_chain", "audit_registry", *tree}


def test_a_writer_adds_to_the_log_and_does_not_change_it(owner: Engine, acting: Engines) -> None:
    writer, clock = acting(Rights.WRITER), SystemClock()
    sequencer = Sequencer(writer, key=KEY, signer=signer(KEY, ""), clock=clock)

    async def append() -> None:
        log = AuditLog(writer, key=KEY, replica="r", clock=clock, counters=Counters())
        await log.start()
        await log.append(Entry("", "works.added", {"via": "cli", "work": "novel"}))
        await log.aclose()

    asyncio.run(append())
    assert sequencer.round().entries == 3
    assert len(questions.ask(owner, questions.named("changes")).rows) == 1
    for statement in (
        "DELETE FROM audit_entry", "UPDATE audit_entry SET n = 1", "TRUNCATE audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL", "DELETE FROM audit_chain",
        "UPDATE audit_checkpoint SET note = ''", "DELETE FROM policy_act", "DROP VIEW exchange",
    ):  # fmt: skip
        assert _refused(writer, statement), statement


@pytest.mark.parametrize("rights", Rights)
def test_a_role_has_its_rights_and_no_others(
    owner: Engine, acting: Engines, name: str, rights: Rights
) -> None:
    acting(rights)
    assert grants.standing(owner, name, rights).exact


@pytest.mark.parametrize(
    ("sql", "more"),
    [
        ("GRANT SELECT ON audit_payload_key TO {0}", "may SELECT audit_payload_key"),
        ("GRANT SELECT (hash) ON gateway_key TO {0}", "may SELECT gateway_key"),
        ("GRANT DELETE ON audit_entry TO PUBLIC", "may DELETE audit_entry"),
        ("GRANT pg_read_all_data TO {0}", "is a member of pg_read_all_data"),
        ("GRANT CREATE ON SCHEMA public TO {0}", "may make objects in schema public"),
        ("GRANT CREATE ON DATABASE {1} TO {0}", "may make schemas in database {1}"),
        ("ALTER ROLE {0} SUPERUSER", "is a superuser"),
        ("ALTER ROLE {0} CREATEROLE", "may make roles"),
        ("ALTER VIEW act OWNER TO {0}", "owns act"),
        (
            "CREATE FUNCTION leak() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
            "may call leak, which acts with the rights of its owner",
        ),
        (
            "CREATE SCHEMA other CREATE TABLE copy (id int); GRANT SELECT ON other.copy TO {0}",
            "may SELECT other.copy",
        ),
    ],
)
def test_whatever_a_role_may_beyond_that_is_found(
    owner: Engine, acting: Engines, name: str, sql: str, more: str
) -> None:
    acting(Rights.AUDITOR)
    with db.writing(owner) as connection:
        connection.exec_driver_sql(sql.format(name, owner.url.database))
    assert more.format("", owner.url.database) in grants.standing(owner, name, Rights.AUDITOR).more


def test_a_grant_takes_what_else_was_granted_and_gives_what_is_missing(
    owner: Engine, acting: Engines, name: str
) -> None:
    acting(Rights.WRITER)
    found = grants.standing(owner, name, Rights.AUDITOR)
    assert "may INSERT audit_entry" in found.more
    assert "may SELECT gateway_key" in found.more
    acting(Rights.AUDITOR)
    assert grants.standing(owner, name, Rights.AUDITOR).exact
    assert "may not INSERT audit_entry" in grants.standing(owner, name, Rights.WRITER).less


def test_a_writer_goes_on_writing_data_keys_after_the_upgrade_that_checks_them(
    owner: Engine, acting: Engines, name: str, migrations: Path
) -> None:
    writer = acting(Rights.WRITER)
    db.downgrade(_url(owner), migrations, "0015")
    db.upgrade(_url(owner), migrations)
    with db.writing(writer) as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit_payload_key VALUES ('k', 'acme', 'anna', '2026-11', '1', 1, '')"
        )
    assert grants.standing(owner, name, Rights.WRITER).exact


def test_what_is_printed_does_the_same(owner: Engine, name: str) -> None:
    with db.writing(owner) as connection:
        for statement in grants.plan(owner, name, Rights.AUDITOR):
            connection.exec_driver_sql(statement)
    assert grants.standing(owner, name, Rights.AUDITOR).exact


def test_a_writer_is_granted_every_table_and_an_auditor_every_view(owner: Engine) -> None:
    found = inspect(owner)
    # Entries are reached through the one table that has the partitions, never past it.
    tables = {name for name in found.get_table_names() if not name.startswith("audit_entry_")}
    writer, auditor = (
        {table for tables in grants.NEEDED[rights].values() for table in tables}
        for rights in (Rights.WRITER, Rights.AUDITOR)
    )
    assert tables | set(found.get_view_names()) == writer
    assert set(found.get_view_names()) <= auditor


def test_the_page_has_the_rights_as_they_are_granted() -> None:
    told = {" ".join(each.split()) for each in re.findall(r"^GRANT [^;]+", PAGE, re.MULTILINE)}
    granted = {
        statement
        for role, rights in (("gateway", Rights.WRITER), ("auditor", Rights.AUDITOR))
        for statement in grants.statements(role, rights, "public", "gateway")
        if statement.startswith("GRANT")
    }
    assert told == granted


@pytest.mark.parametrize("bad", ["", "pg_audit", "a b", 'a"b', "1st", "a" * 64, "a;b"])
def test_other_names_are_refused(owner: Engine, bad: str) -> None:
    with pytest.raises(ConfigError, match="expected a role's name"):
        grants.plan(owner, bad, Rights.AUDITOR)


def test_the_role_that_makes_the_tables_keeps_its_rights(owner: Engine) -> None:
    ours = str(make_url(_url(owner)).username)
    with pytest.raises(ConfigError, match="Name another one"):
        grants.grant(owner, ours, Rights.WRITER)
    with pytest.raises(ConfigError, match="There is no role nobody"):
        grants.standing(owner, "nobody", Rights.WRITER)


def test_sqlite_has_no_roles(sqlite_url: str) -> None:
    engine = db.open_engine(sqlite_url)
    with pytest.raises(ConfigError, match="SQLite has none"):
        grants.plan(engine, "anna", Rights.AUDITOR)
