"""What PostgreSQL says is done is not done before it has committed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select

from gateway import db
from gateway.audit import chain
from gateway.audit.append import WriteError
from gateway.audit.store import Store
from gateway.audit.tables import audit_entry

AT_COMMIT = """
CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NULL; END $$
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON audit_entry
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()
"""
LEAVE = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5)"


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = db.open_engine(postgres_url)
    yield engine
    engine.dispose()


def write(engine: Engine, key: bytes, does: str, answer_s: float = 5.0) -> None:
    """One entry to a database that does something when it commits."""
    store = Store(engine, key, answer_s=answer_s)
    head = store.open_chain("r1", 5, {})
    with engine.begin() as connection:
        connection.exec_driver_sql(AT_COMMIT.format(does=does))
        connection.exec_driver_sql(TRIGGER)
    texts = ("x", "exchange.opened", "acme", "app", "k", "m1", "", "")
    rows = chain.rows(head, [("id-1", 5, texts, "{}")])
    try:
        store.write(rows, head, head.moved(rows[-1]))
    finally:
        store.discard()


def entries(engine: Engine) -> int:
    with db.snapshot(engine) as connection:
        return connection.execute(select(func.count()).select_from(audit_entry)).scalar_one()


@pytest.mark.parametrize("does", ["RAISE 'the disk is full'", LEAVE])
def test_what_fails_as_it_is_committed_was_not_written(
    engine: Engine, key: bytes, does: str
) -> None:
    with pytest.raises(WriteError) as caught:
        write(engine, key, does)
    assert caught.value.unsure
    assert entries(engine) == 1


def test_a_commit_that_takes_too_long_is_late(engine: Engine, key: bytes) -> None:
    with pytest.raises(WriteError) as caught:
        write(engine, key, "PERFORM pg_sleep(30)", answer_s=0.3)
    assert caught.value.late
    assert caught.value.unsure


def test_a_commit_that_ends_well_is_written(engine: Engine, key: bytes) -> None:
    write(engine, key, "PERFORM pg_sleep(0.1)")
    assert entries(engine) == 2
