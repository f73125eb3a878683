"""The register in SQL, and what running gateways have of it in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from gateway import db
from gateway.core.errors import ConfigError
from gateway.detectors._verbatim.following import Following
from gateway.detectors._verbatim.registry import Registry
from gateway.detectors._verbatim.store import Register, WorkInfo
from tests.detectors.verbatim.texts import Author, found

KEY = b"k" * 32
AUTHOR = Author(21)
ONE, TWO = (" ".join(AUTHOR.work(300)) for _ in range(2))


class Clock:
    """Goes on by a millisecond each time."""

    ms = 0

    def now_ms(self) -> int:
        self.ms += 1
        return self.ms

    def monotonic_ms(self) -> float:
        return float(self.now_ms())


def info(id_: str, **facts: str) -> WorkInfo:
    told = {"title": "", "owner": "", "licence": "", **facts}
    return WorkInfo(id_, told["title"], told["owner"], told["licence"], 0, 0)


@pytest.fixture
def register(engine: Engine) -> Register:
    return Register(engine, KEY, Clock())


@pytest.fixture
def add(register: Register) -> Callable[[str, str], None]:
    return lambda id_, words: register.add(*register.read(info(id_), words))


def named(registry: Registry, answer: str) -> set[str]:
    return {f.note for f in found(Following(lambda: registry.works), answer)}


def test_what_is_added_is_listed_and_can_be_removed(register: Register) -> None:
    made, kept = register.read(info("one", title="T", owner="O", licence="L"), ONE)
    register.add(made, kept)
    assert register.infos() == [made]
    assert (made.title, made.owner, made.licence, made.words) == ("T", "O", "L", len(ONE.split()))
    assert register.fetch(["one", "other"]) == [("one", kept)]
    assert register.remove("one")
    assert not register.remove("one")
    assert register.infos() == []


def test_an_id_is_given_once(add: Callable[[str, str], None]) -> None:
    add("one", ONE)
    with pytest.raises(ConfigError, match="already"):
        add("one", TWO)


@pytest.mark.parametrize("id_", ["", "-x", "a b", "a/b", "x" * 65, "\u00e9"])
def test_odd_ids_are_refused(id_: str, register: Register) -> None:
    with pytest.raises(ConfigError, match="1 to 64"):
        register.read(info(id_), ONE)


def test_too_little_text_is_refused(register: Register) -> None:
    with pytest.raises(ConfigError, match="nothing to register"):
        register.read(info("one"), "Only three words.")
    with pytest.raises(ConfigError, match="nothing to register"):
        register.read(info("one"), ONE, free=ONE)
    with pytest.raises(ConfigError, match="--title"):
        register.read(info("one", title="x" * 257), ONE)


def test_no_word_of_a_work_is_in_the_database(
    engine: Engine, add: Callable[[str, str], None]
) -> None:
    add("one", ONE)
    with db.snapshot(engine) as connection:
        (row,) = connection.execute(text("SELECT * FROM work"))
    assert not any(
        word.encode() in repr(tuple(row)).encode() for word in ONE.split() if len(word) > 6
    )


def test_a_running_gateway_learns_what_is_added_and_removed(
    engine: Engine, register: Register, add: Callable[[str, str], None]
) -> None:
    async def run() -> list[set[str]]:
        seen = []
        registry = Registry(engine, KEY, clock=Clock(), ttl_s=0.01)
        await registry.start()
        try:
            for change in (
                lambda: None,
                lambda: add("one", ONE),
                lambda: add("two", TWO),
                lambda: register.remove("one"),
                lambda: add("one", TWO),
            ):
                before = registry.works
                await asyncio.to_thread(change)
                for _ in range(500):
                    await asyncio.sleep(0.01)
                    if registry.works is not before:
                        break
                    if not registry.works and not register.infos():
                        break
                seen.append(named(registry, f"{ONE}\n{TWO}"))
        finally:
            await registry.aclose()
        return seen

    assert asyncio.run(run()) == [set(), {"one"}, {"one", "two"}, {"two"}, {"one", "two"}]


def test_what_has_not_changed_is_not_built_again(
    engine: Engine, add: Callable[[str, str], None]
) -> None:
    registry = Registry(engine, KEY, clock=Clock())
    add("one", ONE)
    registry.refresh()
    works = registry.works
    registry.refresh()
    assert registry.works is works


def test_works_of_another_key_are_told_not_used(
    engine: Engine, add: Callable[[str, str], None]
) -> None:
    add("one", ONE)
    registry = Registry(engine, b"x" * 32, clock=Clock())
    registry.refresh()
    assert not registry.works
    assert "1 were registered under another key" in registry.caution
    assert [i.usable for i in Register(engine, b"x" * 32, Clock()).infos()] == [False]


def test_while_the_database_is_away_the_last_state_holds(
    engine: Engine, add: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> set[str]:
        registry = Registry(engine, KEY, clock=Clock(), ttl_s=0.01)
        await registry.start()
        with db.writing(engine) as connection:
            connection.execute(text("ALTER TABLE work RENAME TO gone"))
        for _ in range(500):
            await asyncio.sleep(0.01)
            if caplog.records:
                break
        seen = named(registry, ONE)
        await registry.aclose()
        return seen

    add("one", ONE)
    assert asyncio.run(run()) == {"one"}
    assert "could not be loaded" in caplog.text
