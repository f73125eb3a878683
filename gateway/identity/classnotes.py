"""Of what class things were that were said, in SQL: all replicas know it, also after a restart.

Of a text there is only a digest, made with its tenant's key. A request costs a question to the
database only if it has a history, and only for tenants of whom something is noted: which those
are, every replica looks up so often that a note counts nowhere before all of them look for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Table,
    Text,
    delete,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.core.errors import StickingUnavailable
from gateway.core.ports import Clock
from gateway.core.repeating import Repeating
from gateway.db import failures, metadata, snapshot, writing
from gateway.identity.batches import Batches, Row

class_note = Table(
    "class_note",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("names", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Index("ix_class_note_tenant_seen_ms", "tenant", "seen_ms"),
)
class_tenant = Table(
    "class_tenant",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("seen_ms", BigInteger, nullable=False),
)

MAX_NOTES = 100_000
# How often the tenants are looked up, and how long the first note of one waits for others' look.
LOOK_S = 0.5
SPREAD_S = 1.0
PRUNE_EVERY_MS = 10 * 60 * 1_000
PRUNED = 500
_ASKED_AT_ONCE = 500
_DAY_MS = 24 * 60 * 60 * 1_000

log = logging.getLogger(__name__)


class SqlClassNotes:
    """Implements `gateway.core.ports.ClassNotes`.

    days: how long a note is held after it was last made, 0: for ever; of a tenant's the latest
    MAX_NOTES. spread_s: longer than another replica may take between two looks.

    While the database is away, the tenants that were known last are those that are asked about:
    nobody can note anything of others then. Who is not known any more by then is not let in.
    """

    def __init__(
        self, engine: Engine, *, clock: Clock, days: int = 0, spread_s: float = SPREAD_S
    ) -> None:
        self._engine = engine
        self._failures = failures(engine)
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        self._clock = clock
        self._days = days
        self._spread_s = spread_s
        self._known_since_ms: dict[str, float] = {}
        self._batches = Batches(self._write, self._failures, name="gateway-class-notes")
        self._prune_ms = 0
        self._looks = Repeating(self._keep_up, every_s=LOOK_S, name="gateway-class-tenants")

    def concerns(self, tenant: str) -> bool:
        """Whether there may be notes on something of this tenant's. From memory."""
        return tenant in self._known_since_ms

    async def find(self, tenant: str, digests: Collection[str]) -> frozenset[str]:
        """The names of all classes that are noted for these. Raises StickingUnavailable."""
        try:
            return await asyncio.to_thread(self._select, tenant, digests)
        except self._failures as err:
            raise StickingUnavailable from err

    def put(self, tenant: str, notes: Mapping[str, Sequence[str]]) -> asyncio.Future[None]:
        """Note the names of classes, by digest; see `ClassNotes.put`."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        told.add_done_callback(_seen)
        now_ms = self._clock.now_ms()
        rows = [
            {"digest": digest, "names": ",".join(names), "tenant": tenant, "seen_ms": now_ms}
            for digest, names in notes.items()
        ]
        written = self._batches.add(rows)
        written.add_done_callback(lambda done: self._written(tenant, done, told))
        return told

    async def start(self) -> None:
        """Look which tenants are known, and keep looking until `aclose`."""
        await self.look()
        self._looks.start()

    async def aclose(self) -> None:
        """Stop looking; wait for what is being written."""
        await self._looks.aclose()
        await self._batches.aclose()

    async def look(self) -> None:
        """Look now which tenants are known. Raises what the database raises."""
        tenants = await asyncio.to_thread(self._tenants)
        now_ms = self._clock.monotonic_ms()
        for tenant in tenants:
            self._known_since_ms.setdefault(tenant, now_ms)
        # One whose first note was made here meanwhile stays.
        for tenant, since_ms in [*self._known_since_ms.items()]:
            if tenant not in tenants and now_ms - since_ms > self._spread_s * 1_000:
                del self._known_since_ms[tenant]

    def prune(self) -> None:
        """Let go of what is too old or too much, a little at a time. Blocks."""
        with snapshot(self._engine) as connection:
            tenants = [*connection.execute(select(class_tenant.c.tenant)).scalars()]
        for tenant in tenants:
            while self._prune_some(tenant) == PRUNED:
                pass

    async def _keep_up(self) -> None:
        try:
            await self.look()
            if self._clock.now_ms() >= self._prune_ms:
                self._prune_ms = self._clock.now_ms() + PRUNE_EVERY_MS
                await asyncio.to_thread(self.prune)
        except self._failures as err:
            log.warning("What sticks to conversations is not known: %s", type(err).__name__)

    def _written(self, tenant: str, done: asyncio.Future[None], told: asyncio.Future[None]) -> None:
        """Tell who waits, once others look for this tenant as well."""
        if told.done():
            return
        if done.cancelled() or done.exception() is not None:
            failed = StickingUnavailable()
            failed.__cause__ = None if done.cancelled() else done.exception()
            told.set_exception(failed)
            return
        now_ms = self._clock.monotonic_ms()
        since_ms = self._known_since_ms.setdefault(tenant, now_ms)
        wait_s = self._spread_s - (now_ms - since_ms) / 1_000
        if wait_s > 0:
            told.get_loop().call_later(wait_s, _tell, told)
        else:
            told.set_result(None)

    def _write(self, rows: list[Row]) -> None:
        """In the order of the key: replicas that write the same must not wait for each other."""
        notes = {(row["digest"], row["names"]): row for row in rows}
        tenants = {row["tenant"]: row["seen_ms"] for row in rows}
        with writing(self._engine) as connection:
            self._upsert(connection, class_note, [notes[key] for key in sorted(notes)])
            self._upsert(
                connection,
                class_tenant,
                [{"tenant": each, "seen_ms": tenants[each]} for each in sorted(tenants)],
            )

    def _upsert(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """One that is there already is written anew once a day only."""
        insert = self._insert(table)
        new_ms = insert.excluded.seen_ms
        statement = insert.on_conflict_do_update(
            index_elements=table.primary_key.columns,
            set_={"seen_ms": new_ms},
            where=table.c.seen_ms < new_ms - _DAY_MS,
        )
        connection.execute(statement, rows)

    def _select(self, tenant: str, digests: Collection[str]) -> frozenset[str]:
        found: set[str] = set()
        asked = sorted(digests)
        with snapshot(self._engine) as connection:
            for start in range(0, len(asked), _ASKED_AT_ONCE):
                some = asked[start : start + _ASKED_AT_ONCE]
                statement = select(class_note.c.names).where(
                    class_note.c.digest.in_(some),
                    class_note.c.tenant == tenant,
                    class_note.c.seen_ms >= self._oldest_ms(),
                )
                for names in connection.execute(statement.distinct()).scalars():
                    found.update(names.split(","))
        return frozenset(found)

    def _tenants(self) -> frozenset[str]:
        # A note may be a day younger than what is written of its tenant.
        statement = select(class_tenant.c.tenant).where(
            class_tenant.c.seen_ms >= self._oldest_ms() - _DAY_MS
        )
        with snapshot(self._engine) as connection:
            return frozenset(connection.execute(statement).scalars())

    def _prune_some(self, tenant: str) -> int:
        ours = class_note.c.tenant == tenant
        with writing(self._engine) as connection:
            latest = select(class_note.c.seen_ms).where(ours).order_by(class_note.c.seen_ms.desc())
            beyond_ms = connection.execute(latest.offset(MAX_NOTES).limit(1)).scalar() or 0
            old = class_note.c.seen_ms < max(self._oldest_ms(), beyond_ms + 1)
            key = (class_note.c.digest, class_note.c.names)
            some = select(*key).where(ours, old).limit(PRUNED)
            return connection.execute(delete(class_note).where(tuple_(*key).in_(some))).rowcount

    def _oldest_ms(self) -> int:
        return self._clock.now_ms() - self._days * _DAY_MS if self._days else 0


def _tell(told: asyncio.Future[None]) -> None:
    if not told.done():
        told.set_result(None)


def _seen(told: asyncio.Future[None]) -> None:
    """Who has left does not hear that it failed."""
    if not told.cancelled():
        told.exception()
