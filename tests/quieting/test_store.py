from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from gateway import db
from gateway.core.errors import ConfigError
from gateway.quieting.registry import Registry
from gateway.quieting.store import FalseHit, Store

NAME = "Jordan Reyes"
DAY_MS = 86_400_000


class Clock:
    """Goes on when told."""

    ms = 1_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> float:
        return float(self.ms)


def keys(tenant: str) -> bytes:
    return tenant.encode().ljust(32, b".")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(engine: Engine, clock: Clock) -> Store:
    return Store(engine, keys, clock)


@pytest.fixture
def registry(store: Store, clock: Clock) -> Registry:
    return Registry(store, keys, clock=clock)


def mark(store: Store, tenant: str = "acme", value: str = NAME, days: int = 0) -> str:
    made = store.read(FalseHit(tenant, "PERSON", value, days=days))
    store.add(made)
    return made.id


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came about")


def asked(registry: Registry, tenant: str, category: str, value: str) -> str:
    registry.refresh()
    quiet = registry.quiet(tenant)
    return quiet(category, value) if quiet else ""


def test_a_value_is_quiet_for_its_tenant_and_category(store: Store, registry: Registry) -> None:
    id_ = mark(store)
    for tenant, category, value, found in [
        ("acme", "PERSON", NAME, id_),
        ("acme", "PERSON", "JORDAN  reyes", id_),
        ("acme", "LOCATION", NAME, ""),
        ("acme", "PERSON", "Jordan Reyes Jr", ""),
        ("acme", "PERSON", "Jordan\u200b Reyes", ""),
        ("other", "PERSON", NAME, ""),
    ]:
        assert asked(registry, tenant, category, value) == found


def test_who_has_no_marks_is_asked_nothing(store: Store, registry: Registry) -> None:
    mark(store)
    registry.refresh()
    assert registry.quiet("other") is None


def test_two_tenants_never_share_a_mark(store: Store, registry: Registry) -> None:
    one, other = mark(store, "acme"), mark(store, "other")
    first, second = store.all()
    assert {first.id, second.id} == {one, other}
    assert first.digest != second.digest
    store.end(one)
    assert asked(registry, "acme", "PERSON", NAME) == ""
    assert asked(registry, "other", "PERSON", NAME) == other


def test_a_digest_moved_to_another_tenant_is_worth_nothing(
    store: Store, registry: Registry, engine: Engine
) -> None:
    mark(store)
    with db.writing(engine) as connection:
        connection.execute(text("UPDATE quiet_value SET tenant = 'other'"))
    assert asked(registry, "other", "PERSON", NAME) == ""


def test_a_mark_ends_when_it_expires(store: Store, registry: Registry, clock: Clock) -> None:
    id_ = mark(store, days=2)
    assert asked(registry, "acme", "PERSON", NAME) == id_
    clock.ms += 2 * DAY_MS
    assert asked(registry, "acme", "PERSON", NAME) == ""
    assert mark(store) != id_
    assert asked(registry, "acme", "PERSON", NAME) != ""


def test_the_value_is_nowhere_in_the_table(store: Store, engine: Engine) -> None:
    mark(store)
    with db.snapshot(engine) as connection:
        (row,) = connection.execute(text("SELECT * FROM quiet_value")).all()
    assert not any("reyes" in str(cell).lower() for cell in row)


@pytest.mark.parametrize(
    ("category", "value", "days", "told"),
    [
        ("person", NAME, 0, "category of a finding"),
        ("DETECTOR_ERROR", NAME, 0, "category of a finding"),
        ("PERSON", " \n", 0, "value of 1 to"),
        ("PERSON", "x" * 4_001, 0, "value of 1 to"),
        ("PERSON", NAME, -1, "Days"),
    ],
)
def test_what_cannot_be_marked_is_said(
    store: Store, category: str, value: str, days: int, told: str
) -> None:
    with pytest.raises(ConfigError, match=told) as err:
        store.read(FalseHit("acme", category, value, days=days))
    assert value.strip() == "" or value not in str(err.value)


def test_nothing_is_marked_twice(store: Store) -> None:
    id_ = mark(store)
    with pytest.raises(ConfigError, match=id_):
        store.read(FalseHit("acme", "PERSON", NAME.upper()))


def test_running_gateways_hear_of_it(store: Store, clock: Clock) -> None:
    async def test() -> None:
        registry = Registry(store, keys, clock=clock, ttl_s=0.01)
        await registry.start()
        try:
            assert registry.quiet("acme") is None
            id_ = mark(store)
            await until(lambda: registry.quiet("acme") is not None)
            store.end(id_)
            await until(lambda: registry.quiet("acme") is None)
        finally:
            await registry.aclose()

    asyncio.run(test())


def test_a_database_that_is_away_changes_nothing(
    store: Store, registry: Registry, engine: Engine
) -> None:
    id_ = mark(store)
    assert asked(registry, "acme", "PERSON", NAME) == id_
    with db.writing(engine) as connection:
        connection.execute(text("ALTER TABLE quiet_value RENAME TO quiet_value_away"))
    with pytest.raises(db.failures(engine)):
        registry.refresh()
    quiet = registry.quiet("acme")
    assert quiet is not None
    assert quiet("PERSON", NAME) == id_
