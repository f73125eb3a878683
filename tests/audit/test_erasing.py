"""Erasure against those who write, and against holds, that are under way at the same moment."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, Transaction, select, text

from gateway import db
from gateway.audit import chain, erasing, holds
from gateway.audit.custody import Actor, Custodian, OnHold
from gateway.audit.holds import Hold
from gateway.audit.sealing import Kept, KeyRow, PayloadRow
from gateway.audit.spool import Spool
from gateway.audit.store import Store
from gateway.audit.tables import audit_entry, audit_payload, audit_payload_key
from gateway.audit.verify import verify
from gateway.core.keeping import Payload
from gateway.core.ports import Entry

BY = Actor("dpo@example.org", "her request of May 4", "cli")
WAITS_S = 0.3
DAY_MS = 24 * 60 * 60 * 1_000
ACTS = {
    "erase": lambda at: at.erase(BY, tenant="acme", subject="anna"),
    "expire": lambda at: at.expire(BY, {"default": 1}),
}
HOLD = Hold("h1", "acme", "anna", "", "case 17", "legal", 1)


class Shifted:
    """A clock that is ahead by so much."""

    def __init__(self, clock: Any, ms: int) -> None:
        self._clock, self._ms = clock, ms

    def now_ms(self) -> int:
        return int(self._clock.now_ms() + self._ms)

    def monotonic_ms(self) -> float:
        return float(self._clock.monotonic_ms())


@pytest.fixture
def custodian(engine: Any, clock: Any) -> Callable[..., Custodian]:
    """One whose entries go nowhere, so that nothing but its own transaction waits."""

    def make(ms: int = 0) -> Custodian:
        return Custodian(engine, lambda _entry: None, Shifted(clock, ms), flush_s=0.1)

    return make


@pytest.fixture
def with_text(closed: Any) -> Callable[..., Entry]:
    def make(number: int, subject: str = "anna") -> Entry:
        entry = closed(number)
        entry.core["subject"] = subject
        return replace(entry, payload=Payload(subject, "default", b'{"v": 1, "text": "hello"}'))

    return make


def row_of(at_ms: int, name: str = "k1") -> tuple[KeyRow, PayloadRow]:
    """A first text of anna's and its key, made at that time, as an appender writes them."""
    key = KeyRow(name, "acme", "anna", "2026-11", "first", at_ms, b"wrapped")
    return key, PayloadRow(name, "x", "acme", "anna", "default", name, at_ms, b"sealed")


def insert(connection: Connection, key: KeyRow, payload: PayloadRow | None = None) -> None:
    connection.execute(audit_payload_key.insert().values(key._asdict()))
    if payload is not None:
        connection.execute(audit_payload.insert().values(payload._asdict()))


def kept(engine: Any) -> tuple[int, int]:
    """(payloads, keys) that are there."""
    with db.snapshot(engine) as connection:
        payloads = connection.execute(select(audit_payload.c.entry_id)).all()
        keys = connection.execute(select(audit_payload_key.c.key_id)).all()
    return len(payloads), len(keys)


def ended(engine: Any) -> int:
    """How many exchanges have their closing entry."""
    with db.snapshot(engine) as connection:
        found = select(audit_entry.c.entry_id).where(audit_entry.c.kind == "exchange.closed")
        return len(connection.execute(found).all())


