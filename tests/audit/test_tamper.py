"""What somebody who owns the database can do to a signed log, and which check finds it.

docs/audit-evidence.md has a table of these; a test holds it to what is found here.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update

from gateway import db
from gateway.audit import chain
from gateway.audit.chain import Head
from gateway.audit.checkpoint import Checkpoint, checkpoint
from gateway.audit.log import AuditLog
from gateway.audit.saved import read as read_saved
from gateway.audit.sequencer import Sequencer, signer
from gateway.audit.submit import request
from gateway.audit.tables import (
    audit_chain,
    audit_checkpoint,
    audit_entry,
    audit_run,
    audit_tile,
)
from gateway.audit.verify import verify
from gateway.audit.verify_range import verify_range
from gateway.audit.witness import Witness
from gateway.core.note import Note, NoteError
from gateway.core.ports import Counters
from gateway.signing import Signer
from tests.audit.conftest import drop_triggers

PAGE = Path(__file__).parents[2] / "docs" / "audit-evidence.md"
IN_SECOND = "epoch = (SELECT epoch FROM audit_chain WHERE ordinal = 2)"


@pytest.fixture
def signed(filled, sequencer):
    """30 entries in the tree, 12 of them signed first; triggers dropped."""
    sequencer(max_entries=12).round()
    sequencer().round()
    drop_triggers(filled)
    return filled


def saved_of(engine, log_key, size=None):
    """The newest checkpoint, as somebody outside kept it."""
    statement = select(audit_checkpoint.c.note).order_by(audit_checkpoint.c.size.desc())
    if size is not None:
        statement = statement.where(audit_checkpoint.c.size == size)
    with db.snapshot(engine) as connection:
        note = Note.parse(connection.execute(statement.limit(1)).scalar_one())
    return checkpoint(note, log_key)


def codes(engine, key, **options):
    return {problem.code for problem in verify(engine, key, **options).problems}


def second(sql):
    return text(f"{sql} {IN_SECOND}")


def edit_entry(c, key):
    c.execute(second("UPDATE audit_entry SET core = replace(core, 'eu', 'us') WHERE n = 4 AND"))


def delete_entry(c, key):
    c.execute(second("DELETE FROM audit_entry WHERE n = 4 AND"))


def insert_entry(c, key):
    """One more in the middle; what follows moves up by one."""
    for n in range(9, 4, -1):
        c.execute(second(f"UPDATE audit_entry SET n = {n + 1} WHERE n = {n} AND"))
    row = c.execute(second("SELECT * FROM audit_entry WHERE n = 4 AND")).one()
    c.execute(insert(audit_entry).values({**row._mapping, "n": 5, "entry_id": "forged"}))


def reorder_entries(c, key):
    for old, new in ((4, 99), (6, 4), (99, 6)):
        c.execute(second(f"UPDATE audit_entry SET n = {new} WHERE n = {old} AND"))


def truncate_tail(c, key):
    c.execute(second("DELETE FROM audit_entry WHERE n > 7 AND"))


def swap_content(c, key):
    """What two entries say changes places; the entries stay where they are."""
    cores = {
        n: c.execute(second(f"SELECT core FROM audit_entry WHERE n = {n} AND")).scalar_one()
        for n in (4, 6)
    }
    for n, other in ((4, 6), (6, 4)):
        statement = update(audit_entry).where(audit_entry.c.n == n, text(IN_SECOND))
        c.execute(statement.values(core=cores[other]))


def rewrite_with_key(c, key):
    """Everything in a chain from one entry on, with fitting hashes and seal: the key has leaked."""
    head = c.execute(select(audit_chain).where(audit_chain.c.ordinal == 2)).one()
    rows = sorted(
        c.execute(second("SELECT * FROM audit_entry WHERE n >= 4 AND")), key=lambda r: r.n
    )
    prev = bytes(rows[0].prev)
    for row in rows:
        core = row.core.replace('"region":"eu"', '"region":"us"')
        digest = chain.entry_hash(prev, core.encode())
        values = {"core": core, "prev": prev, "hash": digest}
        where = (audit_entry.c.n == row.n, text(IN_SECOND))
        c.execute(update(audit_entry).where(*where).values(values))
        prev = digest
    sealed = Head(
        head.replica, head.epoch, 2, head.n, prev, head.opened_ms, head.closed_ms
    )  # fmt: skip
    c.execute(
        update(audit_chain).where(audit_chain.c.ordinal == 2).values(hash=prev, mac=sealed.mac(key))
    )


def forge_checkpoint(c, key):
    """One signed by another key, of a tree of the forger's choice."""
    newest = c.execute(select(audit_checkpoint).where(audit_checkpoint.c.size == 30)).one()
    origin = newest.note.split("\n")[0]
    note = Signer(origin, bytes(32)).sign(Checkpoint(origin, 30, bytes(32)).text)
    c.execute(update(audit_checkpoint).where(audit_checkpoint.c.size == 30).values(note=str(note)))


