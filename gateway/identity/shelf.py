"""What upstreams keep, and whose it is, in SQL.

An upstream tells its customers apart, and the gateway is one customer: what one tenant had
kept there, another could read by its id. So each id is noted with its tenant before it is
told to anybody. Of the id only a digest is stored, made with the tenant's key.

How a dialect uses it: its reader puts ids that the upstream keeps on `Reader.kept`, and its
requests name the ids they reach for in `Message.asks`. The corridor does the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy import BigInteger, Column, Connection, Engine, Table, Text, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.core.errors import ShelfUnavailable
from gateway.core.ports import Clock
from gateway.db import failures, metadata, snapshot, writing
from gateway.identity.batches import Batches, Row

kept = Table(
    "kept",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False, index=True),
)

REMEMBERED = 10_000
# How many rows one transaction removes, and how often old ones are looked for.
PRUNED = 500
PRUNE_EVERY_MS = 60 * 60 * 1_000
_DAY_MS = 24 * 60 * 60 * 1_000


class SqlShelf:
    """The table, and what this process has seen of it lately.

    seal: (tenant, bytes) -> keyed digest. days: how long a note is held at least, 0: for ever;
    older ones go when new ones come.
    """

    def __init__(
        self, engine: Engine, *, seal: Callable[[str, bytes], str], clock: Clock, days: int = 0
    ) -> None:
        self._engine = engine
        self._failures = failures(engine)
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        self._seal = seal
        self._clock = clock
        self._days = days
        self._prune_ms = 0
        self._models: dict[str, str] = {}
        self._batches = Batches(self._add, self._failures, name="gateway-shelf")

    async def put(self, tenant: str, ids: Sequence[str], *, model: str) -> None:
        """Note whose these are. Durable when it returns. Raises ShelfUnavailable."""
        digests = {self._digest(tenant, id_) for id_ in ids} - self._models.keys()
        if not digests:
            return
        common = {"tenant": tenant, "model": model, "created_ms": self._clock.now_ms()}
        try:
            await self._batches.add([{"digest": d, **common} for d in digests])
        except self._failures as err:
            raise ShelfUnavailable from err
        for digest in digests:
            self._remember(digest, model)

    async def model(self, tenant: str, id_: str) -> str | None:
        """The model this tenant had it made with; None if it is not this tenant's."""
        digest = self._digest(tenant, id_)
        model = self._models.get(digest)
        if model is None:
            try:
                model = await asyncio.to_thread(self._select, digest)
            except self._failures as err:
                raise ShelfUnavailable from err
            if model is not None:
                self._remember(digest, model)
        return model

    async def aclose(self) -> None:
        """Wait for what is being written."""
        await self._batches.aclose()

    def _add(self, rows: list[Row]) -> None:
        with writing(self._engine) as connection:
            connection.execute(self._insert(kept).on_conflict_do_nothing(), rows)
            now_ms = self._clock.now_ms()
            if self._days and now_ms >= self._prune_ms:
                self._prune(connection, now_ms)

    def _prune(self, connection: Connection, now_ms: int) -> None:
        """Let go of the oldest notes, a few at a time: whoever waits for this write waits."""
        old = select(kept.c.digest).where(kept.c.created_ms < now_ms - self._days * _DAY_MS)
        gone = connection.execute(delete(kept).where(kept.c.digest.in_(old.limit(PRUNED))))
        if gone.rowcount < PRUNED:
            self._prune_ms = now_ms + PRUNE_EVERY_MS

    def _select(self, digest: str) -> str | None:
        with snapshot(self._engine) as connection:
            return connection.execute(
                select(kept.c.model).where(kept.c.digest == digest)
            ).scalar_one_or_none()

    def _digest(self, tenant: str, id_: str) -> str:
        return self._seal(tenant, b"kept:" + id_.encode())

    def _remember(self, digest: str, model: str) -> None:
        if len(self._models) >= REMEMBERED:
            del self._models[next(iter(self._models))]
        self._models[digest] = model
