"""All that concerns one person, for whoever asks for it: entries, and what is kept of texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, Select, column, select, table

from gateway.audit.tables import audit_entry, audit_payload
from gateway.audit.unsealing import opened
from gateway.core.ports import TenantKeys
from gateway.db import snapshot

_CONCERN = table("concern", column("subject"), column("tenant"), column("exchange_id"))


def concerning(
    engine: Engine, keys: TenantKeys, *, tenant: str, subject: str
) -> Iterator[dict[str, Any]]:
    """One exchange after the other: {"exchange_id", "entries", "texts"}; the oldest first.

    entries: as they stand in the log. texts: what is kept, opened. Acts that are about the person
    and no exchange, such as an erasure, are not among them: the question `subject` tells them.
    Raises ConfigError for texts that cannot be opened.
    """
    payload = audit_payload.c
    said = entries(tenant, subject)
    with snapshot(engine) as connection, connection.execute(said) as rows:
        for exchange_id, group in groupby(rows, key=lambda row: row.exchange_id):
            yield {
                "exchange_id": exchange_id,
                "entries": [json.loads(row.core) for row in group],
                "texts": list(
                    opened(
                        connection,
                        keys,
                        payload.exchange_id == exchange_id,
                        payload.tenant == tenant,
                        payload.subject == subject,
                    )
                ),
            }


def entries(tenant: str, subject: str) -> Select[tuple[str, str]]:
    """Exchange and core of each entry of this person's exchanges, found by indexes alone."""
    entry, concern = audit_entry.c, _CONCERN.c
    theirs = select(concern.exchange_id).where(
        concern.subject == subject, concern.tenant == tenant, concern.exchange_id != ""
    )
    return (
        select(entry.exchange_id, entry.core)
        .where(entry.tenant == tenant, entry.exchange_id.in_(theirs))
        .order_by(entry.exchange_id, entry.ts_ms, entry.entry_id)
    )
