"""Whether what is kept of texts is what the entries say was kept.

An entry's commitment is under a salt that stands in the payload alone, so this needs the keys
that the payloads are sealed with. What was erased is no fault: nothing is left to compare.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, exists, select

from gateway.audit import sealing
from gateway.audit.custody import ERASED, EXPIRED, REFUSED
from gateway.audit.holds import held
from gateway.audit.report import Problem, Report
from gateway.audit.sealing import Unsealable
from gateway.audit.tables import audit_entry, audit_payload
from gateway.audit.unsealing import COLUMNS, JOINED, unsealed
from gateway.core.errors import GatewayError
from gateway.core.ports import TenantKeys

# What was on its way when somebody was erased went with the rest, for its key was gone.
LAG_MS = 60_000


def verify_payloads(connection: Connection, keys: TenantKeys | None, report: Report) -> None:
    """Open every payload, and compare it with its entry's commitment; look for those missing."""
    excuses = _Excuses(connection)
    _missing(connection, excuses, report)
    _returned(connection, excuses, report)
    if keys is None:
        if connection.execute(select(audit_payload.c.entry_id).limit(1)).first() is None:
            return
        report.unchecked.append("payloads: the keys that seal them were not given")
        return
    payload, entry = audit_payload.c, audit_entry.c
    statement = select(*COLUMNS, entry.core, entry.replica, entry.epoch, entry.n).select_from(
        JOINED.outerjoin(
            audit_entry, (entry.ts_ms == payload.ts_ms) & (entry.entry_id == payload.entry_id)
        )
    )
    with connection.execute(statement) as found:
        for row in found:
            report.payloads += 1
            try:
                fault = _fault(row, keys)
            except GatewayError as err:
                report.unchecked.append(f"payloads: {err}")
                return
            if fault:
                report.add(Problem(*fault, row.replica or "", row.epoch or 0, row.n))


def _missing(connection: Connection, excuses: _Excuses, report: Report) -> None:
    """Payloads that are not there although no entry says why."""
    entry, payload = audit_entry.c, audit_payload.c
    gone = select(entry.core, entry.replica, entry.epoch, entry.n).where(
        entry.core.contains('"payload":{"bytes":', autoescape=True),
        ~exists().where(payload.entry_id == entry.entry_id),
    )
    with connection.execute(gone) as found:
        for row in found:
            core = json.loads(row.core)
            if _said(row.core) is not None and not excuses.fit(core):
                message = "its payload is not there, and no entry says that it was erased"
                report.add(Problem("payload_missing", message, row.replica, row.epoch, row.n))


def _returned(connection: Connection, excuses: _Excuses, report: Report) -> None:
    """Payloads of somebody who was erased after they were written: from a backup, or the spool.

    One that is on hold was never erased, for a hold that comes just in time stops it.
    """
    entry, payload = audit_entry.c, audit_payload.c
    there = (
        select(payload.entry_id, payload.tenant, payload.subject, payload.ts_ms)
        .add_columns(entry.replica, entry.epoch, entry.n)
        .select_from(
            audit_payload.outerjoin(
                audit_entry, (entry.ts_ms == payload.ts_ms) & (entry.entry_id == payload.entry_id)
            )
        )
        .where(~held())
    )
    for tenant, subject, erased_ms in excuses.erased():
        whose = (payload.tenant == tenant, payload.subject == subject, payload.ts_ms < erased_ms)
        for row in connection.execute(there.where(*whose)):
            message = f"payload {row.entry_id}: its person was erased since. Erase again"
            report.add(
                Problem("payload_returned", message, row.replica or "", row.epoch or 0, row.n)
            )


class _Excuses:
    """What the log says of payloads that were destroyed."""

    def __init__(self, connection: Connection) -> None:
        self._erased: dict[tuple[str, str], int] = {}
        self._before: dict[str, int] = {}
        kind = audit_entry.c.kind
        acts = select(audit_entry.c.core).where(kind.in_((ERASED, REFUSED, EXPIRED)))
        cores = [json.loads(row.core) for row in connection.execute(acts)]
        refused = {core["data"]["erasure"] for core in cores if core["kind"] == REFUSED}
        for core in cores:
            data = core["data"]
            if core["kind"] == ERASED and data.get("erasure") not in refused:
                whose = core["tenant"], data["subject"]
                self._erased[whose] = max(core["ts_ms"], self._erased.get(whose, 0))
            elif core["kind"] == EXPIRED:
                for retention, before_ms in data["before_ms"].items():
                    self._before[retention] = max(before_ms, self._before.get(retention, 0))

    def fit(self, core: dict[str, Any]) -> bool:
        """Whether the payload of this entry was erased, or its time was over."""
        data = core["data"]
        before_ms = self._before.get(data["payload"]["retention"], 0)
        erased_ms = self._erased.get((core["tenant"], data.get("subject", "")), -LAG_MS)
        return bool(core["ts_ms"] < max(before_ms, erased_ms + LAG_MS))

    def erased(self) -> Iterator[tuple[str, str, int]]:
        """(tenant, reference, when) of everybody who was, the last time."""
        for (tenant, subject), erased_ms in self._erased.items():
            yield tenant, subject, erased_ms


def _fault(row: Any, keys: TenantKeys) -> tuple[str, str] | None:
    """(code, message) of what is wrong with a payload; None if nothing is."""
    said = _said(row.core)
    if said is None:
        return "payload_unknown", f"payload {row.entry_id}: no entry says that it was kept"
    changed = "payload_changed", f"payload {row.entry_id}: it, or its key, was changed"
    try:
        salt, document = unsealed(row, keys)
    except Unsealable:
        return changed
    if sealing.commitment(salt, document) != said:
        return "payload_swapped", f"payload {row.entry_id}: it is not what its entry says"
    return None


def _said(core: str | None) -> str | None:
    """The commitment in an entry."""
    try:
        found = json.loads(core or "{}")["data"]["payload"]["commitment"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
