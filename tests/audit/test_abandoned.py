"""What a dead process left open is closed once; what only seems so is set right."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import select

from gateway import db
from gateway.audit import abandoned, chain
from gateway.audit.abandoned import INTERRUPTED_TOTAL, Reconciler
from gateway.audit.append import WriteError
from gateway.audit.replay import LATE
from gateway.audit.store import Store
from gateway.audit.tables import audit_entry
from gateway.audit.verify import verify
from gateway.core.errors import RecordUnavailable


@pytest.fixture
def reconciler(engine, key, clock, counters):
    made = []

    def make(after_s=0.2):
        new = Reconciler(engine, key, clock=clock, counters=counters, after_s=after_s, by="r9")
        new._every_s = 0.05
        made.append(new)
        return new

    yield make
    for each in made:
        each.close()


def cores(engine, exchange_id):
    with db.snapshot(engine) as connection:
        statement = select(audit_entry.c.core).where(audit_entry.c.exchange_id == exchange_id)
        found = connection.execute(statement.order_by(audit_entry.c.epoch, audit_entry.c.n))
        return [json.loads(row.core) for row in found]


def left_open(engine, key, opened, count, *, beat_s=1, first=0):
    """The head of a chain whose process has died with so many exchanges open."""
    store = Store(engine, key)
    head = store.open_chain("dead", 5, {"heartbeat_s": beat_s})
    for number in range(first, first + count):
        entry = opened(number)
        texts = (entry.exchange_id, entry.kind, "acme", "app", "k", "m1", "", "")
        rows = chain.rows(head, [(f"id-{number}", 5, texts, chain.data_text(entry.core))])
        store.write(rows, head, head.moved(rows[-1]))
        head = head.moved(rows[-1])
    store.discard()
    return head


def test_dead_chain_is_closed_with_its_exchanges(engine, key, opened, clock):
    head = left_open(engine, key, opened, 3)
    store = Store(engine, key)
    assert abandoned.close(store, head, now_ms=9, by="r9") == 3
    report = verify(engine, key)
    assert report.ok, report.problems
    assert (report.exchanges, report.unclosed_count, report.open_chains) == (3, 0, [])
    closed = cores(engine, "00000001-exchange")[-1]
    assert (closed["kind"], closed["outcome"]) == ("exchange.closed", "interrupted")
    assert closed["data"]["closed_by"] == "r9"
    assert closed["data"]["region"] == "eu"
    with pytest.raises(WriteError):
        abandoned.close(store, head, now_ms=9, by="r8")
    store.discard()


def test_only_a_chain_that_stands_still_is_closed(engine, key, opened, audit_log, reconciler):
    """Three beats without a sign; a living chain moves, one that promised no sign is let be."""
    left_open(engine, key, opened, 2)
    left_open(engine, key, opened, 1, beat_s=0, first=50)

    async def scenario():
        watch = reconciler(after_s=2.0)
        async with audit_log(replica="living", heartbeat_s=1) as log:
            number, closed = 100, 0
            while not closed:
                await log.append(opened(number))
                number += 1
                closed = await asyncio.to_thread(watch.turn)
                await asyncio.sleep(0.05)
            return number, closed

    number, closed = asyncio.run(scenario())
    assert closed == 2
    report = verify(engine, key)
    assert {(each.replica) for each in report.unclosed} == {"dead", "living"}
    assert report.unclosed_count == 1 + number - 100
    assert [name for name, _ in report.open_chains] == ["dead"]


def test_of_many_reconcilers_one_closes(engine, key, opened, reconciler, counters):
    left_open(engine, key, opened, 4)

    async def look(watch):
        while not counters.values[INTERRUPTED_TOTAL]:
            await asyncio.to_thread(watch.turn)
            await asyncio.sleep(0.02)
        await asyncio.to_thread(watch.turn)

    async def scenario():
        watches = [reconciler() for _ in range(3)]
        await asyncio.gather(*(look(watch) for watch in watches))

    asyncio.run(scenario())
    report = verify(engine, key)
    assert report.ok, report.problems
    assert report.unclosed_count == 0
    assert counters.values[INTERRUPTED_TOTAL] == 4


def test_process_that_was_only_silent_goes_on_in_a_new_chain(
    engine, key, opened, closed, audit_log, eventually
):
    async def scenario():
        async with audit_log(replica="dead") as log:
            await log.append(opened(1))
            await log.append(opened(2))
            await log.append(closed(2))
            head = log._tail.head
            store = Store(engine, key)
            await asyncio.to_thread(abandoned.close, store, head, now_ms=9, by="r9")
            store.discard()
            with pytest.raises(RecordUnavailable):
                await log.append(opened(3))
            await eventually(lambda: log.ready)
            await log.append(closed(1))
            await log.append(opened(4))
            await log.append(closed(4))

    asyncio.run(scenario())
    report = verify(engine, key)
    assert report.ok, report.problems
    assert (report.chains, report.exchanges, report.unclosed_count) == (2, 3, 0)
    kinds = [core["kind"] for core in cores(engine, "00000001-exchange")]
    assert kinds == ["exchange.opened", "exchange.closed", LATE]


def test_outage_makes_nobody_look_dead(engine, key, opened, reconciler, outage):
    left_open(engine, key, opened, 1)
    watch = reconciler(after_s=1000)
    watch.turn()

    async def scenario():
        async with outage():
            watch._last -= 1
            with pytest.raises(WriteError):
                watch.turn()

    asyncio.run(scenario())
    watch._last -= 10_000
    assert watch.turn() == 0


def test_refused_although_written_is_closed(engine, key, audit_log, opened, eventually):
    """The commit is too late for who waits, and happens all the same."""

    async def scenario():
        async with audit_log(open_wait_s=0.001) as log:
            with db.writing(engine) as busy:
                if busy.dialect.name == "postgresql":
                    busy.exec_driver_sql("LOCK TABLE audit_entry IN EXCLUSIVE MODE")
                future = log.append(opened(1))
                with pytest.raises(RecordUnavailable):
                    await future
            await eventually(lambda: len(cores(engine, "00000001-exchange")) == 2)

    asyncio.run(scenario())
    closed = cores(engine, "00000001-exchange")[-1]
    assert (closed["outcome"], closed["data"]["error"]) == ("refused", "record_unavailable")
    assert verify(engine, key).unclosed_count == 0
