"""What people do with what is kept of texts: hold it, erase it, let its time be over.

Each act is an entry of the log, durable before it is done. Every call blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, select

from gateway.audit import erasing, holds
from gateway.audit.erasing import Gone
from gateway.audit.holds import Hold
from gateway.audit.tables import audit_entry
from gateway.core.errors import ConfigError, GatewayError
from gateway.core.ids import new_id
from gateway.core.ports import Clock, Entry
from gateway.db import flush, snapshot, writing

ERASED, EXPIRED = "subject.erased", "payload.expired"
REFUSED = "subject.erasure_refused"
EXPORTED = "access.subject_export"
PLACED, LIFTED = "hold.placed", "hold.lifted"
FLUSH_S = 10.0
_DAY_MS = 24 * 60 * 60 * 1_000
MAX_REASON_CHARS = 2_000


class OnHold(GatewayError):
    """What is on hold is not erased."""

    def __init__(self, holds: list[Hold]) -> None:
        self.holds = [hold.hold_id for hold in holds]
        named = ", ".join(self.holds[:5])
        super().__init__(
            f"Nothing is erased: {len(holds)} holds are on it ({named}). See `gateway audit hold "
            "list`; `gateway audit hold lift` lifts one."
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, why, and how he comes. name: as he calls himself. key_id: if he has a key."""

    name: str
    reason: str
    via: str
    key_id: str = ""

    def said(self) -> dict[str, str]:
        """As the log says it. Raises ConfigError without a reason."""
        if not 0 < len(self.reason.strip()) <= MAX_REASON_CHARS:
            raise ConfigError(f"Say why, in 1 to {MAX_REASON_CHARS} characters.")
        return {"by": self.name, "reason": self.reason.strip(), "via": self.via}


class Custodian:
    """record: puts an entry on the log, durable when it returns; raises a GatewayError if not.

    flush_s: how long it is waited for those who read the database just now.
    """

    def __init__(
        self,
        engine: Engine,
        record: Callable[[Entry], None],
        clock: Clock,
        *,
        flush_s: float = FLUSH_S,
    ) -> None:
        self._engine = engine
        self._flush_s = flush_s
        self._record = record
        self._clock = clock

    def place(self, by: Actor, *, tenant: str, subject: str = "", exchange_id: str = "") -> Hold:
        """Have nothing erased of this person, this exchange or, without either, this tenant.

        Raises ConfigError for an exchange that the log has not: such a hold would keep nothing.
        """
        said, now_ms = by.said(), self._clock.now_ms()
        if exchange_id:
            self._must_be(tenant, exchange_id)
        hold = Hold(new_id(), tenant, subject, exchange_id, said["reason"], by.name, now_ms)
        about = {"hold": hold.hold_id, "subject": subject}
        self._say(PLACED, by, {**said, **about}, tenant=tenant, exchange_id=exchange_id)
        with writing(self._engine) as connection:
            holds.insert(connection, hold)
        return hold

    def lift(self, by: Actor, hold_id: str) -> Hold:
        """Let this be erased again. Raises ConfigError if there is no such hold."""
        said = by.said()
        with snapshot(self._engine) as connection:
            hold = holds.find(connection, hold_id)
        about = {"hold": hold.hold_id, "subject": hold.subject}
        self._say(LIFTED, by, {**said, **about}, tenant=hold.tenant, exchange_id=hold.exchange_id)
        with writing(self._engine) as connection:
            holds.lift(connection, hold.hold_id, by.name, self._clock.now_ms())
        return hold

    def holds(self, *, all_: bool = False) -> list[Hold]:
        """Those in force, or all there ever were; the oldest first."""
        with snapshot(self._engine) as connection:
            return holds.listing(connection, all_=all_)

    def erase(self, by: Actor, *, tenant: str, subject: str) -> Gone:
        """Destroy what is kept of this person's texts, and the keys, so that copies are unreadable.

        Raises OnHold if some of it must be kept. If a hold comes between the entry that says so and
        the erasure, a second entry takes the first one back.
        """
        said = by.said()
        with snapshot(self._engine) as connection:
            _refuse(holds.of_subject(connection, tenant, subject))
            gone = erasing.count(connection, tenant, subject)
        about = {**said, "subject": subject, "erasure": new_id()}
        core = {**about, "payloads": gone.payloads, "keys": gone.keys}
        self._say(ERASED, by, core, tenant=tenant)
        try:
            gone = self._erase(tenant, subject)
        except OnHold as held:
            self._say(REFUSED, by, {**about, "holds": held.holds}, tenant=tenant)
            raise
        return replace(gone, flushed=flush(self._engine, wait_s=self._flush_s))

    def over(self, days: Mapping[str, int]) -> list[Gone]:
        """What would go by these days for each class; 0: never. What is on hold stays."""
        with snapshot(self._engine) as connection:
            return [
                erasing.over(connection, retention, before_ms)
                for retention, before_ms in self._ends(days).items()
            ]

    def expire(self, by: Actor, days: Mapping[str, int]) -> list[Gone]:
        """Destroy what is kept for longer than that, and keys that nothing needs any more."""
        ends = self._ends(days)
        found = [each for each in self.over(days) if each.payloads]
        if not found:
            # What an earlier one could not yet.
            flush(self._engine, wait_s=self._flush_s)
            return []
        before = {each.retention: ends[each.retention] for each in found}
        count = sum(each.payloads for each in found)
        self._say(EXPIRED, by, {**by.said(), "before_ms": before, "payloads": count})
        for retention, before_ms in before.items():
            while True:
                with writing(self._engine) as connection:
                    holds.freeze(connection)
                    if not erasing.expire(connection, retention, before_ms):
                        break
        with writing(self._engine) as connection:
            erasing.drop_keys(connection, self._clock.now_ms())
        flushed = flush(self._engine, wait_s=self._flush_s)
        return [replace(each, flushed=flushed) for each in found]

    def _erase(self, tenant: str, subject: str) -> Gone:
        with writing(self._engine) as connection:
            holds.freeze(connection)
            # Once more, for a hold may have been placed by now.
            _refuse(holds.of_subject(connection, tenant, subject))
            return erasing.erase(connection, tenant, subject, self._clock.now_ms())

    def _must_be(self, tenant: str, exchange_id: str) -> None:
        entry = audit_entry.c
        of_it = select(entry.entry_id).where(
            entry.exchange_id == exchange_id, entry.tenant == tenant
        )
        with snapshot(self._engine) as connection:
            if connection.execute(of_it.limit(1)).first() is None:
                raise ConfigError(
                    f"Tenant {tenant[:40]!r} has no exchange {exchange_id[:40]!r} in the log, so a "
                    "hold would keep nothing. Give its whole id, and --tenant. See: gateway audit "
                    "query"
                )

    def _ends(self, days: Mapping[str, int]) -> dict[str, int]:
        now_ms = self._clock.now_ms()
        return {name: now_ms - each * _DAY_MS for name, each in sorted(days.items()) if each}

    def _say(
        self, kind: str, by: Actor, core: dict[str, Any], *, tenant: str = "", exchange_id: str = ""
    ) -> None:
        self._record(Entry(exchange_id, kind, core, tenant=tenant, key_id=by.key_id))


def _refuse(found: list[Hold]) -> None:
    if found:
        raise OnHold(found)
