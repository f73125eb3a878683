"""Entries wait in a local file while the database is away: none lost, none twice, in order."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import stat
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway import db
from gateway.audit import abandoned, chain, spool_file
from gateway.audit.append import WriteError
from gateway.audit.chain import Head
from gateway.audit.log import AuditLog, Limits
from gateway.audit.replay import LATE, replay
from gateway.audit.spool import Spool
from gateway.audit.store import Store
from gateway.audit.tables import audit_chain, audit_entry
from gateway.audit.tail import Queued, Tail
from gateway.audit.verify import verify
from gateway.core.errors import RecordUnavailable

ROOT = Path(__file__).parent.parent.parent
BASE = Head("r1", 7, 1, 0, b"\1" * 32, 7)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def make(folder, key):
    def new(max_bytes=1 << 20):
        return Spool(folder, key, max_bytes=max_bytes)

    return new


@pytest.fixture
def new_store(engine, key):
    with ExitStack() as stack:

        def new(kind=Store, *options):
            store = kind(engine, key, *options)
            stack.callback(store.discard)
            return store

        yield new


def kinds(engine, *, kind=None):
    with db.snapshot(engine) as connection:
        statement = select(audit_entry.c.kind, audit_entry.c.exchange_id)
        rows = connection.execute(statement.order_by(audit_entry.c.epoch, audit_entry.c.n)).all()
    return [name for each, name in rows if kind is None or each == kind]


def made(number, text="exchange.closed"):
    texts = (f"exchange-{number}", text, "", "", "", "", "", "completed")
    return (f"{text}-{number}", 5, texts, '{"n":1}')


def filled(new, groups):
    """A spool with one entry a group, and the rows that are in it."""
    head, rows = BASE, []
    new.begin(head)
    for number in range(groups):
        (row,) = chain.rows(head, [made(number)])
        head = head.moved(row)
        new.append([row], head)
        rows.append(row)
    return rows


def test_what_was_appended_is_read_back_as_the_same_rows(make):
    new = make()
    rows = filled(new, 5)
    assert [row for row, _ in new.rows()] == rows
    assert [row for row, _ in new.rows(behind=3)] == rows[3:]
    assert new.entries == 5


def test_only_its_user_may_read_it(make, folder):
    filled(make(), 1)
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_file_of_a_running_process_is_let_be(make):
    first = make()
    filled(first, 1)
    assert list(make().leftovers()) == []
    assert [each.held for each in spool_file.found(first.folder)] == [True]


def test_leftover_ends_with_its_last_whole_group(make, folder):
    new = make()
    rows = filled(new, 5)
    os.close(new._file)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == 10]
    for size in range(ends[0], len(whole), 3):
        path.write_bytes(whole[:size])
        (leftover,) = make().leftovers()
        groups = sum(end - 1 <= size for end in ends[2::2])
        assert [row for row, _ in leftover.rows()] == rows[:groups]
        leftover.close()


@pytest.mark.parametrize("line", [0, 1, 2, 5])
def test_damage_in_the_middle_is_no_silent_end(make, folder, line):
    new = make()
    filled(new, 5)
    os.close(new._file)
    (path,) = folder.iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"1", b"2")
    path.write_bytes(b"".join(lines))
    with pytest.raises(WriteError, match="damaged"):
        [row for leftover in make().leftovers() for row in leftover.rows()]


def test_file_of_another_key_is_refused(make, folder):
    mine = make()
    filled(mine, 1)
    os.close(mine._file)
    other = Spool(folder, b"another key", max_bytes=1 << 20)
    with pytest.raises(WriteError, match="another log"):
        list(other.leftovers())


def test_outage_is_seen_by_nobody(
    engine, audit_log, outage, eventually, counters, key, opened, closed, make
):
    async def scenario():
        async with audit_log(spool=make()) as log:
            await log.append(opened(1))
            async with outage():
                await log.append(closed(1))
                for number in range(2, 40):
                    await asyncio.gather(log.append(opened(number)), log.append(closed(number)))
                assert log.ready
                assert "77 entries" in log.caution
                assert counters.values["audit_spool_bytes"] > 1000
            await eventually(lambda: not log.caution)
            await log.append(opened(40))
            await log.append(closed(40))

    asyncio.run(scenario())
    report = verify(engine, key)
    assert report.ok, report.problems
    assert (report.exchanges, report.unclosed_count, report.chains) == (40, 0, 1)
    assert kinds(engine, kind="exchange.opened") == [f"{n:08d}-exchange" for n in range(1, 41)]
    assert counters.values["audit_dropped_total"] == 0
    assert not list(make().folder.iterdir())


def test_entries_go_on_while_they_are_replayed(
    engine, audit_log, outage, eventually, key, opened, make
):
    async def scenario():
        async with audit_log(spool=make(1 << 24)) as log:
            async with outage():
                for first in range(0, 3000, 250):
                    await asyncio.gather(*(log.append(opened(first + i)) for i in range(250)))
            number = 3000
            while log.caution:
                await log.append(opened(number))
                number += 1
            return number

    count = asyncio.run(scenario())
    report = verify(engine, key)
    assert report.ok, report.problems
    assert (report.exchanges, report.chains) == (count, 1)


def test_full_spool_refuses_who_asks_and_keeps_who_reports(
    engine, audit_log, outage, eventually, counters, key, opened, closed, make
):
    async def scenario():
        async with audit_log(spool=make(30_000), close_wait_s=0.2) as log:
            going = []
            async with outage():
                with suppress(RecordUnavailable):
                    for number in range(200):
                        await log.append(opened(number))
                        going.append(number)
                assert not log.ready
                # The rest of the spool is theirs.
                await asyncio.gather(*(log.append(closed(number)) for number in going[:2]))
                late = [log.append(closed(number)) for number in going[2:]]
                await asyncio.gather(*late, return_exceptions=True)
                assert not log.ready
            await eventually(lambda: log.ready and not log.caution)

    asyncio.run(scenario())
    report = verify(engine, key)
    assert report.ok, report.problems
    assert 10 < report.exchanges < 200
    assert report.unclosed_count == 0
    assert counters.values["audit_dropped_total"] == 0


def test_disk_without_room_is_as_if_there_were_no_spool(
    engine, audit_log, outage, eventually, key, opened, closed, make
):
    """A limit of the system's stands in for the full disk; the campaign fills a real one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A write beyond the limit is an error, not the end of the process.
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    async def scenario():
        async with audit_log(spool=make(1 << 24), close_wait_s=0.2) as log:
            await log.append(opened(0))
            async with outage():
                await log.append(opened(1))
                (path,) = make().folder.iterdir()
                size = path.stat().st_size
                resource.setrlimit(resource.RLIMIT_FSIZE, (size + 700, before[1]))
                try:
                    with pytest.raises(RecordUnavailable):
                        await asyncio.gather(*(log.append(opened(n)) for n in range(2, 9)))
                    with pytest.raises(RecordUnavailable):
                        await log.append(closed(0))
                finally:
                    resource.setrlimit(resource.RLIMIT_FSIZE, before)
                await eventually(lambda: log.ready)
                await log.append(opened(9))
            await eventually(lambda: not log.caution)

    try:
        asyncio.run(scenario())
    finally:
        signal.signal(signal.SIGXFSZ, handler)
    report = verify(engine, key)
    assert report.ok, report.problems
    assert kinds(engine, kind="exchange.closed") == ["00000000-exchange"]


