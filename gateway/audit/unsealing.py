"""What is kept of texts, opened again. Whoever calls this has put on record that he reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from gateway.audit import sealing
from gateway.audit.sealing import KeyRow, PayloadRow, Unsealable
from gateway.audit.tables import audit_payload, audit_payload_key
from gateway.core.errors import ConfigError
from gateway.core.ports import TenantKeys

_PAYLOAD, _KEY = audit_payload.c, audit_payload_key.alias("k")
COLUMNS = (
    *(getattr(_PAYLOAD, name) for name in PayloadRow._fields),
    *(getattr(_KEY.c, name).label(f"k_{name}") for name in KeyRow._fields),
)
JOINED = audit_payload.outerjoin(_KEY, _KEY.c.key_id == _PAYLOAD.key_id)


def opened(
    connection: Connection, keys: TenantKeys, *where: ColumnElement[bool]
) -> Iterator[dict[str, Any]]:
    """Payloads, oldest first: where each belongs, and the texts.

    Raises ConfigError for one that cannot be opened.
    """
    statement = select(*COLUMNS).select_from(JOINED).where(*where)
    with connection.execute(statement.order_by(_PAYLOAD.ts_ms, _PAYLOAD.entry_id)) as rows:
        for row in rows:
            try:
                _, document = unsealed(row, keys)
            except Unsealable as err:
                raise ConfigError(
                    f"The texts of exchange {row.exchange_id} cannot be read: they, or their key, "
                    "were changed. Run: gateway audit verify"
                ) from err
            yield {
                "entry_id": row.entry_id,
                "exchange_id": row.exchange_id,
                "ts_ms": row.ts_ms,
                "retention": row.retention,
                **json.loads(document),
            }


def unsealed(row: Any, keys: TenantKeys) -> tuple[bytes, bytes]:
    """(salt, document) of a row with these columns. Raises Unsealable, and as `keys` do."""
    if row.k_key_id is None:
        raise Unsealable("its key is not there")
    wrapped = KeyRow._make(_plain(getattr(row, f"k_{name}")) for name in KeyRow._fields)
    sealed = PayloadRow._make(_plain(getattr(row, name)) for name in PayloadRow._fields)
    key = sealing.unwrap(keys.key(wrapped.tenant, wrapped.version), wrapped)
    return sealing.unseal(key, sealed)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
