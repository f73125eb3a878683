from __future__ import annotations

import asyncio
import hashlib

import pytest
from sqlalchemy import Engine, event, select

from gateway import db
from gateway.core.errors import ShelfUnavailable
from gateway.identity import shelf as shelves
from gateway.identity.shelf import SqlShelf, kept
from tests.pipeline.fakes import Clock


def seal(tenant: str, data: bytes) -> str:
    return hashlib.sha256(tenant.encode() + data).hexdigest()


def shelf(engine: Engine, clock: Clock | None = None, days: int = 0) -> SqlShelf:
    return SqlShelf(engine, seal=seal, clock=clock or Clock(), days=days)


class Ticking(Clock):
    """Goes on by a day each time it is told to."""

    days = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.days * 86_400_000


def rows(engine: Engine) -> list[tuple[object, ...]]:
    with db.snapshot(engine) as connection:
        return [tuple(row) for row in connection.execute(select(kept))]


def test_only_the_tenant_that_had_it_made_finds_it(engine: Engine) -> None:
    async def steps() -> None:
        await shelf(engine).put("acme", ["resp_1", "msg_1"], model="m")
        other_process = shelf(engine)
        assert await other_process.model("acme", "resp_1") == "m"
        assert await other_process.model("acme", "msg_1") == "m"
        assert await other_process.model("globex", "resp_1") is None
        assert await other_process.model("acme", "resp_2") is None

    asyncio.run(steps())


def test_the_id_itself_is_not_stored(engine: Engine) -> None:
    asyncio.run(shelf(engine).put("acme", ["resp_1"], model="m"))
    assert rows(engine) == [(seal("acme", b"kept:resp_1"), "acme", "m", Clock().now_ms())]


def test_what_was_noted_once_stays_and_costs_nothing_again(engine: Engine) -> None:
    begun: list[object] = []

    async def steps() -> None:
        one, two = shelf(engine), shelf(engine)
        await one.put("acme", ["resp_1"], model="m")
        await two.put("acme", ["resp_1"], model="other")
        event.listen(engine, "begin", begun.append)
        await one.put("acme", ["resp_1"], model="m")
        assert await one.model("acme", "resp_1") == "m"

    asyncio.run(steps())
    assert begun == []
    assert [row[2] for row in rows(engine)] == ["m"]


def test_many_at_once_share_transactions(engine: Engine) -> None:
    begun: list[object] = []
    event.listen(engine, "begin", begun.append)

    async def steps() -> None:
        one = shelf(engine)
        await asyncio.gather(*(one.put("acme", [f"resp_{i}"], model="m") for i in range(50)))
        await one.aclose()

    asyncio.run(steps())
    assert len(rows(engine)) == 50
    assert len(begun) <= 3


def test_a_caller_who_leaves_holds_nobody_up(engine: Engine) -> None:
    async def steps() -> None:
        one = shelf(engine)
        left = asyncio.create_task(one.put("acme", ["resp_1"], model="m"))
        await asyncio.sleep(0)
        left.cancel()
        await one.put("acme", ["resp_2"], model="m")
        assert await one.model("acme", "resp_2") == "m"

    asyncio.run(steps())


def test_a_database_that_is_away_is_no_answer(engine: Engine) -> None:
    with db.writing(engine) as connection:
        kept.drop(connection)

    async def steps() -> None:
        one = shelf(engine)
        with pytest.raises(ShelfUnavailable):
            await one.model("acme", "resp_1")
        with pytest.raises(ShelfUnavailable):
            await one.put("acme", ["resp_1"], model="m")
        with pytest.raises(ShelfUnavailable):
            await one.put("acme", ["resp_1"], model="m")

    asyncio.run(steps())


def test_what_is_remembered_is_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "REMEMBERED", 2)

    async def steps() -> None:
        one = shelf(engine)
        await one.put("acme", ["a", "b", "c"], model="m")
        assert len(one._models) == 2
        assert [await one.model("acme", name) for name in "abc"] == ["m"] * 3

    asyncio.run(steps())


@pytest.mark.parametrize(("days", "left"), [(0, 3), (10, 2), (1, 1)])
def test_old_notes_go_when_new_ones_come(engine: Engine, days: int, left: int) -> None:
    clock = Ticking()

    async def steps() -> None:
        one = shelf(engine, clock, days)
        for name in "abc":
            await one.put("acme", [name], model="m")
            clock.days += 10
        assert await shelf(engine).model("acme", "c") == "m"

    asyncio.run(steps())
    assert len(rows(engine)) == left


def test_many_old_notes_go_a_few_at_a_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "PRUNED", 2)
    clock, left = Ticking(), []

    async def steps() -> None:
        one = shelf(engine, clock, 1)
        await one.put("acme", ["a", "b", "c", "d", "e"], model="m")
        clock.days = 9
        for name in "xyz":
            await one.put("acme", [name], model="m")
            left.append(len(rows(engine)))

    asyncio.run(steps())
    assert left == [4, 3, 3]


def test_old_notes_are_not_looked_for_each_time(engine: Engine) -> None:
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: said.append(told[2]))

    async def steps() -> None:
        one = shelf(engine, days=1)
        for name in "abc":
            await one.put("acme", [name], model="m")

    asyncio.run(steps())
    assert sum("DELETE" in statement for statement in said) == 1