def edit_checkpoint(c, key):
    newest = c.execute(select(audit_checkpoint).where(audit_checkpoint.c.size == 30)).one()
    changed = newest.note.replace("\n30\n", "\n29\n")
    c.execute(update(audit_checkpoint).where(audit_checkpoint.c.size == 30).values(note=changed))


def swap_checkpoint(c, key):
    older = c.execute(select(audit_checkpoint).where(audit_checkpoint.c.size == 12)).one()
    c.execute(update(audit_checkpoint).where(audit_checkpoint.c.size == 30).values(note=older.note))


def remove_newest_checkpoint(c, key):
    c.execute(delete(audit_checkpoint).where(audit_checkpoint.c.size == 30))


def edit_leaf_in_tile(c, key):
    tile = c.execute(select(audit_tile.c.hashes)).scalar_one()
    changed = bytes(32) + bytes(tile)[32:]
    c.execute(update(audit_tile).values(hashes=changed))


def remove_tile(c, key):
    c.execute(delete(audit_tile))


def move_run(c, key):
    c.execute(text(f"UPDATE audit_run SET first_n = first_n + 1 WHERE {IN_SECOND}"))


def remove_run(c, key):
    last = "(SELECT max(first_index) FROM audit_run)"
    c.execute(text(f"DELETE FROM audit_run WHERE first_index = {last}"))


FOUND = {
    edit_entry: {"changed"},
    delete_entry: {"gap", "order", "leaf_missing"},
    insert_entry: {
        "order", "column", "beyond_head", "duplicate", "leaf_changed", "link_broken",
    },
    reorder_entries: {"order", "column", "leaf_changed"},
    truncate_tail: {"truncated", "leaf_missing"},
    swap_content: {"changed", "column"},
    rewrite_with_key: {"link_broken", "leaf_changed"},
    forge_checkpoint: {"checkpoint_forged"},
    edit_checkpoint: {"checkpoint_forged"},
    swap_checkpoint: {"checkpoint_forged"},
    remove_newest_checkpoint: {"beyond_checkpoint"},
    edit_leaf_in_tile: {"leaf_changed", "checkpoint_mismatch"},
    remove_tile: {"tile_missing"},
    move_run: {"leaf_changed", "leaf_missing"},
    remove_run: {"leaf_missing"},
}  # fmt: skip


def test_an_untouched_tree_holds(signed, key, log_key):
    report = verify(signed, key, saved=[saved_of(signed, log_key), saved_of(signed, log_key, 12)])
    assert report.ok, report.problems
    assert (report.tree_size, report.checkpoints, report.unsequenced) == (30, 2, 0)


@pytest.mark.parametrize(
    ("tamper", "expected"), list(FOUND.items()), ids=lambda v: getattr(v, "__name__", "")
)
def test_tampering_is_found(signed, key, tamper, expected):
    with db.writing(signed) as connection:
        tamper(connection, key)
    assert codes(signed, key) == expected


def rebuild_with_key(engine, key, sequencer):
    """The tree made anew over a rewritten log, and signed: the key has leaked."""
    with db.writing(engine) as connection:
        rewrite_with_key(connection, key)
        third = connection.execute(select(audit_chain).where(audit_chain.c.ordinal == 3)).one()
        connection.execute(delete(audit_entry).where(audit_entry.c.epoch == third.epoch))
        connection.execute(delete(audit_chain).where(audit_chain.c.ordinal == 3))
        registry = chain.Registry()
        for row in connection.execute(select(audit_chain).order_by(audit_chain.c.ordinal)):
            registry = registry.add(row.replica, row.epoch)
        values = {"c": registry.chains, "d": registry.digest, "m": registry.mac(key)}
        connection.execute(
            text("UPDATE audit_registry SET chains = :c, digest = :d, mac = :m"), values
        )
        for table in (audit_run, audit_tile, audit_checkpoint):
            connection.execute(delete(table))
    while sequencer(max_entries=4).round().entries:
        pass


