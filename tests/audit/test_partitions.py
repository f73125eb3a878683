"""The log's months on PostgreSQL: made ahead, attached online, guarded each, and pruned."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from gateway import db, grants
from gateway.audit import partitions, questions
from gateway.audit.log import AuditLog
from gateway.audit.month_watch import MonthWatch
from gateway.audit.report import Report
from gateway.audit.schema import compare
from gateway.audit.sequencer import Sequencer, signer
from gateway.audit.verify import verify
from gateway.core.errors import ConfigError
from gateway.core.ports import Counters
from gateway.grants import Rights

DAY_MS = 86_400_000
NOV_2026_MS = 1_793_491_200_000
BEFORE = "0014"


class Clock:
    """Says what it is told to say."""

    def __init__(self, now_ms: int) -> None:
        self.at_ms = now_ms

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic_ms(self) -> float:
        return 0.0


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Engine]:
    engine = db.open_engine(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture
def write(key: bytes, opened: Any, closed: Any) -> Callable[..., None]:
    """Appends so many exchanges at a time."""

    def append(engine: Engine, *times_ms: int, clock: Clock | None = None) -> None:
        at = clock or Clock(times_ms[0])

        async def run() -> None:
            log = AuditLog(engine, key=key, replica="r1", clock=at, counters=Counters())
            await log.start()
            for now_ms in times_ms:
                at.at_ms = now_ms
                number = now_ms // 1000 % 10**8
                await log.append(opened(number))
                await log.append(closed(number))
            await log.aclose()

        asyncio.run(run())

    return append


def _last(engine: Engine) -> partitions.Partition:
    return [each for each in partitions.partitions(engine) if not each.default][-1]


def _problems(engine: Engine, migrations: Path) -> set[tuple[str, str]]:
    report = Report()
    compare(engine, migrations, report)
    return {(each.code, each.message.split(" is ")[0]) for each in report.problems}


def _holding(engine: Engine) -> dict[str, int]:
    """Partition -> how many entries are in it."""
    with db.snapshot(engine) as connection:
        rows = connection.execute(
            text("SELECT CAST(tableoid AS regclass), count(*) FROM audit_entry GROUP BY 1")
        ).all()
    return {str(name): count for name, count in rows}


def test_months_are_made_ahead_without_a_gap(postgres: Engine, migrations: Path) -> None:
    end = _last(postgres).until_ms
    assert end is not None
    made = partitions.add_months(postgres, ahead=3, now_ms=end)
    found = partitions.partitions(postgres)
    assert len(made) == 4
    assert [each.until_ms for each in found[:-2]] == [each.since_ms for each in found[1:-1]]
    assert found[-1].default
    assert partitions.add_months(postgres, ahead=3, now_ms=end) == []
    assert _problems(postgres, migrations) == set()


def test_an_entry_without_a_month_is_kept_warned_of_and_given_one(
    postgres: Engine, write: Callable[..., None], key: bytes, migrations: Path
) -> None:
    end = _last(postgres).until_ms or 0
    write(postgres, end + DAY_MS, end + 40 * DAY_MS)
    assert list(_holding(postgres)) == ["audit_entry_default"]
    assert "default partition" in partitions.caution(postgres, end)
    made = partitions.add_months(postgres, ahead=1, now_ms=end + 40 * DAY_MS)
    assert _holding(postgres) == {made[0]: 6}
    assert partitions.caution(postgres, end + 40 * DAY_MS) == ""
    assert verify(postgres, key).ok
    assert _problems(postgres, migrations) == set()


@pytest.mark.parametrize(("days", "warns"), [(32, False), (30, True), (-1, True)])
def test_less_than_a_month_ahead_is_warned_of(postgres: Engine, days: int, warns: bool) -> None:
    now_ms = (_last(postgres).until_ms or 0) - days * DAY_MS
    assert ("ends in" in partitions.caution(postgres, now_ms)) is warns


def test_the_watch_says_so_too(postgres: Engine, eventually: Any) -> None:
    async def look() -> None:
        watch = MonthWatch(postgres, clock=Clock(_last(postgres).until_ms or 0))
        watch.start()
        await eventually(lambda: "ends in 0 days" in watch.caution)
        await watch.aclose()

    asyncio.run(look())


def test_a_chain_goes_on_over_the_months_and_verifies(
    postgres: Engine, write: Callable[..., None], key: bytes, log_key: Any
) -> None:
    end = _last(postgres).until_ms or 0
    partitions.add_months(postgres, ahead=2, now_ms=end)
    write(postgres, end - 60_000, end - 1, end, end + 35 * DAY_MS)
    assert len(_holding(postgres)) == 3
    sequencer = Sequencer(postgres, key=key, signer=signer(key, ""), clock=Clock(end))
    assert sequencer.round().entries == 10
    report = verify(postgres, key, log_key=log_key)
    assert (report.ok, report.tree_size, report.exchanges) == (True, 10, 4)


@pytest.mark.parametrize("verb", ["UPDATE {} SET n = n", "DELETE FROM {}", "TRUNCATE {}"])
def test_every_partition_refuses_what_the_log_does(postgres: Engine, verb: str) -> None:
    partitions.add_months(postgres, ahead=3, now_ms=_last(postgres).until_ms or 0)
    for name in ("audit_entry", *(each.name for each in partitions.partitions(postgres))):
        with pytest.raises(ProgrammingError, match="append-only"), db.writing(postgres) as to:
            to.exec_driver_sql(verb.format(name))


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TRIGGER audit_entry_no_update ON audit_entry_first",
        "ALTER TABLE audit_entry_default DISABLE TRIGGER audit_entry_no_delete",
        "ALTER TABLE audit_entry_first DROP CONSTRAINT audit_entry_first_pkey",
        (
            "CREATE TRIGGER quiet BEFORE INSERT ON audit_entry_first FOR EACH ROW "
            "EXECUTE FUNCTION audit_refuse()"
        ),
    ],
)
def test_what_was_done_to_one_partition_is_found(
    postgres: Engine, migrations: Path, sql: str
) -> None:
    with db.writing(postgres) as connection:
        connection.exec_driver_sql(sql)
    ((code, what),) = _problems(postgres, migrations)
    assert (code, what[:22]) == ("schema_changed", "partition audit_entry_")


def test_a_place_is_taken_once_within_a_partition(
    postgres: Engine, write: Callable[..., None]
) -> None:
    write(postgres, NOV_2026_MS)
    columns = "replica, epoch, n, entry_id, ts_ms, exchange_id, kind, tenant, application, key_id"
    rest = "model, provider, outcome, core, prev, hash"
    again = f"INSERT INTO audit_entry SELECT {columns}, {rest} FROM audit_entry LIMIT 1"
    with pytest.raises(DBAPIError, match="duplicate key"), db.writing(postgres) as connection:
        connection.exec_driver_sql(again)


def test_the_writers_role_writes_to_all_and_makes_none(
    postgres: Engine, write: Callable[..., None]
) -> None:
    role = f"{postgres.url.database}_role"
    grants.grant(postgres, role, Rights.WRITER)
    writer = db.open_engine(postgres.url.set(username=role).render_as_string(hide_password=False))
    end = _last(postgres).until_ms or 0
    write(writer, end - 1, end + 1)
    assert len(_holding(writer)) == 2
    assert "default partition" in partitions.caution(writer, end)
    with pytest.raises(ConfigError, match="belong to"):
        partitions.add_months(writer, ahead=1, now_ms=end)
    writer.dispose()
    with db.writing(postgres) as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_filled_log_becomes_partitioned_under_a_writer_and_goes_back(
    empty_postgres_url: str, migrations: Path, key: bytes, opened: Any, closed: Any, clock: Any
) -> None:
    url = empty_postgres_url
    db.upgrade(url, migrations, BEFORE)
    engine = db.open_engine(url)
    with db.writing(engine) as connection:
        connection.exec_driver_sql("CREATE VIEW mine AS SELECT n FROM audit_entry")
        connection.exec_driver_sql("GRANT SELECT (model, core) ON audit_entry TO pg_monitor")
        connection.exec_driver_sql("GRANT SELECT ON exchange TO pg_monitor")

    async def run() -> int:
        log = AuditLog(engine, key=key, replica="r1", clock=clock, counters=Counters())
        await log.start()
        written, done = 0, False

        async def lane() -> None:
            nonlocal written
            while not done:
                await log.append(opened(written))
                await log.append(closed(written))
                written += 1

        task = asyncio.create_task(lane())
        for step in (db.upgrade, lambda *_: db.downgrade(url, migrations, BEFORE), db.upgrade):
            before = written
            await asyncio.to_thread(step, url, migrations)
            while written < before + 5:
                assert not task.done()
                await asyncio.sleep(0.01)
        done = True
        await task
        await log.aclose()
        return written

    written = asyncio.run(run())
    report = verify(engine, key)
    assert (report.ok, report.exchanges, report.unclosed_count) == (True, written, 0)
    assert _problems(engine, migrations) == set()
    with db.snapshot(engine) as connection:
        one = connection.execute(text("SELECT count(*) FROM mine")).scalar_one()
        assert one == sum(_holding(engine).values())
        kept = "SELECT has_column_privilege('pg_monitor', 'audit_entry', 'core', 'SELECT'), "
        kept += "has_table_privilege('pg_monitor', 'exchange', 'SELECT'), "
        kept += "has_any_column_privilege('pg_monitor', 'audit_entry_first', 'SELECT')"
        assert connection.execute(text(kept)).one() == (True, True, False)
    engine.dispose()


def _subject_indexes(engine: Engine) -> dict[int, tuple[str, bool, bool]]:
    """Index -> of which table, whether it is valid, whether it belongs to that of the whole log."""
    sql = """
        SELECT i.indexrelid, CAST(CAST(i.indrelid AS regclass) AS text), i.indisvalid,
            EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = i.indexrelid)
        FROM pg_index i WHERE pg_get_expr(i.indexprs, i.indrelid) LIKE '%data,subject%'"""
    with db.snapshot(engine) as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(text(sql))}


def test_whom_entries_concern_is_indexed_beside_a_writer_and_no_longer(
    empty_postgres_url: str, migrations: Path, write: Callable[..., None], key: bytes
) -> None:
    url = empty_postgres_url
    db.upgrade(url, migrations, "0016")
    engine = db.open_engine(url)
    write(engine, NOV_2026_MS)
    with engine.connect() as connection, connection.begin():
        # Somebody writes and is waited for, but nobody waits behind that.
        connection.exec_driver_sql("LOCK TABLE audit_entry IN ROW EXCLUSIVE MODE")
        with ThreadPoolExecutor(3) as pool:
            many = [pool.submit(db.upgrade, url, migrations, "0017") for _ in range(3)]
            with pytest.raises(TimeoutError):
                many[0].result(timeout=0.5)
            write(engine, NOV_2026_MS + DAY_MS)
            connection.commit()
            for each in many:
                each.result(timeout=60)
    found = _subject_indexes(engine)
    tables = {"audit_entry", "audit_entry_first", "audit_entry_default"}
    assert {table for table, *_ in found.values()} >= tables
    assert all(
        valid and (of_all or table == "audit_entry") for table, valid, of_all in found.values()
    )
    assert questions.ask(engine, questions.named("subject"), subject="anna").rows == []
    db.downgrade(url, migrations, "0016")
    assert _subject_indexes(engine) == {}
    write(engine, NOV_2026_MS + 2 * DAY_MS)
    db.upgrade(url, migrations)
    assert verify(engine, key).exchanges == 3
    assert _problems(engine, migrations) == set()
    engine.dispose()


def test_times_by_kind_are_indexed_beside_a_writer(
    empty_postgres_url: str, migrations: Path, write: Callable[..., None]
) -> None:
    url = empty_postgres_url
    db.upgrade(url, migrations, "0011")
    engine = db.open_engine(url)
    write(engine, NOV_2026_MS)
    with db.writing(engine) as connection:
        connection.exec_driver_sql(
            "CREATE INDEX ix_audit_entry_act_ts_ms ON audit_entry (ts_ms) WHERE false"
        )
        connection.exec_driver_sql(
            "UPDATE pg_index SET indisvalid = false "
            "WHERE indexrelid = CAST('ix_audit_entry_act_ts_ms' AS regclass)"
        )
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("LOCK TABLE audit_entry IN ROW EXCLUSIVE MODE")
        with ThreadPoolExecutor(1) as pool:
            upgraded = pool.submit(db.upgrade, url, migrations, "0012")
            with pytest.raises(TimeoutError):
                upgraded.result(timeout=0.5)
            write(engine, NOV_2026_MS + DAY_MS)
            connection.commit()
            upgraded.result(timeout=60)
    kinds = (
        "SELECT c.relname, i.indisvalid, pg_get_expr(i.indpred, i.indrelid) LIKE '%%kind%%' "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE 'ix%%_ts_ms' "
        "AND i.indpred IS NOT NULL"
    )
    with db.snapshot(engine) as connection:
        found = {tuple(row) for row in connection.exec_driver_sql(kinds)}
    names = ("opened", "closed", "act")
    assert found == {(f"ix_audit_entry_{name}_ts_ms", True, True) for name in names}
    db.upgrade(url, migrations)
    assert _problems(engine, migrations) == set()
    engine.dispose()


def test_an_index_that_was_broken_off_is_built_anew_and_taken_as_it_is(
    empty_postgres_url: str, migrations: Path, write: Callable[..., None]
) -> None:
    db.upgrade(empty_postgres_url, migrations, "0016")
    engine = db.open_engine(empty_postgres_url)
    write(engine, NOV_2026_MS)
    build = "CREATE INDEX {} ON {} ((CAST(core AS json) #>> '{{data,subject}}'), ts_ms)"
    with db.writing(engine) as connection:
        connection.exec_driver_sql(build.format("half", "audit_entry_default"))
        connection.exec_driver_sql(build.format("done", "audit_entry_first"))
        connection.exec_driver_sql(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST('half' AS regclass)"
        )
    (done,) = (each for each, of in _subject_indexes(engine).items() if of[0].endswith("first"))
    db.upgrade(empty_postgres_url, migrations)
    found = _subject_indexes(engine)
    assert found[done] == ("audit_entry_first", True, True)
    with db.snapshot(engine) as connection:
        assert connection.execute(text("SELECT to_regclass('half')")).scalar_one() is None
    assert all(valid for _, valid, _ in found.values())
    engine.dispose()


def test_a_bound_that_was_said_long_ago_is_said_anew(
    empty_postgres_url: str, migrations: Path
) -> None:
    db.upgrade(empty_postgres_url, migrations, BEFORE)
    engine = db.open_engine(empty_postgres_url)
    stale = (
        "ALTER TABLE audit_entry ADD CONSTRAINT ck_audit_entry_first CHECK (ts_ms < 1700000000000)"
    )
    with db.writing(engine) as connection:
        connection.exec_driver_sql(stale)
    db.upgrade(empty_postgres_url, migrations)
    assert (_last(engine).until_ms or 0) > 1_790_000_000_000
    engine.dispose()


def test_a_materialized_view_is_asked_to_go_first(
    empty_postgres_url: str, migrations: Path
) -> None:
    db.upgrade(empty_postgres_url, migrations, BEFORE)
    engine = db.open_engine(empty_postgres_url)
    with db.writing(engine) as connection:
        connection.exec_driver_sql("CREATE MATERIALIZED VIEW m AS SELECT n FROM audit_entry")
    with pytest.raises(ConfigError, match="follow it: m"):
        db.upgrade(empty_postgres_url, migrations)
    assert db.current(empty_postgres_url) == BEFORE
    engine.dispose()


@pytest.mark.parametrize("name", questions.saved())
def test_a_question_for_a_time_reads_no_month_before(postgres: Engine, name: str) -> None:
    end = _last(postgres).until_ms or 0
    made = partitions.add_months(postgres, ahead=3, now_ms=end)
    given = {"since_ms": end + 62 * DAY_MS, "until_ms": end + 70 * DAY_MS, "tenant": ""}
    sql = text(f"EXPLAIN {questions.saved()[name].sql}")
    if ":subject" in sql.text:
        given["subject"] = ""
    with postgres.begin() as connection:
        plan = "\n".join(connection.execute(sql, given).scalars())
    read = set(re.findall(r" on (audit_entry\w*)", plan))
    assert made[2] in read, plan
    assert not read & {"audit_entry_first", *made[:2]}, plan
