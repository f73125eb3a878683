from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway import db
from gateway.audit.chain import CLOSED
from gateway.audit.log import AuditLog
from gateway.audit.tables import audit_chain, audit_entry
from gateway.audit.verify import verify
from gateway.core.errors import ConfigError, RecordUnavailable
from gateway.core.ports import Counters

DROPPED = "audit_dropped_total"


def ids(engine, kind):
    with db.snapshot(engine) as connection:
        statement = select(audit_entry.c.exchange_id).where(audit_entry.c.kind == kind)
        return list(connection.execute(statement.order_by(audit_entry.c.n)).scalars())


def test_entries_that_come_together_share_a_commit(engine, audit_log, counters, key, opened):
    async def scenario():
        async with audit_log() as log:
            await asyncio.gather(*(log.append(opened(i)) for i in range(200)))

    asyncio.run(scenario())
    assert counters.values["audit_rows_total"] == 200
    assert counters.values["audit_batches_total"] < 20
    report = verify(engine, key)
    assert report.ok
    assert (report.entries, report.open_chains) == (202, [])


def test_entries_of_one_turn_of_the_loop_share_a_commit(audit_log, counters, opened):
    async def scenario():
        async with audit_log() as log:
            first = log.append(opened(1))
            # The writer could have begun by now.
            time.sleep(0.05)  # noqa: ASYNC251
            await asyncio.gather(first, log.append(opened(2)))

    asyncio.run(scenario())
    assert counters.values["audit_batches_total"] == 1


def test_what_came_in_the_turn_that_closes_the_log_is_written(engine, audit_log, opened):
    async def scenario():
        async with audit_log() as log:
            future = log.append(opened(7))
        await future

    asyncio.run(scenario())
    assert ids(engine, "exchange.opened") == ["00000007-exchange"]


def test_entry_is_durable_when_its_future_is_done(engine, audit_log, opened):
    async def scenario():
        async with audit_log() as log:
            await log.append(opened(7))
            return ids(engine, "exchange.opened")

    assert asyncio.run(scenario()) == ["00000007-exchange"]


def test_full_queue_refuses_at_once(audit_log, opened):
    async def scenario():
        async with audit_log(max_queue=3) as log:
            futures = []
            with pytest.raises(RecordUnavailable, match="full"):
                futures.extend(log.append(opened(number)) for number in range(500))
            await asyncio.gather(*futures)

    asyncio.run(scenario())


def test_outage_refuses_new_exchanges_and_loses_no_closed_ones(
    engine, audit_log, outage, eventually, counters, key, opened, closed
):
    async def scenario():
        async with audit_log(close_wait_s=0.2) as log:
            await asyncio.gather(*(log.append(opened(i)) for i in range(20)))
            async with outage():
                with pytest.raises(RecordUnavailable):
                    await log.append(opened(99))
                assert not log.ready
                with pytest.raises(RecordUnavailable, match="cannot be written"):
                    log.append(opened(100))
                waits = [log.append(closed(i)) for i in range(20)]
                results = await asyncio.gather(*waits, return_exceptions=True)
                assert all(isinstance(result, RecordUnavailable) for result in results)
            await eventually(lambda: log.ready)
            await log.append(opened(101))

    asyncio.run(scenario())
    report = verify(engine, key)
    assert report.ok, report.problems
    assert len(ids(engine, CLOSED)) == 20
    assert [u.exchange_id for u in report.unclosed] == ["00000101-exchange"]
    assert counters.values[DROPPED] == 0


def test_sqlite_file_that_is_lost_is_noticed(sqlite_url, eventually, key, clock, opened):
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    engine = db.open_engine(sqlite_url)

    async def scenario():
        log = AuditLog(engine, key=key, replica="r1", clock=clock, counters=Counters())
        await log.start()
        await log.append(opened(1))
        away = await asyncio.to_thread(path.rename, path.with_suffix(".away"))
        with pytest.raises(RecordUnavailable):
            await log.append(opened(2))
        await asyncio.sleep(0.2)
        assert not await asyncio.to_thread(path.exists)
        await asyncio.to_thread(away.rename, path)
        await eventually(lambda: log.ready)
        await log.append(opened(3))
        await log.aclose()

    asyncio.run(scenario())
    assert ids(engine, "exchange.opened") == ["00000001-exchange", "00000003-exchange"]
    assert verify(engine, key).ok
    engine.dispose()


