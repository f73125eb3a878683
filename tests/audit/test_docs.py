"""The page for auditors: its SQL runs, and it names every column and kind of problem."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from gateway import db
from gateway.audit import (
    schema,
    tables,  # noqa: F401  puts the tables on the metadata
    verifier,
)
from gateway.audit.report import Report
from gateway.db import metadata

ROOT = Path(__file__).parent.parent.parent
EVIDENCE = (ROOT / "docs" / "audit-evidence.md").read_text(encoding="utf-8")
KEEPING = (ROOT / "docs" / "audit-keeping.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")


def statements():
    blocks = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    for statement in "\n".join(blocks).split(";"):
        if statement.strip():
            yield statement.strip()


@pytest.mark.parametrize("statement", list(statements()), ids=lambda s: s[:40].replace("\n", " "))
def test_statement_runs(filled, statement):
    other = {"postgresql": "-- SQLite", "sqlite": "-- PostgreSQL"}[filled.dialect.name]
    if statement.startswith((other, "GRANT", "CREATE INDEX")):
        pytest.skip("for another database or role")
    with db.snapshot(filled) as connection:
        list(connection.execute(text(statement.replace("::", "\\:\\:"))))


def test_indexes_may_be_built_before_the_migration(empty_postgres_url, migrations):
    db.upgrade(empty_postgres_url, migrations, "0011")
    plain = create_engine(db.normalise(empty_postgres_url), isolation_level="AUTOCOMMIT")
    with plain.connect() as connection:
        for statement in statements():
            if statement.startswith("CREATE INDEX"):
                connection.exec_driver_sql(statement)
    plain.dispose()
    db.upgrade(empty_postgres_url, migrations)
    engine, report = db.open_engine(empty_postgres_url), Report()
    schema.compare(engine, migrations, report)
    engine.dispose()
    assert (report.problems, report.unchecked) == ([], [])


def test_every_field_is_described(engine):
    for table in (table for name, table in metadata.tables.items() if name.startswith("audit_")):
        assert [c.name for c in table.columns if f"`{c.name}`" not in PAGE] == []
    with db.snapshot(engine) as connection:
        fields = [column["name"] for column in inspect(connection).get_columns("exchange")]
    assert [name for name in fields if f"`{name}`" not in PAGE] == []


def test_every_kind_of_problem_is_explained():
    codes = set()
    for name in ("verify", "verify_range", "verify_tree", "verify_payloads", "schema"):
        source = (ROOT / "gateway" / "audit" / f"{name}.py").read_text(encoding="utf-8")
        codes |= set(re.findall(r'(?:Problem|_blame)\(\s*"([a-z_]+)"', source))
        codes |= set(re.findall(r'(?:yield|return|changed =) "([a-z_]+)"', source))
    assert {code for code in codes if f"`{code}`" not in PAGE + EVIDENCE + KEEPING} == set()
    assert len(codes) > 20


def test_the_verifier_says_of_the_example_what_the_page_shows():
    command, _, output = re.findall(r"\$ python3 (.*?)```", EVIDENCE, re.DOTALL)[0].partition(
        "\nlog "
    )
    words = command.replace("\\\n", " ").replace("verifier.py", verifier.__file__).split()
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT / "docs", capture_output=True, text=True, check=True
    )
    assert done.stdout == f"log {output}"
