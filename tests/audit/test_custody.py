"""Erased is gone: from the tables, the database's file and its write-ahead log; the log holds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway import db
from gateway.audit import verifier
from gateway.audit.concerning import concerning
from gateway.audit.custody import Actor, Custodian, OnHold
from gateway.audit.prove import prove
from gateway.audit.tables import audit_entry, audit_payload, audit_payload_key
from gateway.audit.verify import verify
from gateway.core.errors import ConfigError, RecordUnavailable
from gateway.core.keeping import Payload
from gateway.core.ports import Entry

BY = Actor("dpo@example.org", "her request of May 4", "cli")
DOCUMENT = json.dumps({"v": 1, "text": "the quick zanzibar jumps " * 400}).encode()
DAY_MS = 24 * 60 * 60 * 1_000


class Later:
    """So many days from now."""

    def __init__(self, clock: Any, days: int = 0) -> None:
        self.clock, self.days = clock, days

    def now_ms(self) -> int:
        return int(self.clock.now_ms() + self.days * DAY_MS)

    def monotonic_ms(self) -> float:
        return float(self.clock.monotonic_ms())


@pytest.fixture
def write(audit_log: Any) -> Callable[..., None]:
    def run(*entries: Entry, **how: Any) -> None:
        async def append() -> None:
            async with audit_log(**how) as log:
                for entry in entries:
                    await log.append(entry)

        asyncio.run(append())

    return run


@pytest.fixture
def custodian(engine: Any, write: Any, clock: Any) -> Callable[..., Custodian]:
    def make(days: int = 0, **how: Any) -> Custodian:
        record = lambda entry: write(entry, replica="cli")  # noqa: E731
        return Custodian(engine, record, Later(clock, days), **how)

    return make


@pytest.fixture
def filled(write: Any, opened: Any, closed: Any, engine: Any) -> list[bytes]:
    """Two exchanges of anna's and one of bert's; what must be gone of anna's."""
    entries = []
    for number, subject, retention in (
        (1, "anna", "default"),
        (2, "anna", "long"),
        (3, "bert", "default"),
    ):
        first, last = opened(number), closed(number)
        last = replace(last, payload=Payload(subject, retention, DOCUMENT))
        last.core["subject"] = first.core["subject"] = subject
        entries += [first, last]
    write(*entries)
    return [bytes(row) for row in secrets(engine, "anna")]


def secrets(engine: Any, subject: str) -> list[Any]:
    """The sealed texts and wrapped keys of somebody, as they stand in the tables."""
    with db.snapshot(engine) as connection:
        return [
            value
            for table, column in ((audit_payload, "sealed"), (audit_payload_key, "wrapped"))
            for value in connection.execute(
                select(table.c[column]).where(table.c.subject == subject)
            ).scalars()
        ]


def kinds(engine: Any) -> list[str]:
    with db.snapshot(engine) as connection:
        found = select(audit_entry.c.kind).order_by(audit_entry.c.ts_ms, audit_entry.c.entry_id)
        return list(connection.execute(found).scalars())


def in_files(engine: Any, secret: bytes) -> bool:
    """Whether a long enough piece of it stands anywhere in the database's files."""
    path = Path(engine.url.database)
    files = [path, path.with_name(path.name + "-wal")]
    # A page holds a few thousand bytes, and long values go on in others.
    pieces = [secret[at : at + 24] for at in range(0, len(secret) - 24, 64)] or [secret]
    return any(piece in file.read_bytes() for file in files if file.exists() for piece in pieces)


