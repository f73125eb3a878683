"""Whether what is kept of texts is what the entries say was kept.

An entry's commitment is under a salt that stands in the payload alone, so this needs the keys
that the payloads are sealed with. What was erased is no fault: nothing is left to compare.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from gateway.audit import sealing
from gateway.audit.report import Problem, Report
from gateway.audit.sealing import KeyRow, PayloadRow, Unsealable
from gateway.audit.tables import audit_entry, audit_payload, audit_payload_key
from gateway.core.errors import GatewayError
from gateway.core.ports import TenantKeys


def verify_payloads(connection: Connection, keys: TenantKeys | None, report: Report) -> None:
    """Open every payload, and compare it with its entry's commitment."""
    if keys is None:
        if connection.execute(select(audit_payload.c.entry_id).limit(1)).first() is None:
            return
        report.unchecked.append("payloads: the keys that seal them were not given")
        return
    wrapping = audit_payload_key.alias("k")
    payload, entry, key = audit_payload.c, audit_entry.c, wrapping.c
    columns = [getattr(key, name).label(f"k_{name}") for name in KeyRow._fields]
    statement = select(
        *(getattr(payload, name) for name in PayloadRow._fields),
        *columns,
        entry.core,
        entry.replica,
        entry.epoch,
        entry.n,
    ).select_from(
        audit_payload.outerjoin(
            audit_entry, (entry.ts_ms == payload.ts_ms) & (entry.entry_id == payload.entry_id)
        ).outerjoin(wrapping, key.key_id == payload.key_id)
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


def _fault(row: Any, keys: TenantKeys) -> tuple[str, str] | None:
    """(code, message) of what is wrong with a payload; None if nothing is."""
    said = _said(row.core)
    if said is None:
        return "payload_unknown", f"payload {row.entry_id}: no entry says that it was kept"
    changed = "payload_changed", f"payload {row.entry_id}: it, or its key, was changed"
    if row.k_key_id is None:
        return changed
    wrapped = KeyRow._make(_plain(getattr(row, f"k_{name}")) for name in KeyRow._fields)
    sealed = PayloadRow._make(_plain(getattr(row, name)) for name in PayloadRow._fields)
    tenant_key = keys.key(wrapped.tenant, wrapped.version)
    try:
        salt, document = sealing.unseal(sealing.unwrap(tenant_key, wrapped), sealed)
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


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
