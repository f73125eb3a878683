"""Keys, the database and the log, from the command line."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.house import Gateway, closed, lines, opened, value

Write = Callable[..., None]


def test_keys_are_made_listed_and_revoked(gateway: Gateway, ready: Path) -> None:
    made = value(gateway("keys", "new", "bot", "--role", "auditor", "--team", "crm", "--json"))
    assert made["key"].startswith(f"gw_{made['id']}_")
    assert (made["roles"], made["team"]) == (["auditor"], "crm")
    (listed,) = lines(gateway("keys", "list", "--json"))
    assert (listed["id"], listed["state"]) == (made["id"], "valid")
    assert made["key"] not in str(listed)
    assert value(gateway("keys", "revoke", made["key"], "--json"))["now"] is True
    assert value(gateway("keys", "revoke", made["id"], "--json"))["now"] is False
    assert "revoked" in gateway("keys", "list").stdout


def test_key_expires(gateway: Gateway, ready: Path) -> None:
    made = value(gateway("keys", "new", "brief", "--expires-days", "2", "--json"))
    (listed,) = lines(gateway("keys", "list", "--json"))
    assert listed["expires_ms"] == made["expires_ms"]
    assert listed["expires_ms"] - listed["created_ms"] == pytest.approx(2 * 86_400_000, abs=60_000)


def test_unknown_key_is_said(gateway: Gateway, ready: Path) -> None:
    assert "no key with the id 'nobody'" in gateway("keys", "revoke", "nobody", code=2).stderr


def test_key_text_is_printed_whole(gateway: Gateway, ready: Path) -> None:
    first = gateway("keys", "new", "bot").stdout.splitlines()[0]
    assert len(first) == len("gw_") + 10 + 1 + 43


def test_upgrade_makes_the_tables(gateway: Gateway, data: Path) -> None:
    made = value(gateway("db", "upgrade", "--json"))
    assert made["before"] is None
    assert data.stat().st_mode & 0o777 == 0o700
    assert value(gateway("db", "status", "--json"))["revision"] == made["revision"]
    assert "Nothing to do" in gateway("db", "upgrade").stdout


def test_old_database_names_the_cure(gateway: Gateway, ready: Path) -> None:
    with sqlite3.connect(ready / "gateway.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    assert value(gateway("db", "status", "--json", code=1))["up_to_date"] is False
    assert "Run: gateway db upgrade" in gateway("keys", "list", code=2).stderr


def test_query_prints_json_lines(gateway: Gateway, write: Write) -> None:
    write(opened(1), closed(1), opened(2), closed(2, "blocked"))
    found = lines(gateway("audit", "query", "--json"))
    ids = [entry["exchange_id"][:8] for entry in found if entry["kind"] == "exchange.closed"]
    assert ids == ["00000002", "00000001"]
    query = ["audit", "query", "--json", "--oldest-first", "--limit", "2", "--kind"]
    assert [e["exchange_id"][:8] for e in lines(gateway(*query, "exchange.opened"))] == [
        "00000001",
        "00000002",
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--outcome", "blocked"], 1),
        (["--category", "EMAIL_ADDRESS"], 2),
        (["--rule", "default/none"], 0),
        (["--tenant", "acme", "--model", "echo", "--kind", "exchange.opened"], 2),
        (["--since", "1h", "--outcome", "completed"], 1),
        (["--until", "2020-01-01"], 0),
        (["--since", "2999-01-01T00:00Z"], 0),
    ],
)
def test_query_filters(gateway: Gateway, write: Write, filters: list[str], found: int) -> None:
    write(opened(1), closed(1), opened(2), closed(2, "blocked"))
    assert len(lines(gateway("audit", "query", "--json", *filters))) == found


def test_query_for_people(gateway: Gateway, write: Write) -> None:
    refused = {"refusal": {"code": "model_not_found"}}
    write(opened(1), closed(1), replace(closed(2, outcome="refused"), core=refused))
    assert "model_not_found" in gateway("audit", "query", "--outcome", "refused").stdout
    text = gateway("audit", "query", "--outcome", "completed").stdout
    for word in ("00000001-exchange", "redact", "EMAIL_ADDRESS x2"):
        assert word in text
    assert "No entry fits." in gateway("audit", "query", "--tenant", "nobody").stdout


def test_bad_time_is_said(gateway: Gateway, ready: Path) -> None:
    assert "Expected a time such as" in gateway("audit", "query", "--since", "soon", code=2).stderr


def test_show_is_one_record(gateway: Gateway, write: Write) -> None:
    write(opened(1), closed(1), opened(2))
    record = value(gateway("audit", "show", "00000001", "--json"))
    assert record["closed"]["outcome"] == "completed"
    assert "decision redact" in gateway("audit", "show", "00000001").stdout
    assert "has no end" in gateway("audit", "show", "00000002").stdout
    assert "no exchange" in gateway("audit", "show", "00000003", code=2).stderr


def test_verify_holds_and_lists_the_unclosed(gateway: Gateway, write: Write) -> None:
    write(opened(1), closed(1), opened(2))
    report = value(gateway("audit", "verify", "--json"))
    assert report["ok"] is True
    assert [each["exchange_id"] for each in report["unclosed"]] == ["00000002-exchange"]
    text = gateway("audit", "verify").stdout
    assert "The log holds." in text
    assert "unclosed exchange 00000002-exchange" in text


def test_verify_fails_on_a_changed_row(gateway: Gateway, write: Write, ready: Path) -> None:
    write(opened(1), closed(1))
    with sqlite3.connect(ready / "gateway.db") as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit_entry SET core = replace(core, 'acme', 'emca')")
    connection.close()
    assert "does not hold" in gateway("audit", "verify", code=1).stdout
    report = value(gateway("audit", "verify", "--json", code=1))
    assert report["ok"] is False
    assert {problem["code"] for problem in report["problems"]} >= {"changed", "column"}


def test_verify_needs_the_keyring(gateway: Gateway, write: Write, ready: Path) -> None:
    write(opened(1))
    (ready / "keyring.json").unlink()
    assert "keyring cannot be read" in gateway("audit", "verify", code=2).stderr
    assert not (ready / "keyring.json").exists()


@pytest.mark.parametrize("option", ["--tenant", "--application", "--team", "--role"])
def test_a_key_is_made_for_names_of_one_line(gateway: Gateway, option: str) -> None:
    done = gateway("keys", "new", "bot", option, "a\nb", code=2)
    assert "no line ends" in done.stderr