def test_erased_is_gone_from_every_byte_of_the_database(
    engine: Any, custodian: Any, filled: list[bytes]
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's files are its own business: VACUUM, backups; see the page")
    assert len(filled) == 3
    reader = engine.connect()
    reader.close()
    assert all(in_files(engine, secret) for secret in filled)
    gone = custodian().erase(BY, tenant="acme", subject="anna")
    assert (gone.payloads, gone.keys, gone.flushed) == (2, 1, True)
    assert [in_files(engine, secret) for secret in filled] == [False] * 3
    assert all(in_files(engine, bytes(secret)) for secret in secrets(engine, "bert"))


def test_a_reader_that_stays_keeps_the_files_from_being_emptied_and_that_is_told(
    engine: Any, custodian: Any, filled: list[bytes]
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("of SQLite's write-ahead log")
    at = custodian(flush_s=0.1)
    with db.snapshot(engine) as connection:
        connection.execute(select(audit_entry.c.n)).all()
        gone = at.erase(BY, tenant="acme", subject="anna")
    assert (gone.payloads, gone.flushed) == (2, False)
    at.expire(BY, {})
    assert not any(in_files(engine, secret) for secret in filled)


def test_the_log_holds_and_proves_what_was_erased(
    engine: Any, custodian: Any, filled: list[bytes], key: bytes, tenant_keys: Any, sequencer: Any,
    log_key: Any,
) -> None:  # fmt: skip
    custodian().erase(BY, tenant="acme", subject="anna")
    assert secrets(engine, "anna") == []
    assert len(secrets(engine, "bert")) == 2
    sequencer().round()
    report = verify(engine, key, tenant_keys=tenant_keys)
    assert (report.problems, report.payloads) == ([], 1)
    bundle = prove(engine, "00000001-exchange", log_key)
    assert verifier.check(json.loads(json.dumps(bundle)), str(log_key), [])


def test_it_is_on_record_before_it_is_done(engine: Any, filled: list[bytes], clock: Any) -> None:
    def refuse(entry: Entry) -> None:
        raise RecordUnavailable("away")

    at = Custodian(engine, refuse, Later(clock, 1_000))
    for act in (
        lambda: at.erase(BY, tenant="acme", subject="anna"),
        lambda: at.expire(BY, {"default": 1}),
        lambda: at.place(BY, tenant="acme"),
    ):
        with pytest.raises(RecordUnavailable):
            act()
    assert len(secrets(engine, "anna")) == 3
    assert at.holds() == []


def test_the_entry_says_who_why_and_how_much_and_names_nobody(
    engine: Any, custodian: Any, filled: list[bytes]
) -> None:
    custodian().erase(BY, tenant="acme", subject="anna")
    with db.snapshot(engine) as connection:
        found = select(audit_entry.c.core).where(audit_entry.c.kind == "subject.erased")
        core = json.loads(connection.execute(found).scalar_one())
    assert core["tenant"] == "acme"
    assert core["data"].pop("erasure")
    assert core["data"] == {
        "by": BY.name,
        "reason": BY.reason,
        "via": "cli",
        "subject": "anna",
        "payloads": 2,
        "keys": 1,
    }


@pytest.mark.parametrize(
    ("about", "free"),
    [
        ({"tenant": "acme", "subject": "anna"}, False),
        ({"tenant": "acme"}, False),
        ({"tenant": "acme", "exchange_id": "00000002-exchange"}, False),
        ({"tenant": "acme", "exchange_id": "00000003-exchange"}, True),
        ({"tenant": "acme", "subject": "bert"}, True),
        ({"tenant": "other"}, True),
    ],
)
def test_a_hold_blocks_erasure_and_time(
    engine: Any, custodian: Any, filled: list[bytes], about: dict[str, str], free: bool
) -> None:
    at = custodian(100)
    hold = at.place(BY, **about)
    assert [each.payloads for each in at.over({"long": 30})] == [int(free)]
    if free:
        assert at.erase(BY, tenant="acme", subject="anna").payloads == 2
        return
    with pytest.raises(OnHold, match=hold.hold_id):
        at.erase(BY, tenant="acme", subject="anna")
    assert at.expire(BY, {"long": 30}) == []
    assert len(secrets(engine, "anna")) == 3
    at.lift(BY, hold.hold_id)
    assert at.holds() == []
    assert [each.lifted_by for each in at.holds(all_=True)] == [BY.name]
    assert at.erase(BY, tenant="acme", subject="anna").payloads == 2
    assert kinds(engine).count("subject.erased") == 1


def test_what_is_kept_too_long_goes_by_its_class(
    engine: Any, custodian: Any, filled: list[bytes], key: bytes, tenant_keys: Any
) -> None:
    days = {"default": 30, "long": 200, "ever": 0}
    assert [each.payloads for each in custodian(29).over(days)] == [0, 0]
    at = custodian(31)
    assert [(each.retention, each.payloads) for each in at.over(days)] == [
        ("default", 2),
        ("long", 0),
    ]
    assert len(secrets(engine, "bert")) == 2
    assert [(each.retention, each.payloads) for each in at.expire(BY, days)] == [("default", 2)]
    assert len(secrets(engine, "anna")) == 2
    assert at.expire(BY, days) == []
    assert custodian(201).expire(BY, days)[0].payloads == 1
    assert secrets(engine, "anna") == secrets(engine, "bert") == []
    assert kinds(engine).count("payload.expired") == 2
    assert verify(engine, key, tenant_keys=tenant_keys).problems == []


def test_nothing_is_done_without_a_reason(custodian: Any, filled: list[bytes]) -> None:
    nobody = replace(BY, reason="  ")
    at = custodian()
    for act in (
        lambda: at.erase(nobody, tenant="acme", subject="anna"),
        lambda: at.place(nobody, tenant="acme"),
        lambda: at.lift(nobody, "x"),
    ):
        with pytest.raises(ConfigError, match="Say why"):
            act()


@pytest.mark.parametrize(
    ("tenant", "exchange_id"), [("other", "00000002-exchange"), ("acme", "00000002")]
)
def test_a_hold_that_would_keep_nothing_is_refused(
    engine: Any, custodian: Any, filled: list[bytes], tenant: str, exchange_id: str
) -> None:
    at = custodian()
    with pytest.raises(ConfigError, match="a hold would keep nothing"):
        at.place(BY, tenant=tenant, exchange_id=exchange_id)
    assert at.holds() == []
    assert "hold.placed" not in kinds(engine)


def test_a_hold_that_is_not_there_is_told(custodian: Any) -> None:
    with pytest.raises(ConfigError, match="no hold 'x' in force"):
        custodian().lift(BY, "x")


def test_who_writes_with_a_key_that_is_being_destroyed_waits_and_keeps_nothing(
    engine: Any, audit_log: Any, closed: Any, counters: Any
) -> None:
    """On PostgreSQL both may be under way; on SQLite one waits for the other anyway."""
    if engine.dialect.name != "postgresql":
        pytest.skip("of PostgreSQL")

    async def run() -> None:
        async with audit_log() as log:
            entry = replace(closed(1), payload=Payload("anna", "default", DOCUMENT))
            await log.append(entry)
            with engine.connect() as connection, connection.begin():
                connection.execute(audit_payload_key.delete())
                entry = replace(closed(2), payload=Payload("anna", "default", DOCUMENT))
                waiting = log.append(entry)
                await asyncio.sleep(0.3)
                assert not waiting.done()
            await waiting

    asyncio.run(run())
    assert secrets(engine, "anna") == []
    assert kinds(engine).count("exchange.closed") == 2
    assert counters.values["audit_commit_failures_total"] == 0


def test_all_that_concerns_somebody_and_nothing_else_is_found(
    engine: Any, custodian: Any, filled: list[bytes], tenant_keys: Any
) -> None:
    def found(subject: str, tenant: str = "acme") -> list[tuple[str, int, int]]:
        rows = concerning(engine, tenant_keys, tenant=tenant, subject=subject)
        return [(row["exchange_id"], len(row["entries"]), len(row["texts"])) for row in rows]

    assert found("anna") == [("00000001-exchange", 2, 1), ("00000002-exchange", 2, 1)]
    assert found("bert") == [("00000003-exchange", 2, 1)]
    assert found("anna", "other") == []
    custodian().erase(BY, tenant="acme", subject="anna")
    assert found("anna") == [("00000001-exchange", 2, 0), ("00000002-exchange", 2, 0)]
