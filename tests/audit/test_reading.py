"""Who may read kept texts, asked of the desk itself: no page or command stands before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
def readings_of(
    engine: Any, tenant_keys: Any, audit_log: Any, closed: Any, said: list[Entry]
) -> Callable[[Leave], Readings]:
    async def write() -> None:
        async with audit_log() as log:
            payload = Payload("anna", "default", b'{"v":1,"request":{"texts":[]}}')
            await log.append(replace(closed(1), payload=payload))

    asyncio.run(write())

    def make(leave: Leave) -> Readings:
        return Readings(engine, tenant_keys, leave, record=said.append, clock=SystemClock())

    return make


@pytest.fixture
def readings(readings_of: Callable[[Leave], Readings]) -> Readings:
    return readings_of(Leave(four_eyes=True))


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


def test_what_one_pair_of_eyes_was_enough_for_needs_two_afterwards(
    readings_of: Callable[[Leave], Readings],
) -> None:
    asked = readings_of(Leave()).ask(ANN, "00000001-exchange")
    assert asked.approved
    strict = readings_of(Leave(four_eyes=True))
    assert not strict.ask(ANN, "00000001-exchange").approved
    assert [each.approved for each in strict.listing()] == [False]
    with pytest.raises(MayNotRead, match="approve it first"):
        strict.read(ANN, asked.reading_id)
    assert strict.approve(BOB, asked.reading_id).approved_by == "bob"
    assert len(strict.read(ANN, asked.reading_id)) == 1


def test_two_keys_of_one_person_are_one_pair_of_eyes(
    readings_of: Callable[[Leave], Readings],
) -> None:
    ann, too, bob = (Actor("", "agreed", "admin", key_id=key) for key in ("k1", "k2", "k3"))
    person_of = {"k1": "Ann Lind", "k2": "ann  lind", "k3": "bob"}.__getitem__
    # As it was when every key was a person.
    asked = readings_of(Leave(four_eyes=True)).ask(ann, "00000001-exchange")
    readings_of(Leave(four_eyes=True)).approve(too, asked.reading_id)
    strict = readings_of(Leave(four_eyes=True, person_of=person_of))
    with pytest.raises(MayNotRead, match="approve it first"):
        strict.read(ann, asked.reading_id)
    with pytest.raises(MayNotRead, match="Keys of one name"):
        strict.approve(too, asked.reading_id)
    strict.approve(bob, asked.reading_id)
    assert len(strict.read(ann, asked.reading_id)) == 1
