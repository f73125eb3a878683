"""What sticks to conversations is shared by replicas, and outlives them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from gateway import db
from gateway.core.errors import StickingUnavailable
from gateway.core.exchange import Outcome
from gateway.identity import classnotes
from gateway.identity.classnotes import SqlClassNotes, class_note, class_tenant
from gateway.pipeline.sticking import Sticking
from tests.pipeline.fakes import Clock
from tests.pipeline.test_classing import CLASSES
from tests.pipeline.test_sticking import ANSWER, Shop

DAY_MS = 86_400_000


class Ticking(Clock):
    """Goes on when it is told to."""

    later_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.later_ms

    def monotonic_ms(self) -> float:
        return self.later_ms


def notes(engine: Engine, clock: Clock | None = None, **options: Any) -> SqlClassNotes:
    return SqlClassNotes(engine, clock=clock or Clock(), **{"spread_s": 0, **options})


def seal(tenant: str, data: bytes) -> str:
    return hashlib.sha256(tenant.encode() + data).hexdigest()


def count(engine: Engine) -> int:
    with db.snapshot(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(class_note)).scalar_one())


def drop(engine: Engine) -> None:
    with db.writing(engine) as connection:
        class_note.drop(connection)
        class_tenant.drop(connection)


class Replica(Shop):
    """One process of several over one database, which has just looked who is known."""

    def __init__(self, engine: Engine, asked: Callable[[], bool] = lambda: True) -> None:
        super().__init__()
        self.notes = notes(engine)
        asyncio.run(self.notes.look())
        self.sticking = Sticking(seal, self.notes, classes=lambda: CLASSES, asked=asked)


def test_a_conversation_is_known_at_another_replica_and_after_a_restart(engine: Engine) -> None:
    assert Replica(engine).first().status == 200
    other = Replica(engine)
    assert other.then("Hello.", "Something else.", "And then?").status == 400
    assert other.then("What was that?", ANSWER, "And then?").status == 400
    assert other.then("What?", "Nothing.", "And then?").status == 200
    told = [entry.core.get("data_class", {}).get("carried", []) for entry in other.sink.entries]
    assert ["restricted"] in told


def test_a_replica_that_runs_learns_of_the_first_note_of_a_tenant(engine: Engine) -> None:
    one, other = Replica(engine), Replica(engine)
    one.first()
    assert not other.notes.concerns("acme")
    asyncio.run(other.notes.look())
    assert other.notes.concerns("acme")
    assert other.then("Hello.", "So?", "And then?").status == 400


def test_two_tenants_never_share(engine: Engine) -> None:
    async def steps() -> tuple[frozenset[str], frozenset[str]]:
        one = notes(engine)
        await one.put("acme", {"d": ("restricted", "health")})
        return await one.find("acme", ["d", "e"]), await one.find("globex", ["d"])

    assert asyncio.run(steps()) == ({"restricted", "health"}, frozenset())


def test_classes_of_several_notes_unite(engine: Engine) -> None:
    async def steps() -> frozenset[str]:
        one = notes(engine)
        await asyncio.gather(
            one.put("acme", {"d": ("restricted",)}), one.put("acme", {"d": ("public", "health")})
        )
        return await one.find("acme", [*map(str, range(1_200)), "d"])

    assert asyncio.run(steps()) == {"restricted", "public", "health"}


def test_no_text_is_stored(engine: Engine) -> None:
    Replica(engine).first()
    with db.snapshot(engine) as connection:
        stored = [str(row) for row in connection.execute(select(class_note))]
    assert stored
    assert not any("Hello" in row or "merger" in row for row in stored)


@pytest.mark.parametrize(
    ("texts", "tenant", "asked", "questions"),
    [
        (("Hello.",), "acme", True, 0),
        (("Hello.", "So?", "More."), "acme", True, 1),
        (("Hello.", "So?", "More."), "acme", False, 0),
        (("Hello.", "So?", "More."), "other", True, 0),
    ],
)
def test_only_who_may_have_something_noted_costs_a_question(
    engine: Engine, texts: tuple[str, ...], tenant: str, asked: bool, questions: int
) -> None:
    async def noted() -> None:
        await notes(engine).put(tenant, {"d": ("restricted",)})

    asyncio.run(noted())
    shop = Replica(engine, lambda: asked)
    begun: list[object] = []
    event.listen(engine, "before_cursor_execute", lambda *said: begun.append(said[2]))
    assert shop.then(*texts).status == 200
    assert sum("class_note" in str(statement) for statement in begun) == questions


def test_nothing_is_noted_where_nothing_asks(engine: Engine) -> None:
    assert Replica(engine, lambda: False).first().status == 200
    assert count(engine) == 0


@pytest.mark.parametrize(("action", "status"), [("block", 400), ("flag", 200)])
def test_a_database_that_is_away_is_what_policy_makes_of_it(
    engine: Engine, action: str, status: int
) -> None:
    Replica(engine).first()
    shop = Replica(engine)
    drop(engine)
    shop.rules.rules["DETECTOR_ERROR"] = action
    later = shop.then("What?", "So?", "More.")
    assert (later.status, len(shop.far.bodies)) == (status, status == 200)
    found = shop.sink.entries[-1].core["request"]["findings"]
    assert [(each["detector"], each["category"]) for each in found] == [
        ("conversation", "DETECTOR_ERROR")
    ]


@pytest.mark.parametrize(
    ("action", "outcome"), [("block", Outcome.BLOCKED), ("flag", Outcome.COMPLETED)]
)
def test_an_answer_whose_class_cannot_be_noted_is_what_policy_makes_of_it(
    engine: Engine, action: str, outcome: Outcome
) -> None:
    shop = Replica(engine)
    drop(engine)
    shop.rules.rules["DETECTOR_ERROR"] = action
    first = shop.first()
    assert first.exchange.outcome is outcome
    assert (b"Oslo" in first.body) == (action == "flag")
    assert shop.near.bodies
    assert shop.then("Hello.").status == 400, "this process remembers"


def test_who_writes_the_first_note_of_a_tenant_waits_for_the_others_look(engine: Engine) -> None:
    clock = Ticking()

    async def steps() -> None:
        one = notes(engine, clock, spread_s=0.05)
        first = one.put("acme", {"d": ("restricted",)})
        await one.aclose()
        assert not first.done()
        await first
        clock.later_ms = 60
        second = one.put("acme", {"e": ("restricted",)})
        await one.aclose()
        await asyncio.sleep(0)
        assert second.done()

    asyncio.run(steps())


def test_notes_end_with_time_and_those_that_are_made_again_go_on(engine: Engine) -> None:
    clock = Ticking()

    async def steps() -> None:
        one = notes(engine, clock, days=10)
        await one.put("acme", {"old": ("restricted",), "again": ("restricted",)})
        clock.later_ms = 6 * DAY_MS
        await one.put("acme", {"again": ("restricted",)})
        clock.later_ms = 11 * DAY_MS
        assert await one.find("acme", ["old"]) == frozenset()
        assert await one.find("acme", ["again"]) == {"restricted"}
        one.prune()
        assert count(engine) == 1
        await one.look()
        assert one.concerns("acme")
        clock.later_ms = 30 * DAY_MS
        await notes(engine, clock, days=10).look()
        other = notes(engine, clock, days=10)
        await other.look()
        assert not other.concerns("acme")

    asyncio.run(steps())


def test_of_very_many_notes_of_a_tenant_the_latest_stay(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classnotes, "MAX_NOTES", 3)
    monkeypatch.setattr(classnotes, "PRUNED", 2)
    clock = Ticking()

    async def steps() -> None:
        one = notes(engine, clock)
        for n in range(8):
            clock.later_ms = n
            await one.put("acme", {f"d{n}": ("restricted",)})
        await one.put("globex", {"x": ("restricted",)})
        one.prune()
        left = [n for n in range(8) if await one.find("acme", [f"d{n}"])]
        assert left == [5, 6, 7]
        assert await one.find("globex", ["x"])

    asyncio.run(steps())


def test_failure_is_told_to_who_waits_and_to_nobody_else(engine: Engine) -> None:
    drop(engine)

    async def steps() -> None:
        one = notes(engine)
        with pytest.raises(StickingUnavailable):
            await one.put("acme", {"d": ("restricted",)})
        with pytest.raises(StickingUnavailable):
            await one.find("acme", ["d"])
        one.put("acme", {"d": ("restricted",)})
        await one.aclose()

    asyncio.run(steps())