def test_whoever_has_the_key_is_found_by_a_saved_checkpoint_alone(signed, key, log_key, sequencer):
    kept = [saved_of(signed, log_key), saved_of(signed, log_key, 12)]
    rebuild_with_key(signed, key, sequencer)
    assert codes(signed, key) == set()
    assert codes(signed, key, saved=kept[:1]) == {"rolled_back"}
    assert codes(signed, key, saved=kept[1:]) == {"other_tree"}


def test_an_old_copy_of_the_database_is_found_by_a_saved_checkpoint(
    sqlite_url, tmp_path, key, log_key, clock, opened
):
    path, old = tmp_path / "gateway.db", tmp_path / "old.db"

    async def write(number):
        engine = db.open_engine(sqlite_url)
        log = AuditLog(engine, key=key, replica="r", clock=clock, counters=Counters())
        await log.start()
        await log.append(opened(number))
        await log.aclose()
        Sequencer(engine, key=key, signer=signer(key, ""), clock=clock).round()
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()

    asyncio.run(write(1))
    shutil.copy(path, old)
    asyncio.run(write(2))
    engine = db.open_engine(sqlite_url)
    kept = saved_of(engine, log_key)
    assert codes(engine, key, saved=[kept]) == set()
    engine.dispose()
    for rest in tmp_path.glob("gateway.db-*"):
        rest.unlink()
    shutil.copy(old, path)
    engine = db.open_engine(sqlite_url)
    assert codes(engine, key) == set()
    assert codes(engine, key, saved=[kept]) == {"rolled_back"}
    engine.dispose()


def test_a_forged_saved_checkpoint_is_refused(tmp_path, log_key, signed):
    forged = Signer(log_key.name, bytes(32)).sign(Checkpoint(log_key.name, 30, bytes(32)).text)
    (tmp_path / "kept").write_text(str(forged), encoding="utf-8")
    with pytest.raises(NoteError, match="no signature"):
        read_saved(tmp_path / "kept", log_key)


def test_a_witness_does_not_sign_a_rebuilt_tree(signed, key, log_key, sequencer, tmp_path, clock):
    watching = Witness(tmp_path / "w", name="w.example/1", log=log_key, clock=clock)
    assert watching.add(request(signed, 0)).status == 200
    rebuild_with_key(signed, key, sequencer)
    answer = watching.add(request(signed, 0))
    assert (answer.status, answer.text) == (409, "30\n")


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (edit_entry, {"changed"}),
        (delete_entry, {"leaf_missing"}),
        (rewrite_with_key, {"leaf_changed"}),
        (forge_checkpoint, {"checkpoint_forged", "leaf_missing"}),
        (remove_tile, {"tile_missing"}),
    ],
)
def test_a_range_is_checked_by_proofs_alone(signed, key, log_key, tamper, expected):
    assert verify_range(signed, log_key, 3, 30).ok
    with db.writing(signed) as connection:
        tamper(connection, key)
    found = verify_range(signed, log_key, 0, 30)
    assert {problem.code for problem in found.problems} == expected


def test_places_beyond_the_tree_are_not_there(signed, log_key):
    for start, end in ((0, 31), (5, 5), (-1, 3)):
        assert not verify_range(signed, log_key, start, end).ok


def test_a_large_tree_is_checked_on_all_its_levels(
    engine, key, log_key, audit_log, opened, sequencer
):
    async def scenario():
        async with audit_log() as log:
            await asyncio.gather(*(log.append(opened(number)) for number in range(600)))

    asyncio.run(scenario())
    sequencer().round()
    assert verify(engine, key, saved=[saved_of(engine, log_key)]).ok
    drop_triggers(engine)
    with db.writing(engine) as connection:
        statement = update(audit_tile).where(audit_tile.c.level == 1)
        connection.execute(statement.values(hashes=bytes(64)))
    assert codes(engine, key) == {"tile_changed"}


def test_the_page_names_every_way_and_what_finds_it():
    rows = re.findall(
        r"^\| `(\w+)` \|(.*)\|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {name: set(re.findall(r"`(\w+)`", found)) for name, _, found in rows}
    assert told == {tamper.__name__: expected for tamper, expected in FOUND.items()} | {
        "rebuild_with_key": {"rolled_back", "other_tree"},
        "replay_old_database": {"rolled_back"},
    }
