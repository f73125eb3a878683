from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway import db
from gateway.audit.tables import audit_entry
from gateway.audit.verify import verify

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def start(database_url, key):
    """Starts a writer process on the test's database; limit 0: until it is killed."""

    def run(replica: str, limit: int = 0) -> subprocess.Popen[str]:
        command = [sys.executable, "tests/audit/crasher.py", database_url, replica, key.decode()]
        return subprocess.Popen(
            [*command, str(limit)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{':'.join(sys.path)}"},
            stdout=subprocess.PIPE,
            text=True,
        )

    return run


def acknowledged(process, lines):
    """The first `lines` (kind, id) it printed, then kills it and reads the rest."""
    said = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return {tuple(line.split()) for line in said if line.endswith("\n")}


def test_kill_in_mid_load_loses_nothing_that_was_durable(engine, key, start):
    said = acknowledged(start("r1"), 300)
    said |= acknowledged(start("r1"), 150)
    report = verify(engine, key)
    assert report.ok, report.problems
    assert len(report.open_chains) == 2
    with db.snapshot(engine) as connection:
        rows = connection.execute(select(audit_entry.c.kind, audit_entry.c.exchange_id)).all()
    there = {(kind.removeprefix("exchange."), name) for kind, name in rows}
    assert said <= there
    unclosed = {name for kind, name in there if kind == "opened"}
    unclosed -= {name for kind, name in there if kind == "closed"}
    assert {entry.exchange_id for entry in report.unclosed} == unclosed


def test_processes_on_one_database_each_keep_their_own_chain(engine, key, start):
    processes = [start(name, 20) for name in ("r1", "r1", "r2")]
    for process in processes:
        assert len(process.stdout.readlines()) == 400
        process.stdout.close()
        assert process.wait() == 0
    report = verify(engine, key)
    assert report.ok, report.problems
    assert (report.chains, report.exchanges, report.unclosed_count) == (3, 600, 0)
    assert not report.open_chains
