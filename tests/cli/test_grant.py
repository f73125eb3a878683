"""`gateway db grant`, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from gateway import db
from gateway.audit.query import Filters, query
from gateway.identity.keyring import Keyring
from tests.cli.house import Gateway, value


@pytest.fixture
def role(data: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A role's name that nobody has; the gateway's database is PostgreSQL."""
    data.mkdir(mode=0o700)
    Keyring.open(data / "keyring.json")
    monkeypatch.setenv("GATEWAY_DATABASE_URL", postgres_url)
    name = f"{make_url(postgres_url).database}_role"
    yield name
    engine = db.open_engine(postgres_url)
    with db.writing(engine) as connection:
        if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": name}).all():
            connection.exec_driver_sql(f"DROP OWNED BY {name}")
            connection.exec_driver_sql(f"DROP ROLE {name}")
    engine.dispose()


def _entries(url: str) -> list[dict[str, object]]:
    engine = db.open_engine(url)
    found = query(engine, Filters(kind="database.role_granted"), limit=9, newest_first=True)
    told = [entry["data"] for entry in found]
    engine.dispose()
    return told


def test_a_role_is_made_recorded_and_checked(
    gateway: Gateway, role: str, postgres_url: str
) -> None:
    made = value(gateway("db", "grant", role, "--role", "auditor", "--json"))
    assert made == {"role": role, "rights": "auditor", "made": True}
    assert _entries(postgres_url) == [{"via": "cli", "role": role, "rights": "auditor"}]
    checked = value(gateway("db", "grant", role, "--role", "auditor", "--check", "--json"))
    assert checked["exact"]
    assert "no others" in gateway("db", "grant", role, "--role", "auditor").stdout
    other = gateway("db", "grant", role, "--role", "writer", "--check", code=1)
    assert f"{role} may not INSERT audit_entry" in other.stdout


def test_printing_does_nothing(gateway: Gateway, role: str, postgres_url: str) -> None:
    told = gateway("db", "grant", role, "--role", "writer", "--print").stdout.splitlines()
    assert (told[0], told[1], told[-1]) == ("BEGIN;", f"CREATE ROLE {role} LOGIN;", "COMMIT;")
    assert all(line.endswith(";") for line in told)
    assert _entries(postgres_url) == []
    missing = gateway("db", "grant", role, "--role", "writer", "--check", code=2)
    assert "There is no role" in missing.stderr


def test_without_a_keyring_nothing_is_granted(gateway: Gateway, role: str, data: Path) -> None:
    (data / "keyring.json").unlink()
    gateway("db", "grant", role, "--role", "auditor", code=2)
    gateway("db", "grant", role, "--role", "auditor", "--check", code=2)


def test_sqlite_is_told_to_have_no_roles(gateway: Gateway, ready: Path) -> None:
    told = gateway("db", "grant", "anna", "--role", "auditor", code=2)
    assert "SQLite has none" in told.stderr
