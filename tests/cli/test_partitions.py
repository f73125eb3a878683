"""`gateway audit partitions`, and what else says how far the log's months reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import db
from gateway.identity.keyring import Keyring
from tests.cli.house import Gateway, value


@pytest.fixture
def postgres(data: Path, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The gateway's database, without any table yet."""
    data.mkdir(mode=0o700)
    Keyring.open(data / "keyring.json")
    monkeypatch.setenv("GATEWAY_DATABASE_URL", empty_postgres_url)
    return empty_postgres_url


def _doctor(gateway: Gateway) -> str:
    told = value(gateway("doctor", "--json"))
    return " ".join(each["text"] for each in told["checks"] if each["name"] == "partitions")


def test_an_upgrade_makes_the_next_months_and_the_command_more(
    gateway: Gateway, postgres: str
) -> None:
    gateway("db", "upgrade")
    first = value(gateway("audit", "partitions", "--json"))
    assert (first["made"], first["caution"]) == ([], "")
    names = [each["name"] for each in first["partitions"]]
    assert (names[0], names[-1]) == ("audit_entry_first", "audit_entry_default")
    made = value(gateway("audit", "partitions", "--ahead", "9", "--json"))["made"]
    assert len(made) == 6
    assert made[-1] in gateway("audit", "partitions").stdout
    assert _doctor(gateway) == ""


def test_months_that_come_to_an_end_are_warned_of(gateway: Gateway, postgres: str) -> None:
    gateway("db", "upgrade")
    engine = db.open_engine(postgres)
    with db.writing(engine) as connection:
        for each in value(gateway("audit", "partitions", "--json"))["partitions"][:-1]:
            connection.exec_driver_sql(f"DROP TABLE {each['name']}")
        bounds = "FOR VALUES FROM (MINVALUE) TO (1700000000000)"
        connection.exec_driver_sql(f"SELECT audit_add_partition('audit_entry_first', '{bounds}')")
    engine.dispose()
    assert "ends in 0 days" in _doctor(gateway)
    assert "Run: gateway audit partitions" in gateway("audit", "partitions").stderr


def test_sqlite_has_none(gateway: Gateway, ready: Path) -> None:
    assert "no partitions" in gateway("audit", "partitions", "--ahead", "3").stdout
