from __future__ import annotations

import asyncio
import hmac
import logging
import time
from dataclasses import asdict

import pytest
from sqlalchemy import select

from gateway import db
from gateway.identity import keys
from gateway.identity.keys import KeyStore
from gateway.identity.keytable import gateway_key, split


class HeldClock:
    """Time that stands still until it is moved."""

    def __init__(self):
        self.ms = 1_700_000_000_000

    def now_ms(self):
        return self.ms

    def monotonic_ms(self):
        return float(self.ms)


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def store(engine, clock):
    return KeyStore(engine, clock=clock)


def test_key_tells_who_is_asking(store):
    principal, key = store.new(
        "ci", tenant="acme", application="bot", team="t1", roles=("admin", "dpo")
    )
    assert store.authenticate(key) == principal
    assert (principal.tenant, principal.application, principal.team) == ("acme", "bot", "t1")
    assert principal.roles == ("admin", "dpo")
    assert key.startswith(f"gw_{principal.key_id}_")


def test_only_the_hash_is_stored(store, engine, caplog):
    caplog.set_level(logging.DEBUG)
    _, key = store.new("ci")
    secret = key.split("_", 2)[2]
    with db.snapshot(engine) as connection:
        row = dict(connection.execute(select(gateway_key)).mappings().one())
    assert secret not in repr(row)
    assert bytes(row["hash"]) == split(key)[1]
    assert secret not in repr(store.list()) + repr(store) + caplog.text
    assert "hash" not in asdict(store.list()[0])


@pytest.mark.parametrize("end", ["", "x", "\n", " ", "="])
def test_key_must_fit_exactly(store, end):
    _, key = store.new("ci")
    assert (store.authenticate(key + end) is not None) == (end == "")
    assert store.authenticate(key[:-1] + ("A" if key[-1] != "A" else "B")) is None
    assert store.authenticate(key[:-1]) is None
    assert store.authenticate("") is None
    assert store.authenticate("gw_ü") is None


def test_secret_of_another_key_opens_nothing(store):
    one, key = store.new("one")
    _, other = store.new("two")
    mixed = f"gw_{one.key_id}_{other.split('_', 2)[2]}"
    assert store.authenticate(key) is not None
    assert store.authenticate(mixed) is None


def test_every_answer_is_compared_in_constant_time(store, monkeypatch):
    _, key = store.new("ci")
    compared = []

    def compare(a, b):
        compared.append((len(a), len(b)))
        return hmac.compare_digest(a, b)

    monkeypatch.setattr(keys, "hmac", type("spy", (), {"compare_digest": staticmethod(compare)}))
    unknown = f"gw_{'a' * 10}_{key.split('_', 2)[2]}"
    store.authenticate(key)
    store.authenticate(unknown)
    assert compared == [(32, 32), (32, 32)]


def test_revoked_key_is_refused_at_once(store):
    principal, key = store.new("ci")
    assert store.revoke(principal.key_id)
    assert store.authenticate(key) is None
    assert not store.revoke(principal.key_id)
    assert not store.revoke("nobody")
    assert store.list()[0].revoked_ms is not None


def test_key_expires(store, clock):
    _, key = store.new("ci", expires_ms=clock.ms + 1_000)
    assert store.authenticate(key) is not None
    clock.ms += 1_000
    assert store.authenticate(key) is None


def test_old_snapshot_will_do_for_a_while_and_then_nobody_is_let_in(store, clock):
    _, key = store.new("ci")
    clock.ms += 305_000
    assert store.ready
    assert store.authenticate(key) is not None
    clock.ms += 1
    assert not store.ready
    assert store.authenticate(key) is None


def test_nobody_is_let_in_before_the_first_snapshot(engine, clock, store):
    _, key = store.new("ci")
    other = KeyStore(engine, clock=clock)
    assert not other.ready
    assert other.authenticate(key) is None


def test_key_made_or_revoked_elsewhere_is_known_within_the_ttl(engine):
    class Clock(HeldClock):
        def monotonic_ms(self):
            return time.monotonic() * 1_000

    async def scenario():
        elsewhere = KeyStore(engine, clock=Clock())
        store = KeyStore(engine, clock=Clock(), ttl_s=0.2)
        await store.start()
        try:
            principal, key = await asyncio.to_thread(elsewhere.new, "ci")
            assert store.authenticate(key) is None
            assert await store.authenticate_async(key) == principal
            await asyncio.to_thread(elsewhere.revoke, principal.key_id)
            await asyncio.sleep(0.5)
            assert store.authenticate(key) is None
        finally:
            await store.aclose()

    asyncio.run(scenario())


def test_guessing_keys_costs_the_database_little(engine, store, clock, monkeypatch):
    loads = []
    refresh = store.refresh

    def counted():
        loads.append(1)
        refresh()

    monkeypatch.setattr(store, "refresh", counted)

    async def scenario():
        guesses = [f"gw_{i:010d}_{'A' * 43}".translate(LETTERS) for i in range(200)]
        answers = await asyncio.gather(*(store.authenticate_async(key) for key in guesses))
        assert answers == [None] * 200
        assert await store.authenticate_async("not a key") is None

    asyncio.run(scenario())
    assert len(loads) == 1


LETTERS = str.maketrans("0123456789", "abcdefghij")


def test_database_that_is_away_does_not_lock_anybody_out(engine, sqlite_or_postgres_gone, clock):
    async def scenario():
        store = KeyStore(engine, clock=clock, ttl_s=0.05)
        _, key = store.new("ci")
        await store.start()
        try:
            with sqlite_or_postgres_gone():
                await asyncio.sleep(0.2)
                assert store.authenticate(key) is not None
                assert await store.authenticate_async(f"gw_{'a' * 10}_{'A' * 43}") is None
                clock.ms += 300_051
                assert store.authenticate(key) is None
            await asyncio.sleep(0.3)
            assert store.authenticate(key) is not None
        finally:
            await store.aclose()

    asyncio.run(scenario())


@pytest.fixture
def sqlite_or_postgres_gone(engine):
    from contextlib import contextmanager

    @contextmanager
    def gone():
        with db.writing(engine) as connection:
            connection.exec_driver_sql("ALTER TABLE gateway_key RENAME TO gone")
        yield
        with db.writing(engine) as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO gateway_key")

    return gone
