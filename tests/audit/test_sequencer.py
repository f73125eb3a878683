"""Entries get their places in the tree: all of them, once, in order, whoever does the round."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import threading

import pytest
from sqlalchemy import func, select, text

from gateway import db
from gateway.audit import merkle, tiles, tree
from gateway.audit.checkpoint import checkpoint
from gateway.audit.lease import lease
from gateway.audit.log import AuditLog
from gateway.audit.sequencer import Sequencer, TreeError, signer
from gateway.audit.sequencing import SEQUENCED, Sequencing
from gateway.audit.tables import audit_checkpoint, audit_entry, audit_run, audit_tile
from gateway.core.errors import GatewayError
from gateway.core.note import Note, NoteError
from gateway.core.ports import Counters


def leaves(engine):
    """The hashes of all entries in the order of the tree, by the database's own join."""
    e, r = audit_entry.c, audit_run.c
    statement = (
        select(r.first_index + e.n - r.first_n, e.hash)
        .join_from(
            audit_run,
            audit_entry,
            (e.replica == r.replica)
            & (e.epoch == r.epoch)
            & e.n.between(r.first_n, r.first_n + r.entries - 1),
        )
        .order_by(r.first_index, e.n)
    )
    with db.snapshot(engine) as connection:
        rows = connection.execute(statement).all()
        newest = tree.newest(connection)
        stored = connection.execute(select(audit_tile)).all()
    assert [row[0] for row in rows] == list(range(len(rows)))
    hashes = [merkle.leaf_hash(bytes(row[1])) for row in rows]
    grown = tiles.grow(0, hashes, lambda level, index: b"")
    assert {(t.level, t.tile_index): bytes(t.hashes) for t in stored} == grown
    frontier = merkle.Frontier()
    for leaf in hashes:
        frontier.append(leaf)
    return hashes, newest, frontier.root()


def count(engine, table):
    with db.snapshot(engine) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_all_entries_get_places_and_a_signed_root(filled, sequencer, key):
    done = sequencer().round()
    assert (done.entries, done.size, done.more, done.troubles) == (30, 30, False, [])
    hashes, (size, note), root = leaves(filled)
    assert len(hashes) == size == count(filled, audit_entry) == 30
    assert checkpoint(note, signer(key, "").key).root == root


def test_nothing_new_is_no_checkpoint(filled, sequencer):
    sequencer().round()
    assert sequencer().round().entries == 0
    assert count(filled, audit_checkpoint) == 1


@pytest.mark.parametrize("at_once", [1, 4, 7, 1000])
def test_small_rounds_give_each_chain_its_share_until_all_is_done(filled, sequencer, at_once):
    rounds = [sequencer(max_entries=at_once).round()]
    while rounds[-1].more:
        rounds.append(sequencer(max_entries=at_once).round())
    assert sum(done.entries for done in rounds) == 30
    assert len(leaves(filled)[0]) == 30
    assert max(done.entries for done in rounds) <= max(at_once, 3)


def test_rounds_go_on_where_the_one_before_ended(engine, sequencer, audit_log, opened, closed):
    async def scenario():
        async with audit_log() as log:
            for number in range(300):
                await log.append(opened(number))
                if number % 60 == 0:
                    sequencer().round()
            await log.append(closed(1))

    asyncio.run(scenario())
    sequencer().round()
    assert len(leaves(engine)[0]) == count(engine, audit_entry) == 303


def test_every_checkpoint_begins_the_next(engine, sequencer, audit_log, opened, key):
    async def scenario():
        async with audit_log() as log:
            for number in range(40):
                await log.append(opened(number))
                if number % 5 == 0:
                    sequencer().round()

    asyncio.run(scenario())
    with db.snapshot(engine) as connection:
        rows = connection.execute(select(audit_checkpoint).order_by(audit_checkpoint.c.size)).all()
        complete = tiles.complete(tree.tiles(connection))
        found = [checkpoint(Note.parse(row.note), signer(key, "").key) for row in rows]
        assert len(found) == 8
        for old, new in itertools.pairwise(found):
            proof = merkle.consistency(old.size, new.size, complete)
            assert merkle.consistent(old.size, new.size, proof, old.root, new.root)


def test_two_at_once_write_each_leaf_once(filled, sequencer):
    """Without the lease that spares them the work."""
    start = threading.Barrier(4)
    failures = []

    def run():
        start.wait()
        for _ in range(12):
            try:
                sequencer(max_entries=6).round()
            except db.failures(filled) as err:  # the slower one, on PostgreSQL
                failures.append(err)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while sequencer().round().entries:
        pass
    assert len(leaves(filled)[0]) == 30


def test_a_commit_that_comes_late_is_not_passed_over(postgres_url, key, clock, opened):
    """A chain whose batch is not committed yet, while others go on: nothing is lost of either."""
    engine = db.open_engine(postgres_url, pool_size=4)
    make = Sequencer(engine, key=key, signer=signer(key, ""), clock=clock)

    async def scenario():
        slow = AuditLog(engine, key=key, replica="slow", clock=clock, counters=Counters())
        quick = AuditLog(engine, key=key, replica="quick", clock=clock, counters=Counters())
        await slow.start()
        await quick.start()
        with db.writing(engine) as blocker:
            blocker.execute(text("SELECT * FROM audit_chain WHERE replica = 'slow' FOR UPDATE"))
            late = slow.append(opened(1))
            await asyncio.sleep(0.1)  # its rows are inserted; its head waits for the lock
            await quick.append(opened(2))
            assert make.round().entries == 3
            assert not late.done()
        await late
        assert make.round().entries == 1
        await slow.aclose()
        await quick.aclose()

    asyncio.run(scenario())
    make.round()
    assert len(leaves(engine)[0]) == 6
    engine.dispose()