def test_short_outage_is_seen_by_nobody_who_reports(audit_log, outage, engine, key, opened, closed):
    async def scenario():
        async with audit_log() as log:
            await log.append(opened(1))
            async with outage():
                future = log.append(closed(1))
                await asyncio.sleep(0.1)
                assert not future.done()
            await future

    asyncio.run(scenario())
    assert not verify(engine, key).unclosed


def test_full_backlog_is_the_only_loss_and_is_counted(audit_log, outage, counters, opened, closed):
    async def scenario():
        async with audit_log(max_queue=1, max_backlog=4, close_wait_s=0.1) as log:
            await log.append(opened(1))
            async with outage():
                futures = []
                with pytest.raises(RecordUnavailable, match="was lost"):
                    futures.extend(log.append(closed(number)) for number in range(50))
                await asyncio.gather(*futures, return_exceptions=True)

    asyncio.run(scenario())
    assert counters.values[DROPPED] == 1


def test_shutdown_during_an_outage_counts_what_is_lost(audit_log, outage, counters, opened, closed):
    async def scenario():
        async with audit_log(close_wait_s=0.1, drain_s=0.2) as log:
            await log.append(opened(1))
            async with outage():
                with pytest.raises(RecordUnavailable):
                    await log.append(closed(1))
                await log.aclose()

    asyncio.run(scenario())
    assert counters.values[DROPPED] == 1


def test_shutdown_waits_for_the_database_to_come_back(
    engine, audit_log, outage, key, opened, closed
):
    async def scenario():
        async with audit_log(close_wait_s=0.1) as log:
            await log.append(opened(1))
            async with outage():
                with pytest.raises(RecordUnavailable):
                    await log.append(closed(1))
                ending = asyncio.create_task(log.aclose())
                await asyncio.sleep(0.1)
            await ending

    asyncio.run(scenario())
    report = verify(engine, key)
    assert report.ok
    assert not report.unclosed
    assert not report.open_chains


def test_nothing_is_appended_before_start_or_after_close(audit_log, opened):
    async def scenario():
        async with audit_log() as log:
            await log.aclose()
            with pytest.raises(RecordUnavailable):
                log.append(opened(1))
            assert not log.ready

    asyncio.run(scenario())


def test_start_without_a_database_says_so(audit_log, outage):
    async def scenario():
        async with outage(), audit_log():
            pass

    with pytest.raises(RecordUnavailable, match="cannot be opened"):
        asyncio.run(scenario())


def test_start_with_another_key_is_refused(filled, clock, counters):
    log = AuditLog(filled, key=b"other", replica="r1", clock=clock, counters=counters)
    with pytest.raises(ConfigError, match="sealed with key"):
        asyncio.run(log.start())


def test_chain_that_went_back_in_time_is_told_by_the_next_one(
    engine, audit_log, eventually, key, opened, closed
):
    def forget(connection):
        """As a standby that had not yet received the last commits."""
        for name in ("audit_entry_no_delete",):
            on = " ON audit_entry" if engine.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
        connection.exec_driver_sql("DELETE FROM audit_entry WHERE n > 1")
        connection.execute(audit_chain.update().values(head))

    async def scenario():
        async with audit_log() as log:
            await log.append(opened(1))
            with db.snapshot(engine) as connection:
                row = connection.execute(audit_chain.select()).one()
            head.update(n=row.n, hash=row.hash, mac=row.mac)
            await log.append(closed(1))
            with db.writing(engine) as connection:
                forget(connection)
            with pytest.raises(RecordUnavailable):
                await log.append(opened(2))
            await eventually(lambda: log.ready)
            await log.append(opened(3))

    head: dict[str, object] = {}
    asyncio.run(scenario())
    report = verify(engine, key)
    assert [problem.code for problem in report.problems] == ["truncated"]
    assert report.chains == 2
