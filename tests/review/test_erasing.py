"""What a request says is readable nowhere in the database, and not there once it is decided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import db
from gateway.core.errors import ConfigError
from gateway.core.ports import Counters
from gateway.review.desk import Desk
from gateway.review.sealed import Seals
from gateway.review.store import REQUEST, Store
from tests.admin.house import Clock
from tests.pipeline.fakes import Sink
from tests.review.conftest import REVIEWER, Shop, seals


def files(url: str) -> bytes:
    """All that SQLite has written."""
    path = Path(url.removeprefix("sqlite:///"))
    return b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))


@pytest.mark.parametrize("verb", ["approve", "edit", "refuse", "expire"])
def test_nothing_is_left_in_the_files(sqlite_url: str, verb: str) -> None:
    engine = db.open_engine(sqlite_url)
    clock, sink = Clock(), Sink()
    store = Store(engine, seals(), clock)
    shop = Shop(store, clock, Desk(store, sink, Counters(), via="test"), sink)

    async def test() -> None:
        one = shop.replica()
        await one.ask("Tell mia@x.org of the canary. " + "Sing. " * 50)
        review = await shop.open()
        with engine.connect() as connection:
            stored = "SELECT sealed FROM review_text"
            sealed = connection.exec_driver_sql(stored).scalar_one()
        assert sealed[20:200] in files(sqlite_url)
        assert b"canary" not in files(sqlite_url)
        if verb == "approve":
            await shop.desk.approve(REVIEWER, review)
        elif verb == "edit":
            await shop.desk.edit(REVIEWER, review, {"/messages/0/content": "Be quiet."})
        elif verb == "refuse":
            await shop.desk.refuse(REVIEWER, review, "Canaries sing elsewhere.")
        else:
            clock.ahead_ms = 601_000
            await one.queue.sweep()
        left = files(sqlite_url)
        for at in range(12, len(sealed) - 64, 64):
            assert sealed[at : at + 64] not in left
        assert b"anaries" not in left

    asyncio.run(test())
    engine.dispose()


def test_a_sealed_text_is_for_its_tenant_review_and_place_alone() -> None:
    one = seals()
    sealed = one.seal("acme", "r1", "request", {"a": "ü"})
    assert one.open("acme", "r1", "request", sealed) == {"a": "ü"}
    assert one.seal("acme", "r1", "request", {"a": "ü"}) != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for tenant, review, name, text in (
        ("other", "r1", "request", sealed),
        ("acme", "r2", "request", sealed),
        ("acme", "r1", "words", sealed),
        ("acme", "r1", "request", changed),
    ):
        with pytest.raises(ConfigError, match="another keyring"):
            one.open(tenant, review, name, text)


def test_under_another_keyring_nothing_can_be_read(within: Callable[..., None]) -> None:
    async def test(shop: Shop) -> None:
        await shop.replica().ask()
        info = shop.store.get(await shop.open())
        assert info is not None
        other = Store(shop.store.engine, Seals(lambda tenant: b"o" * 32), shop.clock)
        with pytest.raises(ConfigError):
            other.text(info, REQUEST)

    within(test)
