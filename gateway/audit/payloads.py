"""What is kept of texts on its way into the database, in the same transaction as its entry.

The entry's commitment is made where the entry is made; sealing is left to the writer's thread,
which alone knows the data keys of this process.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, select

from gateway.audit import sealing
from gateway.audit.append import WriteError
from gateway.audit.chain import Made
from gateway.audit.sealing import Kept, KeyRow, PayloadRow
from gateway.audit.tables import audit_payload_key
from gateway.core.errors import GatewayError
from gateway.core.ids import new_id
from gateway.core.keeping import Payload
from gateway.core.ports import Entry, TenantKeys
from gateway.db import failures

MAX_KEYS = 2_000
LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A payload on its way to the writer, with its salt."""

    exchange_id: str
    tenant: str
    payload: Payload
    salt: bytes = field(repr=False)


@dataclass(slots=True)
class _DataKey:
    """stored: whether the database is known to have had it."""

    row: KeyRow
    key: bytes = field(repr=False)
    stored: bool = False


def commit(entry: Entry, payload: Payload) -> tuple[dict[str, Any], Unsealed]:
    """(the entry's core with what it says of its payload, the payload with its salt)."""
    salt = sealing.new_salt()
    said = {
        "commitment": sealing.commitment(salt, payload.document),
        "retention": payload.retention,
        "bytes": len(payload.document),
    }
    unsealed = Unsealed(entry.exchange_id, entry.tenant, payload, salt)
    return {**entry.core, "payload": said}, unsealed


class Payloads:
    """Seals payloads with this process's data keys. Used by the writer's thread only.

    keys: where the tenants' keys come from. look_s: how long it may take until a key that was
    destroyed is no longer used for what is new.
    """

    def __init__(self, engine: Engine, keys: TenantKeys, *, look_s: float = LOOK_S) -> None:
        self._engine = engine
        self._keys = keys
        self._look_s = look_s
        self._failures = failures(engine)
        self._data_keys: OrderedDict[tuple[str, str, str], _DataKey] = OrderedDict()
        self._tenant_keys: dict[tuple[str, str], bytes] = {}
        self._look_at = time.monotonic() + self._look_s

    def seal(self, batch: Sequence[tuple[Made, Unsealed]]) -> list[Kept]:
        """The rows to be written beside these entries. Raises WriteError without tenants' keys."""
        if batch and time.monotonic() >= self._look_at:
            self._look()
        return [self._sealed(entry, unsealed) for entry, unsealed in batch]

    def stored(self, kept: Sequence[Kept]) -> None:
        """These rows are in the database."""
        ids = {each.payload.key_id for each in kept}
        for known in self._data_keys.values():
            known.stored = known.stored or known.row.key_id in ids

    def _sealed(self, entry: Made, unsealed: Unsealed) -> Kept:
        payload, (entry_id, ts_ms, _, _) = unsealed.payload, entry
        data_key = self._data_key(unsealed.tenant, payload.subject, ts_ms)
        row = PayloadRow(
            entry_id,
            unsealed.exchange_id,
            unsealed.tenant,
            payload.subject,
            payload.retention,
            data_key.row.key_id,
            ts_ms,
            b"",
        )
        sealed = sealing.seal(data_key.key, row, unsealed.salt, payload.document)
        return Kept(sealed, None if data_key.stored else data_key.row)

    def _data_key(self, tenant: str, subject: str, ts_ms: int) -> _DataKey:
        month = datetime.fromtimestamp(ts_ms / 1_000, UTC).strftime("%Y-%m")
        name = (tenant, subject, month)
        found = self._data_keys.get(name)
        if found is None:
            found = self._data_keys[name] = self._made(*name, ts_ms)
            if len(self._data_keys) > MAX_KEYS:
                self._data_keys.popitem(last=False)
        self._data_keys.move_to_end(name)
        return found

    def _made(self, tenant: str, subject: str, month: str, ts_ms: int) -> _DataKey:
        key = secrets.token_bytes(sealing.KEY_BYTES)
        try:
            version = self._keys.newest
            row = KeyRow(new_id(), tenant, subject, month, version, ts_ms, b"")
            return _DataKey(sealing.wrap(self._tenant_key(tenant, version), row, key), key)
        except GatewayError as err:
            raise WriteError(f"the tenant's key for payloads cannot be had: {err}") from err

    def _tenant_key(self, tenant: str, version: str) -> bytes:
        name = (tenant, version)
        if name not in self._tenant_keys:
            self._tenant_keys[name] = self._keys.key(tenant, version)
        return self._tenant_keys[name]

    def _look(self) -> None:
        """Forget the keys that somebody has destroyed; what is new gets others."""
        self._look_at = time.monotonic() + self._look_s
        known = {each.row.key_id: name for name, each in self._data_keys.items() if each.stored}
        statement = select(audit_payload_key.c.key_id).where(audit_payload_key.c.key_id.in_(known))
        try:
            with self._engine.connect() as connection:
                there = {row.key_id for row in connection.execute(statement)}
        except self._failures:
            return
        for key_id in known.keys() - there:
            del self._data_keys[known[key_id]]
