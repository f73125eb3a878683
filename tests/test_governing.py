"""Policies in the gateway as it is put together: two replicas on one database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from gateway import db, dialects
from gateway.app import Gateway
from gateway.audit.query import Filters, query
from gateway.core.calls import Call
from gateway.core.errors import ConfigError
from gateway.core.exchange import Exchange
from gateway.core.ids import new_id
from gateway.core.judgement import Principal
from gateway.core.people import same_person
from gateway.identity.keyring import Keyring
from gateway.lifecycle.acts import ActRefused
from gateway.lifecycle.desk import By
from gateway.pipeline.response import Head
from gateway.pipeline.run import run
from gateway.serve import admin_ports
from gateway.settings import Settings
from tests.audit.conftest import drop_triggers
from tests.lifecycle.house import policy

WHO = Principal("k1", "test", "acme", application="shop")
CHAT = dialects.load()["openai_chat"]
ANNA = By("anna", "because")
Test = Callable[[Gateway, Gateway], Awaitable[None]]


@pytest.fixture
def four_eyes() -> str:
    """Whether two people are wanted."""
    return "false"


@pytest.fixture
def replicas(tmp_path: Path, database_url: str, four_eyes: str) -> Callable[[Test], None]:
    """Runs a test with two gateways on one database; they look when they are told to."""

    def found(name: str) -> Settings:
        return Settings(
            data=str(tmp_path),
            database_url=database_url,
            detectors="patterns",
            reload_s=0,
            audit_heartbeat_s=0,
            audit_sequence_s=0,
            replica=name,
            policy_four_eyes=four_eyes,
            audit_payload_four_eyes=four_eyes,
        )

    @asynccontextmanager
    async def running(name: str) -> AsyncIterator[Gateway]:
        gateway = Gateway(found(name))
        try:
            await gateway.start()
            yield gateway
        finally:
            await gateway.aclose()

    def whole(test: Test) -> None:
        async def main() -> None:
            async with AsyncExitStack() as stack:
                one, two = [await stack.enter_async_context(running(r)) for r in ("r1", "r2")]
                await test(one, two)

        asyncio.run(main())

    Keyring.open(tmp_path / "keyring.json")
    return whole


async def ask(gateway: Gateway, said: str = "hello") -> int:
    """The status of one request for the echo model, through all but the sockets."""
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": said}]})
    exchange = Exchange(new_id(), WHO, CHAT.name, CHAT.paths[0], {}, Call(body.encode()))
    status = 0
    async with aclosing(run(exchange, CHAT, gateway.house())) as pieces:
        async for piece in pieces:
            status = piece.status if isinstance(piece, Head) else status
    return status


async def push(gateway: Gateway, name: str, then: str) -> str:
    """A bundle with one rule about every request."""
    desk = gateway.governing.desk
    bundle = await asyncio.to_thread(desk.sign, policy(name, then, "REQUEST"))
    return await asyncio.to_thread(desk.push, bundle, ANNA)


async def act(gateway: Gateway, what: str, *given: Any, **more: Any) -> None:
    await asyncio.to_thread(getattr(gateway.governing.desk, what), *given, **more)


def entries(gateway: Gateway, kind: str) -> list[dict[str, Any]]:
    return [e["data"] for e in query(gateway.engine, Filters(kind=kind), limit=1_000)]


def test_what_is_done_at_one_replica_counts_at_the_other(
    replicas: Callable[[Test], None],
) -> None:
    async def test(one: Gateway, two: Gateway) -> None:
        assert await ask(two) == 200
        await act(one, "activate", await push(one, "closed", "block"), ANNA)
        await two.governing.look()
        assert (await ask(two), two.bundle.revision) == (400, "closed@1")
        await act(two, "roll_back", ANNA)
        for each in (one, two):
            await each.governing.look()
            assert await ask(each) == 200
        told = [(e["what"], e["who"], e["in_force"]) for e in entries(one, "policy.change")]
        assert [what for what, _, _ in told] == ["proposed", "activated", "rolled_back"]

    replicas(test)


def test_a_shadow_changes_no_answer_and_is_counted(replicas: Callable[[Test], None]) -> None:
    async def test(one: Gateway, two: Gateway) -> None:
        digest = await push(one, "closed", "block")
        await act(one, "stage", digest, ANNA, percent=0)
        await one.governing.look()
        assert await ask(one) == 200
        (entry,) = entries(one, "exchange.closed")
        assert [(s["digest"], s["flip"], s["rules"]) for s in entry["shadow"]] == [
            (digest, "newly_blocked", ["closed/r"])
        ]
        (counter,) = [n for n in one.counters.values if n.startswith("policy_shadow_total")]
        assert 'shadow="block"' in counter

    replicas(test)


def test_a_rollout_that_blocks_too_much_takes_itself_back(
    replicas: Callable[[Test], None],
) -> None:
    async def test(one: Gateway, two: Gateway) -> None:
        digest = await push(one, "closed", "block")
        await act(one, "stage", digest, ANNA, percent=50, minimum=8)
        for each in (one, two):
            await each.governing.look()
        asked = [await ask(each, f"talk {n}") for n in range(25) for each in (one, two)]
        again = [await ask(each, f"talk {n}") for n in range(25) for each in (one, two)]
        assert asked == again
        assert {*asked} == {200, 400}
        for each in (one, two, one):
            await each.governing.look()
        last = one.governing.desk.store.acts()[-1]
        assert (last.what, last.who, last.digest) == ("rolled_back", "gateway", digest)
        assert "staged exchanges were blocked" in last.reason
        assert (await ask(one), await ask(two)) == (200, 200)
        told = entries(one, "policy.change")[-1]
        assert (told["what"], told["via"]) == ("rolled_back", "rollout")
        assert (
            one.counters.values.get("policy_rollbacks_total", 0)
            + two.counters.values.get("policy_rollbacks_total", 0)
            == 1
        )

    replicas(test)


def test_a_gateway_does_not_start_on_a_bundle_that_was_changed(
    replicas: Callable[[Test], None], database_url: str
) -> None:
    async def test(one: Gateway, two: Gateway) -> None:
        await act(one, "activate", await push(one, "closed", "block"), ANNA)
        await one.governing.look()
        engine = db.open_engine(database_url)
        drop_triggers(engine)
        with db.writing(engine) as connection:
            connection.execute(text("UPDATE policy_bundle SET sources = '[]'"))
        engine.dispose()
        await two.governing.look()
        assert (await ask(one), await ask(two)) == (400, 200)
        assert "not what was signed" in two.notices()["policy bundle"]
        late = Gateway(one.settings)
        with pytest.raises(ConfigError, match="cannot be used"):
            await late.governing.start()
        await late.aclose()

    replicas(test)


@pytest.mark.parametrize("four_eyes", ["true"])
def test_whose_a_key_is_counts_where_two_people_are_wanted(
    replicas: Callable[[Test], None],
) -> None:
    async def test(one: Gateway, _: Gateway) -> None:
        made = [(await asyncio.to_thread(one.keys.new, name))[0] for name in ("Anna", "anna")]
        first, second = (By(f"key:{who.key_id}", "because") for who in made)
        desk = one.governing.desk

        def act() -> None:
            digest = desk.push(desk.sign(policy("one")), first)
            with pytest.raises(ActRefused, match="somebody else"):
                desk.approve(digest, second)
            leave = admin_ports(one).payload_leave
            assert leave.four_eyes
            assert same_person(made[0].key_id, made[1].key_id, leave.person_of)

        await asyncio.to_thread(act)

    replicas(test)
