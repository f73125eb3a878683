"""A database with reviews in it, and what stands on both sides of them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine

from gateway.core.judgement import Principal, ReviewOrder
from gateway.core.ports import Counters
from gateway.core.reviews import ReviewState
from gateway.core.standing import Standing
from gateway.review.desk import Desk
from gateway.review.queue import Limits, ReviewQueue
from gateway.review.sealed import Seals
from gateway.review.store import Store
from tests.admin.house import Clock
from tests.pipeline.fakes import WHO, Asked, Backend, Bundle, Sink, ask_async, chat, house

REVIEWER = Principal("k9", "rita", "acme", roles=("reviewer",))
ANSWER = b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}}]}'
SOON = ReviewOrder(wait_s=30, expires_s=600, valid_s=60)
AT_ONCE = ReviewOrder(wait_s=0, expires_s=600, valid_s=60)


@dataclass
class Replica:
    """One gateway process on the database, as far as reviews are concerned."""

    queue: ReviewQueue
    bundle: Bundle
    sink: Sink
    counters: Counters
    clock: Clock
    backend: Backend = field(default_factory=lambda: Backend(ANSWER))
    standing: Standing = field(default_factory=Standing)

    async def ask(self, text: str = "Tell mia@x.org.", **fields: object) -> Asked:
        return await ask_async(
            house(
                self.backend,
                self.bundle,
                reviews=self.queue,
                sink=self.sink,
                clock=self.clock,
                counters=self.counters,
                terms=lambda *_: self.standing,
            ),
            chat(text, **fields),
        )

    async def waits(self) -> None:
        """Until a caller waits for a reviewer here."""
        for _ in range(1_000):
            if self.counters.values["reviews_waiting"]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("nobody waits")

    @property
    def sent(self) -> list[bytes]:
        """What has gone upstream."""
        return self.backend.bodies


@dataclass
class Shop:
    store: Store
    clock: Clock
    desk: Desk
    sink: Sink
    replicas: list[Replica] = field(default_factory=list)

    def replica(
        self,
        rules: dict[str, str] | None = None,
        order: ReviewOrder = AT_ONCE,
        limits: Limits = Limits(),  # noqa: B008
        sink: Sink | None = None,
    ) -> Replica:
        counters, sink = Counters(), sink or self.sink
        queue = ReviewQueue(self.store, sink, self.clock, counters, limits)
        bundle = Bundle(rules or {"EMAIL_ADDRESS": "require_review"}, order=order)
        self.replicas.append(Replica(queue, bundle, sink, counters, self.clock))
        return self.replicas[-1]

    async def open(self) -> str:
        """The id of the only review that waits."""
        (info,), _ = await self.desk.listing(REVIEWER, [ReviewState.WAITING])
        return info.id

    async def opened(self) -> str:
        """The same, once it is there."""
        for _ in range(1_000):
            found, _ = await self.desk.listing(REVIEWER, [ReviewState.WAITING])
            if found:
                return found[0].id
            await asyncio.sleep(0.01)
        raise AssertionError("no review was opened")

    @property
    def kinds(self) -> list[str]:
        """What was put on record of reviews."""
        return [e.kind for e in self.sink.entries if e.kind.startswith("review.")]

    def texts(self) -> int:
        """How many texts are stored."""
        with self.store.engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT count(*) FROM review_text")
            return int(found.scalar_one())


def seals() -> Seals:
    return Seals(lambda tenant: hashlib.sha256(tenant.encode()).digest())


@pytest.fixture
def within(engine: Engine) -> Callable[..., None]:
    """Runs a test on a database of its own, SQLite and PostgreSQL."""

    def run(test: Callable[[Shop], Awaitable[Any]]) -> None:
        async def whole() -> None:
            clock, sink = Clock(), Sink()
            store = Store(engine, seals(), clock)
            shop = Shop(store, clock, Desk(store, sink, Counters(), via="test"), sink)
            try:
                await test(shop)
            finally:
                for replica in shop.replicas:
                    await replica.queue.aclose()

        asyncio.run(whole())

    return run


__all__ = ["ANSWER", "AT_ONCE", "REVIEWER", "SOON", "WHO", "Replica", "Shop", "seals"]