@pytest.fixture
def crash(database_url, key, folder):
    """Starts a process that writes, with the spool; see crasher.py."""

    def run(limit=0):
        command = [sys.executable, "tests/audit/crasher.py", database_url, "r1", key.decode()]
        return subprocess.Popen(
            [*command, str(limit), str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{':'.join(sys.path)}"},
            stdout=subprocess.PIPE,
            text=True,
        )

    return run


def test_killed_while_spooling_all_is_there_after_the_next_start(
    engine, key, crash, outage, audit_log, make, folder
):
    said = set()

    async def killed_in_an_outage():
        process = crash()
        lines = [process.stdout.readline() for _ in range(100)]
        async with outage():
            # The pipe still holds lines from before: read on until some are of the outage.
            while not list(folder.glob("*.spool")) and (line := process.stdout.readline()):
                lines.append(line)
            lines += [process.stdout.readline() for _ in range(400)]
            process.kill()
            lines += process.stdout.readlines()
            process.wait()
            process.stdout.close()
        said.update(tuple(line.split()) for line in lines if line.endswith("\n"))
        assert len(list(folder.iterdir())) == 1

    async def start():
        async with audit_log(spool=make()):
            pass

    asyncio.run(killed_in_an_outage())
    asyncio.run(start())
    assert not list(folder.iterdir())
    report = verify(engine, key)
    assert report.ok, report.problems
    # Who died cannot come back: what it left open is closed at once.
    assert (report.chains, report.unclosed_count, report.open_chains) == (2, 0, [])
    with db.snapshot(engine) as connection:
        rows = connection.execute(select(audit_entry.c.kind, audit_entry.c.exchange_id)).all()
    assert said <= {(kind.removeprefix("exchange."), name) for kind, name in rows}


class Broken(Store):
    """Loses its connection after so many batches, and does not get it back."""

    def __init__(self, engine, key, batches):
        super().__init__(engine, key)
        self.batches = batches

    def write(self, rows, before, after, kept=()):
        if self.batches == 0:
            raise WriteError("gone")
        self.batches -= 1
        super().write(rows, before, after, kept)


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_crash_in_the_middle_of_replay_makes_no_duplicate_and_no_gap(
    engine, key, make, folder, audit_log, new_store, batches
):
    store = new_store()
    base = store.open_chain("r1", 5, {})
    spooled = make()
    spooled.begin(base)
    head = base
    for first in range(0, 600, 50):
        rows = chain.rows(head, [made(number) for number in range(first, first + 50)])
        head = head.moved(rows[-1])
        spooled.append(rows, head)
    os.close(spooled._file)
    with pytest.raises(WriteError, match="gone"):
        replay(new_store(Broken, batches), base, spooled.rows(), moved=lambda head: None)

    async def start():
        async with audit_log(spool=make()):
            pass

    asyncio.run(start())
    report = verify(engine, key)
    assert report.ok, report.problems
    assert kinds(engine, kind="exchange.closed") == [f"exchange-{n}" for n in range(600)]
    assert not list(folder.iterdir())


def test_spool_of_a_chain_that_was_closed_meanwhile_goes_behind_the_next(
    engine, key, make, folder, audit_log, new_store
):
    store = new_store()
    base = store.open_chain("r1", 5, {})
    (row,) = chain.rows(base, [made(1, "exchange.opened")])
    store.write([row], base, base.moved(row))
    base = base.moved(row)
    spooled = make()
    spooled.begin(base)
    rows = chain.rows(base, [made(1), made(2, "exchange.opened")])
    spooled.append(rows, base.moved(rows[-1]))
    os.close(spooled._file)
    assert abandoned.close(store, base, now_ms=9, by="r2") == 1

    async def start():
        async with audit_log(spool=make()):
            pass

    (path,) = folder.iterdir()
    left = path.read_bytes()
    asyncio.run(start())
    # As if killed when all was written, and the file not yet removed.
    path.write_bytes(left)
    asyncio.run(start())
    report = verify(engine, key)
    assert report.ok, report.problems
    assert kinds(engine, kind=LATE) == ["exchange-1"]
    assert kinds(engine, kind="exchange.opened") == ["exchange-1", "exchange-2"]
    assert kinds(engine, kind="exchange.closed") == ["exchange-1", "exchange-2"]
    assert not list(folder.iterdir())


def test_silent_database_is_not_waited_for(
    postgres_url, key, clock, counters, eventually, opened, closed, make
):
    """A lock that is not given stands in for a server that has stopped."""
    engine = db.open_engine(postgres_url)
    holder = engine.connect()

    async def scenario():
        log = AuditLog(
            engine,
            key=key,
            replica="r1",
            clock=clock,
            counters=counters,
            limits=Limits(answer_s=0.2),
            spool=make(),
        )
        await log.start()
        holder.execute(select(audit_chain).with_for_update())
        await log.append(opened(1))
        await log.append(closed(1))
        assert log.caution
        holder.rollback()
        await eventually(lambda: not log.caution)
        await log.aclose()

    asyncio.run(scenario())
    holder.close()
    report = verify(engine, key)
    assert report.ok, report.problems
    assert (report.exchanges, report.unclosed_count) == (1, 0)
    engine.dispose()


@pytest.mark.parametrize("given_up", [False, True])
def test_rejoining_that_was_cut_off_goes_on_where_it_was(
    engine, key, make, clock, counters, new_store, given_up
):
    store, other = new_store(Broken, -1), new_store()
    tail = Tail(store, chain_data={}, clock=clock, counters=counters, spool=make())

    def write(kind, numbers):
        tail.write([Queued(made(n, kind), kind != "exchange.opened", None) for n in numbers])

    def rejoined(*, batches):
        store.batches = batches
        tail._next_try = 0.0
        tail.turn()
        tail._attempt.join()
        tail.turn()
        return not tail.spooling

    first = tail.open("r1")
    store.batches = 0
    write("exchange.opened", range(300))
    abandoned.close(other, first, now_ms=9, by="r9")
    assert not rejoined(batches=1)
    assert len(kinds(engine, kind="exchange.opened")) == 256
    if given_up:
        (half,) = other.open_chains()
        assert abandoned.close(other, half, now_ms=9, by="r9") == 256
    assert rejoined(batches=-1)
    write("exchange.closed", range(300))
    report = verify(engine, key)
    assert report.ok, report.problems
    assert (report.chains, report.unclosed_count) == (3 if given_up else 2, 0)
    assert len(kinds(engine, kind=LATE)) == (256 if given_up else 0)
