"""Who may read kept texts, asked of the desk itself: no page or command stands before it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.audit.custody import Actor
from gateway.audit.reading import Leave, MayNotRead, Readings
from gateway.clock import SystemClock
from gateway.core.keeping import Payload
from gateway.core.ports import Entry

ANN = Actor("ann", "complaint 12", "cli")
BOB = Actor("bob", "agreed", "cli")


@pytest.fixture
def said() -> list[Entry]:
    """What was put on record."""
    return []


@pytest.fixture
def readings(
    engine: Any, tenant_keys: Any, audit_log: Any, closed: Any, said: list[Entry]
) -> Readings:
    async def write() -> None:
        async with audit_log() as log:
            payload = Payload("anna", "default", b'{"v":1,"request":{"texts":[]}}')
            await log.append(replace(closed(1), payload=payload))

    asyncio.run(write())
    leave = Leave(four_eyes=True)
    return Readings(engine, tenant_keys, leave, record=said.append, clock=SystemClock())


def test_nobody_reads_before_somebody_else_has_approved(
    readings: Readings, said: list[Entry]
) -> None:
    asked = readings.ask(ANN, "00000001-exchange")
    with pytest.raises(MayNotRead, match="approve it first"):
        readings.read(ANN, asked.reading_id)
    for himself in ("ann", "Ann "):
        with pytest.raises(MayNotRead, match="himself"):
            readings.approve(Actor(himself, "agreed", "cli"), asked.reading_id)
    readings.approve(BOB, asked.reading_id)
    with pytest.raises(MayNotRead, match="Only who asked"):
        readings.read(BOB, asked.reading_id)
    assert len(readings.read(ANN, asked.reading_id)) == 1
    kinds = [entry.kind for entry in said]
    assert kinds == ["payload.asked", "payload.approved", "access.payload_read"]
