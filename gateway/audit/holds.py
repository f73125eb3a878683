"""Legal holds in SQL: what must not be erased for now, whoever asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, text, update
from sqlalchemy import insert as insert_into

from gateway.audit.tables import audit_hold, audit_payload
from gateway.core.errors import ConfigError

_HOLD, _PAYLOAD = audit_hold.c, audit_payload.c


@dataclass(frozen=True, slots=True)
class Hold:
    """One row of `audit_hold`. An empty subject or exchange: whichever it is."""

    hold_id: str
    tenant: str
    subject: str
    exchange_id: str
    reason: str
    placed_by: str
    placed_ms: int
    lifted_by: str = ""
    lifted_ms: int | None = None


def freeze(connection: Connection) -> None:
    """Let no hold come or go until this transaction ends; those that just do are waited for.

    To be called before it is asked whether something is held, by whoever then destroys it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE audit_hold IN SHARE MODE"))


def insert(connection: Connection, hold: Hold) -> None:
    """Put it in force."""
    connection.execute(insert_into(audit_hold).values(asdict(hold)))


def lift(connection: Connection, hold_id: str, by: str, now_ms: int) -> None:
    """It is in force no longer."""
    connection.execute(
        update(audit_hold)
        .where(_HOLD.hold_id == hold_id, _HOLD.lifted_ms.is_(None))
        .values(lifted_by=by, lifted_ms=now_ms)
    )


def find(connection: Connection, hold_id: str) -> Hold:
    """One that is in force. Raises ConfigError if there is none of this id."""
    found = _read(connection, _HOLD.hold_id == hold_id, _HOLD.lifted_ms.is_(None))
    if not found:
        raise ConfigError(
            f"There is no hold {hold_id[:40]!r} in force. See: gateway audit hold list"
        )
    return found[0]


def listing(connection: Connection, *, all_: bool = False) -> list[Hold]:
    """Those in force, or all there ever were; the oldest first."""
    return _read(connection, *(() if all_ else (_HOLD.lifted_ms.is_(None),)))


def of_subject(connection: Connection, tenant: str, subject: str) -> list[Hold]:
    """Those in force that something of this person's is on."""
    theirs = select(_PAYLOAD.exchange_id).where(
        _PAYLOAD.tenant == tenant, _PAYLOAD.subject == subject
    )
    return _read(
        connection,
        _HOLD.lifted_ms.is_(None),
        _HOLD.tenant == tenant,
        _HOLD.subject.in_(("", subject)),
        or_(_HOLD.exchange_id == "", _HOLD.exchange_id.in_(theirs)),
    )


def held() -> ColumnElement[bool]:
    """Whether a row of `audit_payload` is on hold."""
    return exists().where(
        and_(
            _HOLD.lifted_ms.is_(None),
            _HOLD.tenant == _PAYLOAD.tenant,
            or_(_HOLD.subject == "", _HOLD.subject == _PAYLOAD.subject),
            or_(_HOLD.exchange_id == "", _HOLD.exchange_id == _PAYLOAD.exchange_id),
        )
    )


def _read(connection: Connection, *where: Any) -> list[Hold]:
    statement = select(audit_hold).where(*where).order_by(_HOLD.placed_ms, _HOLD.hold_id)
    return [Hold(**row) for row in connection.execute(statement).mappings()]
