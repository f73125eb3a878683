"""Commits whose answer is lost: they may have happened or not, and nobody says."""

from __future__ import annotations

import itertools
import threading

import pytest

from gateway.audit import writer as writer_module
from gateway.audit.append import WriteError
from gateway.audit.store import Store
from gateway.audit.tail import Queued, Tail
from gateway.audit.verify import verify
from gateway.audit.writer import Writer

TEXTS = ("exchange-1", "exchange.closed", "", "", "", "", "", "completed")


class LossyStore(Store):
    """Loses the answer to some commits, after the fact or before it."""

    def __init__(self, engine, key, plan):
        super().__init__(engine, key)
        self.plan = plan

    def write(self, rows, before, after, kept=()):
        step = self.plan.pop(0) if self.plan else "done"
        if step != "not done":
            super().write(rows, before, after, kept)
        if step != "done":
            self.discard()
            raise WriteError("the answer was lost", unsure=True)


@pytest.mark.parametrize(
    "plan",
    [
        ["done but lost"],
        ["not done"],
        ["not done", "not done", "done but lost"],
        ["done", "done but lost", "not done", "done but lost"],
    ],
)
def test_each_entry_is_written_once_whatever_became_of_the_answer(
    engine, key, clock, counters, plan
):
    told = []
    store = LossyStore(engine, key, list(plan))
    tail = Tail(store, chain_data={}, clock=clock, counters=counters)
    writer = Writer(
        tail,
        tell=lambda done, trouble: told.extend((queued.waiter, trouble) for queued in done),
        clock=clock,
        counters=counters,
        max_batch=2,
    )
    tail.open("r1")
    for number in range(5):
        texts = (f"exchange-{number}", *TEXTS[1:])
        writer.queue.put(Queued((f"id-{number}", 5, texts, "{}"), kept=True, waiter=number))
    writer.stop(5)
    thread = threading.Thread(target=writer.run)
    thread.start()
    thread.join(10)
    report = verify(engine, key)
    assert report.ok, report.problems
    assert (report.entries, report.chains, report.open_chains) == (7, 1, [])
    assert sorted(told) == [(number, None) for number in range(5)]


def test_writer_that_breaks_refuses_instead_of_hanging(engine, key, clock, counters, monkeypatch):
    told = []
    tail = Tail(Store(engine, key), chain_data={}, clock=clock, counters=counters)
    writer = Writer(
        tail,
        tell=lambda done, trouble: told.extend(trouble for _ in done),
        clock=clock,
        counters=counters,
        max_batch=2,
    )
    tail.open("r1")
    writer.queue.put(Queued(("id", 5, ("too few",), "{}"), kept=False, waiter=None))
    writer.queue.put(Queued(("id", 5, TEXTS, "{}"), kept=True, waiter=None))
    writer.queue.put(Queued(("id", 5, TEXTS, "{}"), kept=False, waiter=None))
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    thread = threading.Thread(target=writer.run)
    thread.start()
    thread.join(10)
    assert not writer.alive
    assert len(told) == 3


@pytest.mark.parametrize(("first", "batches"), [(4, [4, 3, 1]), (3, [3, 1])])
def test_only_where_entries_come_thick_a_batch_waits_for_more(
    first, batches, engine, key, clock, counters, monkeypatch
):
    """One entry comes after each of the first two batches, and two while a batch waits."""
    told = []

    def put(count):
        for _ in range(count):
            writer.queue.put(Queued((f"id-{next(numbers)}", 5, TEXTS, "{}"), True, None))

    def tell(done, trouble):
        if done:
            told.append((len(done), trouble))
            put(1) if len(told) < len(batches) else writer.stop(5)

    numbers = itertools.count()
    tail = Tail(Store(engine, key), chain_data={}, clock=clock, counters=counters)
    writer = Writer(tail, tell=tell, clock=clock, counters=counters, max_batch=50)
    tail.open("r1")
    monkeypatch.setattr(writer_module.time, "sleep", lambda _s: put(2))
    put(first)
    writer.run()
    assert told == [(count, None) for count in batches]
