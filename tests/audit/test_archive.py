"""The archive is read back by another program, and comes to the same as SQL."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text

from gateway.audit import chain
from gateway.audit.archive import Archive
from gateway.audit.export import Cursor

LOG = "log.example+00000000+AAAA"
ALWAYS = 2**53


@pytest.fixture
def sequenced(filled: Any, sequencer: Any) -> Any:
    made = sequencer()
    while made.round().entries:
        pass
    return filled


def read(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    source = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true)"
    with duckdb.connect() as connection:
        return connection.sql(sql.format(log=source)).fetchall()


def test_totals_are_those_of_sql(sequenced: Any, tmp_path: Path) -> None:
    list(Archive(tmp_path).write(sequenced, Cursor(LOG), before_ms=ALWAYS))
    question = (
        "SELECT kind, outcome, model, count(*) AS n, sum(epoch) AS epochs FROM {log} "
        "GROUP BY kind, outcome, model ORDER BY kind, outcome, model"
    )
    with sequenced.connect() as connection:
        wanted = connection.execute(text(question.format(log="audit_entry"))).all()
    assert read(tmp_path, question) == [tuple(row) for row in wanted]
    assert read(tmp_path, "SELECT count(*) FROM {log} WHERE tenant = 'acme'") == [(24,)]


def test_every_entry_is_there_once_with_the_bytes_that_were_hashed(
    sequenced: Any, tmp_path: Path
) -> None:
    list(Archive(tmp_path).write(sequenced, Cursor(LOG), before_ms=ALWAYS))
    rows = read(tmp_path, 'SELECT "index", core, hash FROM {log} ORDER BY "index"')
    assert [row[0] for row in rows] == list(range(30))
    with sequenced.connect() as connection:
        stored = connection.execute(text("SELECT core, hash, prev FROM audit_entry")).all()
    known = {row.core: (bytes(row.prev), bytes(row.hash).hex()) for row in stored}
    for _, core, digest in rows:
        prev, wanted = known[core]
        assert digest == wanted == chain.entry_hash(prev, core.encode()).hex()


def test_a_second_run_writes_only_what_is_new(sequenced: Any, tmp_path: Path) -> None:
    at = tmp_path / "cursor.json"
    list(Archive(tmp_path).write(sequenced, Cursor(LOG, at), before_ms=ALWAYS))
    assert json.loads(at.read_text()) == {"log": LOG, "next": 30}
    again = Cursor(LOG, at)
    again.load()
    assert list(Archive(tmp_path).write(sequenced, again, before_ms=ALWAYS)) == []


def test_what_is_too_young_waits(sequenced: Any, tmp_path: Path) -> None:
    cursor = Cursor(LOG)
    assert list(Archive(tmp_path).write(sequenced, cursor, before_ms=1)) == []
    assert cursor.at == 0
    with sequenced.connect() as connection:
        newest = connection.execute(text("SELECT max(ts_ms) FROM audit_entry")).scalar_one()
    written = Archive(tmp_path).write(sequenced, cursor, before_ms=newest)
    assert sum(rows for _, rows in written) == cursor.at < 30


def test_a_tenant_with_an_odd_name_has_a_folder_of_its_own(
    sequenced: Any, tmp_path: Path, audit_log: Any, closed: Any, sequencer: Any
) -> None:
    import asyncio

    async def more() -> None:
        async with audit_log() as log:
            await log.append(closed(99, tenant="a/b=c.."))

    asyncio.run(more())
    made = sequencer()
    while made.round().entries:
        pass
    list(Archive(tmp_path).write(sequenced, Cursor(LOG), before_ms=ALWAYS))
    assert read(tmp_path, "SELECT count(*) FROM {log} WHERE tenant = 'a/b=c..'") == [(1,)]
    assert {path.parent.parent.parent for path in tmp_path.rglob("*.parquet")} == {tmp_path}