def behind(ours: Transaction, act: Callable[[], Any]) -> Any:
    """What `act` returns, which does not end before this transaction."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(act)
        with pytest.raises(TimeoutError):
            future.result(timeout=WAITS_S)
        ours.commit()
        return future.result(timeout=20)


def test_who_is_just_writing_a_first_text_is_waited_for_and_it_goes(
    engine: Any, clock: Any, custodian: Any
) -> None:
    with engine.connect() as connection, connection.begin() as ours:
        insert(connection, *row_of(clock.now_ms()))
        gone = behind(ours, lambda: ACTS["erase"](custodian()))
    assert (gone.payloads, gone.keys) == (1, 1)
    assert kept(engine) == (0, 0)


def test_a_first_text_that_comes_during_an_erasure_waits_and_is_not_kept(
    engine: Any, audit_log: Any, with_text: Any, clock: Any, counters: Any
) -> None:
    async def run() -> None:
        async with audit_log() as log:
            with db.writing(engine) as connection:
                erasing.erase(connection, "acme", "anna", clock.now_ms())
                waiting = log.append(with_text(1))
                await asyncio.sleep(WAITS_S)
                assert not waiting.done()
            await waiting
            await log.append(with_text(2, "bert"))

    asyncio.run(run())
    assert kept(engine) == (1, 1)
    assert ended(engine) == 2
    assert counters.values["audit_commit_failures_total"] == 0


@pytest.mark.parametrize(
    ("tenant", "subject", "made_ms", "let_in"),
    [
        ("acme", "anna", 0, False),
        ("acme", "anna", erasing.AHEAD_MS, False),
        ("acme", "anna", erasing.AHEAD_MS + 1, True),
        ("acme", "bert", 0, True),
        ("other", "anna", 0, True),
    ],
)
def test_a_key_made_before_an_erasure_is_not_let_in_after_it(
    engine: Any, tenant: str, subject: str, made_ms: int, let_in: bool
) -> None:
    erased_ms = 1_000_000
    with db.writing(engine) as connection:
        erasing.erase(connection, "acme", "anna", erased_ms)
        # One by a clock that is behind takes nothing back.
        erasing.erase(connection, "acme", "anna", erased_ms - 1_000)
    key, _ = row_of(erased_ms + made_ms)
    with db.writing(engine) as connection:
        insert(connection, key._replace(tenant=tenant, subject=subject))
    assert kept(engine) == (0, int(let_in))


def test_what_comes_from_a_spool_after_the_erasure_is_not_kept(
    engine: Any, audit_log: Any, with_text: Any, custodian: Any, tenant_keys: Any, key: bytes,
    outage: Any, tmp_path: Any,
) -> None:  # fmt: skip
    def spool() -> Spool:
        return Spool(tmp_path / "spool", key, max_bytes=1 << 20)

    async def spooled() -> None:
        ours = spool()
        async with audit_log(spool=ours) as log:
            await log.append(with_text(1, "bert"))
            async with outage():
                await log.append(with_text(2))
                await log.append(with_text(3, "bert"))
                await log.aclose()
        os.close(ours._file)

    async def drained() -> None:
        async with audit_log(spool=spool()) as log:
            assert ended(engine) == 3
            data = {"subject": "anna", "payloads": 0, "keys": 0}
            await log.append(Entry("", "subject.erased", data, tenant="acme"))

    asyncio.run(spooled())
    engine.dispose()
    custodian().erase(BY, tenant="acme", subject="anna")
    asyncio.run(drained())
    assert kept(engine) == (2, 1)
    assert verify(engine, key, tenant_keys=tenant_keys).problems == []


def test_what_somebody_writes_later_is_kept_again(
    engine: Any, audit_log: Any, with_text: Any, custodian: Any
) -> None:
    async def run() -> None:
        async with audit_log(look_s=0.0) as log:
            await log.append(with_text(1))
            erase = custodian(-DAY_MS).erase
            await asyncio.to_thread(erase, BY, tenant="acme", subject="anna")
            assert kept(engine) == (0, 0)
            await log.append(with_text(2))

    asyncio.run(run())
    assert kept(engine) == (1, 1)


@pytest.mark.parametrize("act", ACTS)
def test_a_hold_that_is_just_being_placed_is_waited_for_and_counts(
    engine: Any, custodian: Any, act: str
) -> None:
    with db.writing(engine) as connection:
        insert(connection, *row_of(1))
    refused = pytest.raises(OnHold, match="h1") if act == "erase" else nullcontext()
    with engine.connect() as connection, connection.begin() as ours, refused:
        holds.insert(connection, HOLD)
        behind(ours, lambda: ACTS[act](custodian()))
    assert kept(engine) == (1, 1)


def test_an_erasure_that_a_hold_stops_late_is_taken_back_on_record(
    engine: Any, audit_log: Any, with_text: Any, clock: Any, tenant_keys: Any, key: bytes
) -> None:
    async def write(entry: Entry) -> None:
        async with audit_log() as log:
            await log.append(entry)

    def record(entry: Entry) -> None:
        asyncio.run(write(entry))
        if entry.kind == "subject.erased":
            with db.writing(engine) as connection:
                holds.insert(connection, HOLD)

    record(with_text(1))
    at = Custodian(engine, record, clock, flush_s=0.1)
    with pytest.raises(OnHold, match="h1"):
        at.erase(BY, tenant="acme", subject="anna")
    entry = audit_entry.c
    with db.snapshot(engine) as connection:
        said = select(entry.core).where(entry.kind.like("subject.%")).order_by(entry.n, entry.epoch)
        erased, refused = (json.loads(row.core) for row in connection.execute(said))
    assert (erased["kind"], refused["kind"]) == ("subject.erased", "subject.erasure_refused")
    assert refused["data"]["erasure"] == erased["data"]["erasure"]
    assert (refused["data"]["holds"], refused["data"]["subject"]) == (["h1"], "anna")
    at.lift(BY, "h1")
    assert kept(engine) == (1, 1)
    assert verify(engine, key, tenant_keys=tenant_keys).problems == []


def test_a_hold_is_not_in_force_before_an_erasure_under_way_has_ended(
    engine: Any, custodian: Any, clock: Any
) -> None:
    at = custodian()
    with engine.connect() as connection, connection.begin() as ours:
        holds.freeze(connection)
        erasing.erase(connection, "acme", "anna", clock.now_ms())
        hold = behind(ours, lambda: at.place(BY, tenant="acme", subject="anna"))
    assert at.holds() == [hold]


def test_who_writes_with_an_old_and_a_new_key_and_who_erases_do_not_wait_for_each_other(
    postgres_url: str, key: bytes
) -> None:
    engine = db.open_engine(postgres_url)
    store = Store(engine, key)
    head = store.open_chain("r1", 5, {})
    (old, _), (new, last) = row_of(5), row_of(6, "k2")
    with db.writing(engine) as connection:
        insert(connection, old)
    texts = ("x", "exchange.closed", "acme", "app", "k", "m1", "", "")
    rows = chain.rows(head, [(name, 6, texts, "{}") for name in ("k1", "k2")])
    both = [Kept(last._replace(entry_id="k1", key_id="k1"), None), Kept(last, new)]
    with engine.connect() as connection, connection.begin() as ours:
        connection.execute(text("SELECT pg_advisory_xact_lock(audit_lock_subject('acme', 'anna'))"))
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(store.write, rows, head, head.moved(rows[-1]), both)
            with pytest.raises(TimeoutError):
                writing.result(timeout=WAITS_S)
            assert erasing.erase(connection, "acme", "anna", 7).keys == 1
            ours.commit()
            writing.result(timeout=20)
    store.discard()
    assert kept(engine) == (0, 0)
    engine.dispose()
