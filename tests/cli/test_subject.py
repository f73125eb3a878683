"""What is kept of one person's texts, from the command line."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import db
from gateway.audit.log import AuditLog
from gateway.audit.payloads import Payloads
from gateway.clock import SystemClock
from gateway.core.keeping import Payload
from gateway.core.ports import Counters
from gateway.identity.keyring import Keyring
from gateway.identity.tenantkeys import open_keys
from tests.cli.house import Gateway, closed, lines, opened, url, value

DOCUMENT = b'{"request":{"texts":[{"text":"the quick zanzibar jumps"}]},"v":1}'
ANNA = ("--tenant", "acme", "--user", "anna")
WHY = ("--reason", "her request", "--as", "dpo")


@pytest.fixture
def anna(ready: Path) -> str:
    """The reference of anna, of whom one exchange's texts are kept."""
    keyring = Keyring.open(ready / "keyring.json")

    ref = keyring.seal("acme", b"subject:user:anna")
    engine = db.open_engine(url(ready))

    async def write() -> None:
        log = AuditLog(
            engine,
            key=keyring.audit_key,
            replica="r1",
            clock=SystemClock(),
            counters=Counters(),
            payloads=Payloads(engine, open_keys("keyring", keyring)),
        )
        await log.start()
        for entry in (opened(1), replace(closed(1), payload=Payload(ref, "default", DOCUMENT))):
            entry.core["subject"] = ref
            await log.append(entry)
        await log.aclose()

    asyncio.run(write())
    engine.dispose()
    return ref


def test_a_reference_is_the_one_that_entries_have(gateway: Gateway, anna: str) -> None:
    assert gateway("audit", "subject", "reference", *ANNA).stdout.strip() == anna
    (row,) = lines(gateway("audit", "query", "--kind", "exchange.closed", "--json"))
    assert row["data"]["subject"] == anna


def test_erased_once_is_nothing_the_next_time(gateway: Gateway, anna: str) -> None:
    first = value(gateway("audit", "subject", "erase", *ANNA, *WHY, "--json"))
    assert (first["subject"], first["payloads"], first["keys"]) == (anna, 1, 1)
    assert first["flushed"]
    again = gateway("audit", "subject", "erase", anna, "--tenant", "acme", *WHY).stdout
    assert "0 payloads and 0 keys" in again
    assert value(gateway("audit", "verify", "--json"))["ok"]
    (row, _) = lines(gateway("audit", "query", "--kind", "subject.erased", "--json"))
    assert (row["data"]["by"], row["data"]["via"]) == ("dpo", "cli")


def test_a_hold_blocks_it_until_it_is_lifted(gateway: Gateway, anna: str) -> None:
    made = value(gateway("audit", "hold", "place", *ANNA, *WHY, "--json"))
    refused = gateway("audit", "subject", "erase", *ANNA, *WHY, code=2).stderr
    assert made["hold_id"] in refused
    assert "her request" in gateway("audit", "hold", "list").stdout
    gateway("audit", "hold", "lift", made["hold_id"], *WHY)
    assert lines(gateway("audit", "hold", "list", "--json")) == []
    assert len(lines(gateway("audit", "hold", "list", "--all", "--json"))) == 1
    assert value(gateway("audit", "subject", "erase", *ANNA, *WHY, "--json"))["payloads"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("erase", "--tenant", "acme", *WHY), "Say whom"),
        (("erase", "ref", *ANNA, *WHY), "Say whom"),
        (("erase", *ANNA), "Say why"),
    ],
)
def test_what_is_missing_is_told(
    gateway: Gateway, ready: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert words in gateway("audit", "subject", *arguments, code=2).stderr


def test_whoever_asks_gets_all_that_concerns_him_and_that_is_on_record(
    gateway: Gateway, anna: str
) -> None:
    (row,) = lines(gateway("audit", "subject", "export", *ANNA, *WHY, "--json"))
    assert [entry["kind"] for entry in row["entries"]] == ["exchange.opened", "exchange.closed"]
    (text,) = row["texts"]
    assert text["request"]["texts"][0]["text"] == "the quick zanzibar jumps"
    (told,) = lines(gateway("audit", "ask", "subject", "--subject", anna, "--json"))[-1:]
    assert told["kind"] == "access.subject_export"
    assert lines(gateway("audit", "subject", "export", "0" * 64, "--tenant", "acme", *WHY)) == []
    assert "Say why" in gateway("audit", "subject", "export", *ANNA, code=2).stderr


@pytest.mark.parametrize("how", ["short", "capitals"])
def test_half_a_reference_is_nobodys(gateway: Gateway, anna: str, how: str) -> None:
    ref = anna[:16] if how == "short" else anna.upper()
    for command in (("hold", "place", "--subject", ref), ("subject", "erase", ref)):
        told = gateway("audit", *command, "--tenant", "acme", *WHY, code=2).stderr
        assert "Expected a whole reference" in told
    assert lines(gateway("audit", "hold", "list", "--json")) == []


def test_time_is_over_only_when_told_to(
    gateway: Gateway, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_AUDIT_PAYLOAD_DAYS", "default=30,long=400")
    assert "default" in gateway("audit", "retain").stdout
    rows = lines(gateway("audit", "retain", "--json"))
    assert {row["retention"]: row["payloads"] for row in rows} == {"default": 0, "long": 0}
    assert not any(row["destroyed"] for row in rows)
    assert lines(gateway("audit", "retain", "--apply", "--json")) == []


@pytest.mark.parametrize("listed", ["long=3", "default", "default=x", "Default=3", "default=-1"])
def test_a_slip_in_the_classes_is_told(
    gateway: Gateway, ready: Path, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    monkeypatch.setenv("GATEWAY_AUDIT_PAYLOAD_DAYS", listed)
    assert "GATEWAY_AUDIT_PAYLOAD_DAYS" in gateway("audit", "retain", code=2).stderr


def test_texts_are_read_with_a_reason_and_on_record(gateway: Gateway, anna: str) -> None:
    read = ("audit", "payload", "read", "00000001-exchange")
    assert "Say why" in gateway(*read, code=2).stderr
    told = value(gateway(*read, *WHY, "--json"))
    assert told["request"]["texts"][0]["text"] == "the quick zanzibar jumps"
    (row,) = lines(gateway("audit", "query", "--kind", "access.payload_read", "--json"))
    assert (row["exchange_id"], row["data"]["by"]) == ("00000001-exchange", "dpo")
    assert "Nothing is kept" in gateway("audit", "payload", "read", "0", *WHY, code=2).stderr


def test_where_two_are_wanted_nobody_reads_alone(
    gateway: Gateway, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_AUDIT_PAYLOAD_FOUR_EYES", "true")
    read = ("audit", "payload", "read", "00000001-exchange", *WHY)
    asked = value(gateway(*read, "--json", code=3))
    assert asked["approved_ms"] is None
    approve = ("audit", "payload", "approve", asked["reading_id"], "--reason", "agreed")
    key = value(gateway("keys", "new", "dpo", "--json"))["id"]
    for himself in ("dpo", " DPO", key):
        assert "himself" in gateway(*approve, "--as", himself, code=2).stderr
    assert "dpo may read it" in gateway(*approve, "--as", "boss").stdout
    assert "boss" in gateway("audit", "payload", "list").stdout
    assert "zanzibar" in gateway(*read).stdout
