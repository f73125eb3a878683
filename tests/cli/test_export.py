"""`gateway audit export` and `archive`, as an operator runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.cli.house import Gateway, closed, lines, opened, value

Write = Callable[..., None]


@pytest.fixture
def logged(gateway: Gateway, write: Write) -> Gateway:
    write(opened(1), closed(1), opened(2))
    gateway("audit", "sequence", "--once")
    return gateway


def test_an_export_goes_to_standard_output(logged: Gateway) -> None:
    kinds = [entry["kind"] for entry in lines(logged("audit", "export"))]
    assert kinds.count("exchange.opened") == 2
    assert kinds[0] == "chain.opened"


def test_an_export_goes_on_where_it_was(logged: Gateway, write: Write, tmp_path: Path) -> None:
    where = ("audit", "export", "--to", "log.jsonl", "--cursor", "at.json")
    first = logged(*where)
    assert first.stdout == ""
    assert "entries delivered" in first.stderr
    write(closed(2))
    logged("audit", "sequence", "--once")
    logged(*where)
    found = [json.loads(row) for row in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["index"] for entry in found] == list(range(len(found)))
    assert sum(entry["kind"] == "exchange.closed" for entry in found) == 2


def test_an_export_is_on_record_itself(logged: Gateway) -> None:
    logged("audit", "export", "--format", "csv")
    (read,) = lines(logged("audit", "query", "--json", "--kind", "access.audit_read"))
    assert read["data"]["as"] == "export"
    assert read["data"]["format"] == "csv"


def test_what_cannot_be_is_said(logged: Gateway, tmp_path: Path) -> None:
    assert "Known: cef, csv" in logged("audit", "export", "--format", "xml", code=2).stderr
    told = logged("audit", "export", "--to", "http://127.0.0.1:9", code=2).stderr
    assert "does not answer" in told
    assert "run it again" in told
    (tmp_path / "at.json").write_text('{"log": "another", "next": 1}')
    assert "of another log" in logged("audit", "export", "--cursor", "at.json", code=2).stderr


def test_an_archive_is_read_by_others(logged: Gateway, tmp_path: Path) -> None:
    done = value(logged("audit", "archive", "cold", "--json"))
    assert done["next"] == done["entries"] > 3
    count = f"SELECT count(*) FROM read_parquet('{tmp_path}/cold/**/*.parquet')"
    with duckdb.connect() as connection:
        assert connection.sql(count).fetchall() == [(done["entries"],)]
    assert value(logged("audit", "archive", "cold", "--json"))["files"] == 0


def test_an_archive_in_a_bucket_needs_a_place_for_its_cursor(logged: Gateway) -> None:
    assert "--cursor FILE" in logged("audit", "archive", "s3://audit/log", code=2).stderr