BREAKS = {
    "core": "UPDATE audit_entry SET core = replace(core, 'eu', 'us') WHERE n = 4",
    "hash": "UPDATE audit_entry SET hash = prev WHERE n = 4",
    "gap": "DELETE FROM audit_entry WHERE n = 4",
    "tail": "DELETE FROM audit_entry WHERE n = 9",
    "head": "UPDATE audit_chain SET n = 7",
    "seal": "UPDATE audit_chain SET mac = hash",
}


@pytest.mark.parametrize("statement", list(BREAKS.values()), ids=list(BREAKS))
def test_what_was_changed_before_its_round_is_never_signed(unguarded, sequencer, statement):
    where = "(SELECT epoch FROM audit_chain WHERE ordinal = 2)"
    joint = " AND " if "WHERE" in statement else " WHERE "
    with db.writing(unguarded) as connection:
        connection.execute(text(f"{statement}{joint}epoch = {where}"))
    done = sequencer().round()
    assert len(done.troubles) == 1
    assert done.entries == 20  # the two other chains
    assert "r1/" in done.troubles[0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_tile SET hashes = audit_tile.hashes || audit_tile.hashes",
        "DELETE FROM audit_tile",
        "DELETE FROM audit_checkpoint",
        "DELETE FROM audit_run",
        "UPDATE audit_checkpoint SET note = replace(note, '30', '20')",
        "UPDATE audit_checkpoint SET note = 'x'",
    ],
)
def test_a_tree_that_was_changed_is_not_continued(
    unguarded, sequencer, audit_log, opened, statement
):
    sequencer().round()

    async def more():
        async with audit_log() as log:
            await log.append(opened(99))

    asyncio.run(more())
    with db.writing(unguarded) as connection:
        connection.execute(text(statement))
    with pytest.raises((GatewayError, *db.failures(unguarded))):
        sequencer().round()


def test_a_tree_of_another_name_is_not_continued(filled, key, clock, sequencer):
    sequencer(max_entries=3).round()
    other = Sequencer(filled, key=key, signer=signer(key, "other.example/log"), clock=clock)
    with pytest.raises(NoteError, match=r"no signature by other\.example"):
        other.round()


def _hold(url, ready, done):
    engine = db.open_engine(url)
    held = lease(engine)
    ready.put(held.take())
    done.get(timeout=30)
    held.release()
    ready.put(False)
    done.get(timeout=30)


def test_one_leads_and_another_takes_over(database_url):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Queue(), context.Queue()
    process = context.Process(target=_hold, args=(database_url, ready, done))
    process.start()
    assert ready.get(timeout=30) is True
    engine = db.open_engine(database_url)
    mine = lease(engine)
    assert not mine.take()
    done.put(None)
    assert ready.get(timeout=30) is False
    assert mine.take()
    assert mine.take()
    mine.release()
    done.put(None)
    process.join(30)
    engine.dispose()


def test_a_leader_that_is_killed_is_succeeded(database_url, eventually):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Queue(), context.Queue()
    process = context.Process(target=_hold, args=(database_url, ready, done))
    process.start()
    assert ready.get(timeout=30) is True
    process.kill()
    process.join()
    engine = db.open_engine(database_url)
    mine = lease(engine)
    asyncio.run(eventually(mine.take))
    mine.release()
    engine.dispose()


def test_it_runs_beside_writers_and_ends_with_all_done(
    engine, key, clock, database_url, audit_log, opened, counters
):
    own = db.open_engine(database_url, pool_size=1)
    work = Sequencing(
        Sequencer(own, key=key, signer=signer(key, ""), clock=clock),
        lease(own),
        failures=db.failures(own),
        counters=counters,
        every_s=0.01,
    )

    async def scenario():
        work.start()
        async with audit_log(replica="a") as one, audit_log(replica="b") as two:
            for number in range(150):
                await asyncio.gather(one.append(opened(2 * number)), two.append(opened(number)))
        await work.aclose()

    asyncio.run(scenario())
    assert work.trouble == ""
    assert counters.values[SEQUENCED] == len(leaves(engine)[0]) == 304
    assert count(engine, audit_checkpoint) > 3


def test_it_waits_while_the_database_is_away_and_goes_on(
    engine, filled, key, clock, database_url, outage, counters
):
    own = db.open_engine(database_url, pool_size=1, busy_s=1)
    work = Sequencing(
        Sequencer(own, key=key, signer=signer(key, ""), clock=clock),
        lease(own),
        failures=db.failures(own),
        counters=counters,
        every_s=0.01,
    )

    async def scenario():
        assert work.turn(0.0) == 0.01
        async with outage():
            assert work.turn(0.01) == 0.02
            assert "not sequenced now" in work.trouble
        work.turn(0.0)

    asyncio.run(scenario())
    work.turn(0.0)
    assert work.trouble == ""
    assert len(leaves(engine)[0]) == 30
    work.close()


def test_a_tile_that_was_changed_in_place_is_not_continued(unguarded, sequencer, audit_log, opened):
    sequencer().round()

    async def more():
        async with audit_log() as log:
            await log.append(opened(99))

    asyncio.run(more())
    with db.writing(unguarded) as connection:
        connection.execute(audit_tile.update().values(hashes=bytes(30 * 32)))
    with pytest.raises(TreeError, match="tiles are not those"):
        sequencer().round()
