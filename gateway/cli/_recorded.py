"""What a command does to a running gateway's state, put on record before it is done."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Engine

from gateway.audit.log import AuditLog
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError, RecordUnavailable
from gateway.core.ports import Counters, Entry
from gateway.identity.keyring import Keyring
from gateway.settings import Settings


def record(found: Settings, engine: Engine, kind: str, core: dict[str, Any]) -> None:
    """Append one entry to the audit log, in a chain of the command line's own.

    It is durable when this returns. Raises ConfigError if it cannot be made so.
    """
    put(found, engine, Entry("", kind, {"via": "cli", **core}))


def put(found: Settings, engine: Engine, entry: Entry) -> None:
    """The same with an entry that is made already."""
    key = Keyring.open(found.keyring_path, create=False).audit_key
    try:
        asyncio.run(_append(engine, key, f"{found.replica_name}/cli", entry))
    except RecordUnavailable as err:
        raise ConfigError(f"Nothing was done, for it could not be recorded: {err}") from err


async def _append(engine: Engine, key: bytes, replica: str, entry: Entry) -> None:
    log = AuditLog(engine, key=key, replica=replica, clock=SystemClock(), counters=Counters())
    await log.start()
    try:
        await log.append(entry)
    finally:
        await log.aclose()
