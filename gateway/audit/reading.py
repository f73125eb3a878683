"""Reading what is kept of texts: with a reason, for a while, where wanted with a second person.

Each step is an entry of the log, durable before it is so; that somebody reads, before he sees
anything. Every call blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from gateway.audit.custody import Actor
from gateway.audit.tables import audit_payload, audit_reading
from gateway.audit.unsealing import opened
from gateway.core.errors import ConfigError, GatewayError
from gateway.core.ids import new_id
from gateway.core.people import PersonOf, same_person
from gateway.core.ports import Clock, Entry, TenantKeys
from gateway.db import snapshot, writing

ASKED, APPROVED, READ = "payload.asked", "payload.approved", "access.payload_read"
MAX_LISTED = 200
_READING, _PAYLOAD = audit_reading.c, audit_payload.c
_MINUTE_MS = 60_000


class MayNotRead(GatewayError):
    """Somebody may not read this, or not yet."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of `audit_reading`. `asked_by` and `approved_by`: a key's id, else a name.

    approved_ms: None until it counts; see `Leave`.
    """

    reading_id: str
    exchange_id: str
    tenant: str
    reason: str
    asked_by: str
    asked_ms: int
    approved_by: str
    approved_ms: int | None
    expires_ms: int

    @property
    def approved(self) -> bool:
        """Whether its asker may read, as long as it has not expired."""
        return self.approved_ms is not None


@dataclass(frozen=True, slots=True)
class Leave:
    """four_eyes: whether somebody else must approve. minutes: how long that counts.

    person_of: whose a key is that asked, or approved.
    """

    four_eyes: bool = False
    minutes: int = 60
    person_of: PersonOf = str

    def given(self, reading: Reading) -> Reading:
        """The reading without an approval that would not do today, whenever it was asked for."""
        by = reading.approved_by
        if self.four_eyes and (not by or same_person(reading.asked_by, by, self.person_of)):
            return replace(reading, approved_by="", approved_ms=None)
        return reading


class Readings:
    """record: puts an entry on the log, durable when it returns; raises a GatewayError if not.

    tenant: whose texts may be read here; None: everybody's.
    """

    def __init__(
        self,
        engine: Engine,
        keys: TenantKeys,
        leave: Leave,
        *,
        record: Callable[[Entry], None],
        clock: Clock,
        tenant: str | None = None,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._leave = leave
        self._record = record
        self._clock = clock
        self._tenant = tenant

    def ask(self, by: Actor, exchange_id: str) -> Reading:
        """Leave to read one exchange's texts: what this person has already, or a new one.

        Raises ConfigError if nothing is kept of it, or there is no reason.
        """
        now_ms, said = self._clock.now_ms(), by.said()
        with snapshot(self._engine) as connection:
            kept = select(_PAYLOAD.tenant).where(_PAYLOAD.exchange_id == exchange_id)
            tenants = connection.execute(kept.limit(1)).scalars().all()
        if not tenants or self._tenant not in (None, tenants[0]):
            raise ConfigError(f"Nothing is kept of the texts of exchange {exchange_id[:40]!r}.")
        mine = (_READING.exchange_id == exchange_id, _READING.asked_by == _name(by))
        for reading in self._find(*mine, _READING.expires_ms > now_ms):
            return reading
        alone = not self._leave.four_eyes
        reading = Reading(
            new_id(), exchange_id, tenants[0], said["reason"], _name(by), now_ms,
            "", now_ms if alone else None, now_ms + self._leave.minutes * _MINUTE_MS,
        )  # fmt: skip
        self._say(ASKED, by, reading, said)
        with writing(self._engine) as connection:
            row = {name: getattr(reading, name) for name in Reading.__slots__}
            connection.execute(insert(audit_reading).values(row))
        return reading

    def approve(self, by: Actor, reading_id: str) -> Reading:
        """Let somebody else read. Raises MayNotRead for one's own, or what has expired."""
        now_ms, said = self._clock.now_ms(), by.said()
        reading = self._one(reading_id)
        if same_person(reading.asked_by, _name(by), self._leave.person_of):
            raise MayNotRead(
                "Nobody approves what he has asked for himself. Keys of one name are one person's."
            )
        if reading.approved:
            raise MayNotRead("It is approved already.")
        expires_ms = now_ms + self._leave.minutes * _MINUTE_MS
        self._say(APPROVED, by, reading, said)
        with writing(self._engine) as connection:
            connection.execute(
                update(audit_reading)
                .where(_READING.reading_id == reading_id)
                .values(approved_by=_name(by), approved_ms=now_ms, expires_ms=expires_ms)
            )
        return self._one(reading_id)

    def read(self, by: Actor, reading_id: str) -> list[dict[str, Any]]:
        """The texts. Raises MayNotRead unless it is this person's, approved and not expired."""
        reading = self._one(reading_id)
        if reading.asked_by != _name(by):
            raise MayNotRead("Only who asked for it may read it.")
        if not reading.approved:
            raise MayNotRead("Somebody else must approve it first.")
        self._say(READ, by, reading, {"reason": reading.reason, "via": by.via, "by": by.name})
        with snapshot(self._engine) as connection:
            return [*opened(connection, self._keys, _PAYLOAD.exchange_id == reading.exchange_id)]

    def listing(self) -> list[Reading]:
        """Those that have not expired, oldest first."""
        return self._find(_READING.expires_ms > self._clock.now_ms())

    def _one(self, reading_id: str) -> Reading:
        now_ms = self._clock.now_ms()
        found = self._find(_READING.reading_id == reading_id, _READING.expires_ms > now_ms)
        if not found:
            raise ConfigError(f"There is no reading {reading_id[:40]!r}, or its time is over.")
        return found[0]

    def _find(self, *where: Any) -> list[Reading]:
        if self._tenant is not None:
            where = (*where, _READING.tenant == self._tenant)
        ordered = select(audit_reading).where(*where).order_by(_READING.asked_ms).limit(MAX_LISTED)
        with snapshot(self._engine) as connection:
            found = [_reading(row) for row in connection.execute(ordered)]
        return [self._leave.given(reading) for reading in found]

    def _say(self, kind: str, by: Actor, reading: Reading, said: dict[str, str]) -> None:
        core = {**said, "reading": reading.reading_id, "asked_by": reading.asked_by}
        self._record(
            Entry(reading.exchange_id, kind, core, tenant=reading.tenant, key_id=by.key_id)
        )


def _name(by: Actor) -> str:
    return by.key_id or by.name


def _reading(row: Row[Any]) -> Reading:
    return Reading(**{name: getattr(row, name) for name in Reading.__slots__})
