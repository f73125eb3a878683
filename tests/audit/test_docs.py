"""The page for auditors: its SQL runs, and it names every column and kind of problem."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from gateway import db
from gateway.audit import tables  # noqa: F401  puts the tables on the metadata
from gateway.db import metadata

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")


def statements():
    blocks = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    for statement in "\n".join(blocks).split(";"):
        if statement.strip():
            yield statement.strip()


@pytest.mark.parametrize("statement", list(statements()), ids=lambda s: s[:40].replace("\n", " "))
def test_statement_runs(filled, statement):
    other = {"postgresql": "-- SQLite", "sqlite": "-- PostgreSQL"}[filled.dialect.name]
    if statement.startswith((other, "GRANT")):
        pytest.skip("for another database or role")
    with db.snapshot(filled) as connection:
        list(connection.execute(text(statement.replace("::", "\\:\\:"))))


def test_every_field_is_described(engine):
    for table in (table for name, table in metadata.tables.items() if name.startswith("audit_")):
        assert [c.name for c in table.columns if f"`{c.name}`" not in PAGE] == []
    with db.snapshot(engine) as connection:
        fields = [column["name"] for column in inspect(connection).get_columns("exchange")]
    assert [name for name in fields if f"`{name}`" not in PAGE] == []


def test_every_kind_of_problem_is_explained():
    source = (ROOT / "gateway" / "audit" / "verify.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'Problem\(\s*"([a-z_]+)"', source))
    codes |= set(re.findall(r'yield "([a-z_]+)"', source))
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()
    assert len(codes) > 10
