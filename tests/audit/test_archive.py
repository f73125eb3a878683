"""The archive is read back by another program, and comes to the same as SQL."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import text

from gateway.audit import chain
from gateway.audit.archive import Archive
from gateway.audit.archive_place import Folder, place
from gateway.audit.export import Cursor
from gateway.core.errors import ConfigError

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
    list(Archive(Folder(tmp_path)).write(sequenced, Cursor(LOG), before_ms=ALWAYS))
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
    list(Archive(Folder(tmp_path)).write(sequenced, Cursor(LOG), before_ms=ALWAYS))
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
    list(Archive(Folder(tmp_path)).write(sequenced, Cursor(LOG, at), before_ms=ALWAYS))
    assert json.loads(at.read_text()) == {"log": LOG, "next": 30}
    again = Cursor(LOG, at)
    again.load()
    assert list(Archive(Folder(tmp_path)).write(sequenced, again, before_ms=ALWAYS)) == []


def test_what_is_too_young_waits(sequenced: Any, tmp_path: Path) -> None:
    cursor = Cursor(LOG)
    assert list(Archive(Folder(tmp_path)).write(sequenced, cursor, before_ms=1)) == []
    assert cursor.at == 0
    with sequenced.connect() as connection:
        newest = connection.execute(text("SELECT max(ts_ms) FROM audit_entry")).scalar_one()
    written = Archive(Folder(tmp_path)).write(sequenced, cursor, before_ms=newest)
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
    list(Archive(Folder(tmp_path)).write(sequenced, Cursor(LOG), before_ms=ALWAYS))
    assert read(tmp_path, "SELECT count(*) FROM {log} WHERE tenant = 'a/b=c..'") == [(1,)]
    assert {path.parent.parent.parent for path in tmp_path.rglob("*.parquet")} == {tmp_path}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """(address, what is in it as an S3 client sees it), at a server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-store")
    endpoint = f"{host}:{port}"
    client = boto3.client("s3", endpoint_url=f"http://{endpoint}", region_name="us-east-1")
    client.create_bucket(Bucket="audit")
    yield f"s3://audit/log?region=us-east-1&scheme=http&endpoint_override={endpoint}", client
    server.stop()


def test_an_object_store_gets_the_same_files(
    sequenced: Any, tmp_path: Path, bucket: tuple[str, Any]
) -> None:
    at, client = bucket
    list(Archive(Folder(tmp_path)).write(sequenced, Cursor(LOG), before_ms=ALWAYS))
    written = dict(Archive(place(at)).write(sequenced, Cursor(LOG), before_ms=ALWAYS))
    wanted = {str(path.relative_to(tmp_path)): path for path in tmp_path.rglob("*.parquet")}
    assert sorted(written) == sorted(f"s3://audit/log/{name}" for name in wanted)
    for name, path in wanted.items():
        kept = client.get_object(Bucket="audit", Key=f"log/{name}")["Body"].read()
        assert kept == path.read_bytes()


def test_a_store_that_refuses_is_told_of_without_its_words(bucket: tuple[str, Any]) -> None:
    at, _ = bucket
    with pytest.raises(ConfigError, match=r"s3://nowhere/log: x cannot be written") as raised:
        place(at.replace("audit", "nowhere")).put("x", lambda file: file.write(b"1"))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("at", "word"), [("ftp://x/y", "Known: s3://"), ("s3://", "name of a bucket")]
)
def test_what_is_no_place_is_refused(at: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        place(at)
