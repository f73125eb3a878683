"""Payloads and data keys destroyed, so that the database's files do not keep them.

On SQLite what is deleted is overwritten. On PostgreSQL it is gone for every query, and its bytes
until VACUUM has used their place; sealed as they are, with their key gone as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, exists, func, insert, select, update

from gateway.audit.holds import held
from gateway.audit.tables import audit_erased, audit_payload, audit_payload_key
from gateway.db import securely

AT_ONCE = 500
# A data key may be in use, for its process is about to write with it, so long after its making.
_IN_USE_MS = 40 * 24 * 60 * 60 * 1_000
# A key says when it was made by its process's clock, which may be ahead of ours by so much.
AHEAD_MS = 5_000

_PAYLOAD, _KEY, _ERASED = audit_payload.c, audit_payload_key.c, audit_erased.c


@dataclass(frozen=True, slots=True)
class Gone:
    """How much goes, or went. retention: the class, if it goes by that.

    flushed: whether the database's files hold nothing of it any more.
    """

    payloads: int
    keys: int = 0
    retention: str = ""
    flushed: bool = True


def count(connection: Connection, tenant: str, subject: str) -> Gone:
    """What there is of this person."""
    payloads = select(func.count()).where(_PAYLOAD.tenant == tenant, _PAYLOAD.subject == subject)
    keys = select(func.count()).where(_KEY.tenant == tenant, _KEY.subject == subject)
    return Gone(connection.execute(payloads).scalar_one(), connection.execute(keys).scalar_one())


def erase(connection: Connection, tenant: str, subject: str, now_ms: int) -> Gone:
    """Destroy this person's data keys, those on their way too, and with them all that they seal."""
    securely(connection)
    _let_in_no_more(connection, tenant, subject, now_ms + AHEAD_MS)
    payloads = delete(audit_payload).where(_PAYLOAD.tenant == tenant, _PAYLOAD.subject == subject)
    keys = delete(audit_payload_key).where(_KEY.tenant == tenant, _KEY.subject == subject)
    # Whoever writes with such a key is waited for, and what he wrote goes with it.
    gone = connection.execute(payloads).rowcount
    return Gone(gone, connection.execute(keys).rowcount)


def _let_in_no_more(connection: Connection, tenant: str, subject: str, until_ms: int) -> None:
    """Have keys of theirs refused that were made up to then, also by who inserts them just now."""
    if connection.dialect.name == "postgresql":
        # Who inserts such a key has it shared until his end; SQLite has one writer at a time.
        lock = func.pg_advisory_xact_lock(func.audit_lock_subject(tenant, subject))
        connection.execute(select(lock))
    later = case((_ERASED.until_ms < until_ms, until_ms), else_=_ERASED.until_ms)
    whose = (_ERASED.tenant == tenant, _ERASED.subject == subject)
    if not connection.execute(update(audit_erased).where(*whose).values(until_ms=later)).rowcount:
        row = {"tenant": tenant, "subject": subject, "until_ms": until_ms}
        connection.execute(insert(audit_erased).values(row))


def over(connection: Connection, retention: str, before_ms: int) -> Gone:
    """What would go of this class."""
    payloads = select(func.count()).where(
        _PAYLOAD.retention == retention, _PAYLOAD.ts_ms < before_ms, ~held()
    )
    return Gone(connection.execute(payloads).scalar_one(), retention=retention)


def expire(connection: Connection, retention: str, before_ms: int) -> int:
    """Destroy some of it; how many. Again and again until there is nothing."""
    securely(connection)
    some = (
        select(_PAYLOAD.entry_id)
        .where(_PAYLOAD.retention == retention, _PAYLOAD.ts_ms < before_ms, ~held())
        .limit(AT_ONCE)
    )
    return connection.execute(delete(audit_payload).where(_PAYLOAD.entry_id.in_(some))).rowcount


def drop_keys(connection: Connection, now_ms: int) -> int:
    """Destroy data keys of months that are over and that seal nothing any more; how many."""
    securely(connection)
    used = exists().where(_PAYLOAD.key_id == _KEY.key_id)
    old = delete(audit_payload_key).where(_KEY.created_ms < now_ms - _IN_USE_MS, ~used)
    return connection.execute(old).rowcount
