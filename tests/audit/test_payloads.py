"""What is kept of texts: sealed, beside its entry or not at all, and known again by the entry."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from gateway import db
from gateway.audit import payloads, sealing
from gateway.audit.append import WriteError
from gateway.audit.payloads import Payloads
from gateway.audit.sealing import KeyRow, PayloadRow, Unsealable
from gateway.audit.spool import Spool
from gateway.audit.tables import audit_entry, audit_payload, audit_payload_key
from gateway.audit.verify import verify
from gateway.core.errors import ConfigError
from gateway.core.keeping import Payload
from gateway.core.ports import Entry
from gateway.identity.tenantkeys import MasterKeys

CANARY = "the quick zanzibar jumps"
DOCUMENT = json.dumps({"v": 1, "request": CANARY}).encode()


@pytest.fixture
def with_text(closed: Any) -> Any:
    def make(number: int, subject: str = "anna", **changes: Any) -> Entry:
        return replace(closed(number, **changes), payload=Payload(subject, "default", DOCUMENT))

    return make


def write(audit_log: Any, *entries: Entry, **how: Any) -> None:
    async def run() -> None:
        async with audit_log(**how) as log:
            for entry in entries:
                await log.append(entry)

    asyncio.run(run())


def rows(engine: Any, table: Any) -> list[Any]:
    with db.snapshot(engine) as connection:
        return list(connection.execute(select(table)))


def opened_texts(engine: Any, keys: Any) -> list[bytes]:
    known = {row.key_id: KeyRow._make(row) for row in wrapped(engine)}
    out = []
    for row in sealed(engine):
        key = known[row.key_id]
        plain = sealing.unwrap(keys.key(key.tenant, key.version), key)
        out.append(sealing.unseal(plain, row)[1])
    return out


def sealed(engine: Any) -> list[PayloadRow]:
    return [
        PayloadRow._make(getattr(row, name) for name in PayloadRow._fields)
        for row in rows(engine, audit_payload)
    ]


def wrapped(engine: Any) -> list[KeyRow]:
    return [
        KeyRow._make(getattr(row, name) for name in KeyRow._fields)
        for row in rows(engine, audit_payload_key)
    ]


def test_a_payload_stands_beside_its_entry_and_only_its_digest_in_it(
    engine: Any, audit_log: Any, with_text: Any, closed: Any, tenant_keys: Any, key: bytes
) -> None:
    write(audit_log, with_text(1), closed(2), with_text(3))
    first, second = sealed(engine)
    cores = {row.entry_id: row.core for row in rows(engine, audit_entry)}
    said = json.loads(cores[first.entry_id])["data"]["payload"]
    assert (said["retention"], said["bytes"]) == ("default", len(DOCUMENT))
    assert len(said["commitment"]) == 64
    assert said["commitment"] != json.loads(cores[second.entry_id])["data"]["payload"]["commitment"]
    assert CANARY not in "".join(cores.values())
    assert all(CANARY.encode() not in row.sealed for row in (first, second))
    assert opened_texts(engine, tenant_keys) == [DOCUMENT] * 2
    report = verify(engine, key, tenant_keys=tenant_keys)
    assert (report.problems, report.payloads, report.unchecked) == ([], 2, [])


def test_each_person_has_a_key_of_their_own(
    engine: Any, audit_log: Any, with_text: Any, tenant_keys: Any
) -> None:
    entries = [with_text(1), with_text(2, "bert"), with_text(3), with_text(4, tenant="other")]
    write(audit_log, *entries)
    found = wrapped(engine)
    assert {(row.tenant, row.subject) for row in found} == {
        ("acme", "anna"), ("acme", "bert"), ("other", "anna"),
    }  # fmt: skip
    assert len(found) == 3
    plain = {sealing.unwrap(tenant_keys.key(row.tenant, row.version), row) for row in found}
    assert len(plain) == 3


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("removed", "payload_missing"),
        ("text", "payload_changed"),
        ("swapped", "payload_changed"),
        ("wrapped", "payload_changed"),
        ("resealed", "payload_swapped"),
        ("invented", "payload_unknown"),
    ],
)
def test_verify_finds_a_payload_that_is_not_the_one_kept(
    engine: Any, audit_log: Any, with_text: Any, tenant_keys: Any, key: bytes, what: str, code: str
) -> None:
    write(audit_log, with_text(1), with_text(2))
    first, second = sealed(engine)
    (row,) = wrapped(engine)
    plain = sealing.unwrap(tenant_keys.key(row.tenant, row.version), row)
    with db.writing(engine) as connection:
        one = update(audit_payload).where(audit_payload.c.entry_id == first.entry_id)
        if what == "removed":
            connection.execute(delete(audit_payload).where(audit_payload.c.entry_id != "x"))
        if what == "text":
            connection.execute(one.values(sealed=first.sealed[:-1] + b"\0"))
        if what == "swapped":
            connection.execute(one.values(sealed=second.sealed))
        if what == "wrapped":
            connection.execute(update(audit_payload_key).values(wrapped=b"x" * 60))
        if what == "resealed":
            other = sealing.seal(plain, first, sealing.new_salt(), b'{"v": 1, "request": "other"}')
            connection.execute(one.values(sealed=other.sealed))
        if what == "invented":
            more = second._replace(entry_id="invented")._asdict()
            connection.execute(audit_payload.insert().values(more))
    report = verify(engine, key, tenant_keys=tenant_keys)
    assert {problem.code for problem in report.problems} == {code}


@pytest.mark.parametrize(("subject", "again"), [("anna", True), ("bert", False)])
def test_verify_finds_texts_of_somebody_erased_that_a_backup_brought_back(
    engine: Any,
    audit_log: Any,
    with_text: Any,
    tenant_keys: Any,
    key: bytes,
    subject: str,
    again: bool,
) -> None:
    write(audit_log, with_text(1), with_text(2))
    kept, keys = sealed(engine), wrapped(engine)
    time.sleep(0.002)
    data = {"subject": subject, "payloads": 2, "keys": 1}
    write(audit_log, Entry("", "subject.erased", data, tenant="acme"))
    with db.writing(engine) as connection:
        connection.execute(delete(audit_payload))
        connection.execute(delete(audit_payload_key))
        connection.execute(audit_payload_key.insert(), [row._asdict() for row in keys])
        connection.execute(audit_payload.insert(), [row._asdict() for row in kept])
    report = verify(engine, key, tenant_keys=tenant_keys)
    assert [each.code for each in report.problems] == ["payload_returned"] * 2 * again
    write(audit_log, with_text(3, subject))
    assert len(verify(engine, key, tenant_keys=tenant_keys).problems) == 2 * again


def test_verify_says_what_it_could_not_open(
    engine: Any, audit_log: Any, with_text: Any, key: bytes
) -> None:
    write(audit_log, with_text(1))
    other = MasterKeys("second", {"second": b"x" * 32})
    for keys, words in ((None, "not given"), (other, "'first'")):
        report = verify(engine, key, tenant_keys=keys)
        assert report.ok
        assert words in report.unchecked[0]


def test_what_is_destroyed_meanwhile_does_not_come_back(
    engine: Any, audit_log: Any, with_text: Any, tenant_keys: Any
) -> None:
    async def run() -> None:
        async with audit_log(look_s=1_000.0) as log:
            await log.append(with_text(1))
            with db.writing(engine) as connection:
                connection.execute(delete(audit_payload_key))
            await log.append(with_text(2))

    asyncio.run(run())
    assert (sealed(engine), wrapped(engine)) == ([], [])
    assert len(rows(engine, audit_entry)) == 4


def test_what_is_new_gets_a_new_key_when_the_old_one_was_destroyed(
    engine: Any, audit_log: Any, with_text: Any, tenant_keys: Any
) -> None:
    async def run() -> None:
        async with audit_log(look_s=0.0) as log:
            await log.append(with_text(1))
            with db.writing(engine) as connection:
                connection.execute(delete(audit_payload_key))
            await log.append(with_text(2))

    asyncio.run(run())
    assert opened_texts(engine, tenant_keys) == [DOCUMENT]


def test_payloads_wait_in_the_spool_sealed_while_the_database_is_away(
    engine: Any, audit_log: Any, with_text: Any, tenant_keys: Any, key: bytes, tmp_path: Any,
    outage: Any, eventually: Any,
) -> None:  # fmt: skip
    async def run() -> None:
        async with audit_log(spool=Spool(tmp_path / "spool", key, max_bytes=1 << 20)) as log:
            await log.append(with_text(1))
            async with outage():
                for number in (2, 3):
                    await log.append(with_text(number, "bert"))
                (path,) = (tmp_path / "spool").iterdir()
                assert CANARY.encode() not in path.read_bytes()
            await eventually(lambda: not log.caution)

    asyncio.run(run())
    assert opened_texts(engine, tenant_keys) == [DOCUMENT] * 3
    assert verify(engine, key, tenant_keys=tenant_keys).problems == []


class NoKeys:
    newest = "first"

    def key(self, tenant: str, version: str) -> bytes:
        raise ConfigError("the service is away")


def test_a_sealed_row_is_opened_as_itself_only() -> None:
    row = PayloadRow("e", "x", "acme", "anna", "default", "k", 1, b"")
    key, salt = b"k" * 32, sealing.new_salt()
    closed = sealing.seal(key, row, salt, DOCUMENT)
    assert sealing.unseal(key, closed) == (salt, DOCUMENT)
    for name in PayloadRow._fields[:-1]:
        changed = closed._replace(**{name: 2 if name == "ts_ms" else "other"})
        with pytest.raises(Unsealable):
            sealing.unseal(key, changed)


def test_a_row_survives_the_spools_spelling() -> None:
    row = PayloadRow("e", "x", "acme", "ann\u00e4", "default", "k", 1, b"\0\t\n\xff")
    for kept in (sealing.Kept(row, None), sealing.Kept(row, KeyRow(*"ktsmv", 1, b"\n"))):
        text = sealing.spelled(kept)
        assert "\t" not in text
        assert sealing.read(text.encode("ascii")) == kept
    assert sealing.read(b"") is None
    with pytest.raises((ValueError, TypeError)):
        sealing.read(b"[[1],null]")


def test_sealing_fails_as_a_write_does(engine: Any, with_text: Any) -> None:
    entry = with_text(1)
    _, unsealed = payloads.commit(entry, entry.payload)
    with pytest.raises(WriteError):
        Payloads(engine, NoKeys()).seal([(("e", 1, (), "{}"), unsealed)])
