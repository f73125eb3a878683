from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import text

from gateway import db
from gateway.audit import chain
from gateway.audit.tables import audit_chain, audit_entry
from gateway.audit.verify import verify
from gateway.core.errors import ConfigError


def test_untouched_log_holds(filled, key):
    report = verify(filled, key)
    assert report.ok, report.problems
    assert (report.entries, report.chains, report.exchanges) == (30, 3, 12)
    assert not report.unclosed
    assert not report.open_chains


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET outcome = 'x'",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_chain",
        "DELETE FROM audit_registry",
    ],
)
def test_database_refuses_to_change_entries(filled, key, statement):
    with pytest.raises(db.failures(filled)), db.writing(filled) as connection:
        connection.exec_driver_sql(statement)
    assert verify(filled, key).ok


def middle(sql):
    return text(f"{sql} AND epoch = (SELECT epoch FROM audit_chain WHERE ordinal = 2)")


def edit_core(c):
    c.execute(middle("UPDATE audit_entry SET core = replace(core, 'eu', 'us') WHERE n = 4"))


def edit_column(c):
    c.execute(middle("UPDATE audit_entry SET outcome = 'blocked' WHERE n = 4"))


def edit_time(c):
    c.execute(middle("UPDATE audit_entry SET ts_ms = ts_ms - 1 WHERE n = 4"))


def edit_core_and_hash(c):
    row = c.execute(middle("SELECT prev, core FROM audit_entry WHERE n = 4")).one()
    core = row.core.replace("eu", "us")
    digest = chain.entry_hash(bytes(row.prev), core.encode())
    statement = middle("UPDATE audit_entry SET core = :core, hash = :hash WHERE n = 4")
    c.execute(statement, {"core": core, "hash": digest})


def delete_middle(c):
    c.execute(middle("DELETE FROM audit_entry WHERE n = 4"))


def delete_first(c):
    c.execute(middle("DELETE FROM audit_entry WHERE n = 0"))


def delete_tail(c):
    c.execute(middle("DELETE FROM audit_entry WHERE n > 7"))


def delete_tail_and_move_head(c):
    delete_tail(c)
    c.execute(
        middle(
            "UPDATE audit_chain SET n = 7, hash = (SELECT hash FROM audit_entry AS e "
            "WHERE e.epoch = audit_chain.epoch AND e.n = 7) WHERE ordinal = 2"
        )
    )


def swap(c):
    for old, new in ((4, 99), (6, 4), (99, 6)):
        c.execute(middle(f"UPDATE audit_entry SET n = {new} WHERE n = {old}"))


def forge_at_tail(c):
    last = c.execute(middle("SELECT * FROM audit_entry WHERE n = 9")).one()
    head = chain.Head(last.replica, last.epoch, 2, last.n, bytes(last.hash), 0)
    texts = ("forged", "exchange.closed", "", "", "", "", "", "completed")
    row = chain.rows(head, [("forged", last.ts_ms, texts, "{}")])[0]
    c.execute(audit_entry.insert().values(dict(zip(audit_entry.c.keys(), row, strict=True))))


def forge_in_middle(c):
    for n in range(9, 4, -1):
        c.execute(middle(f"UPDATE audit_entry SET n = {n + 1} WHERE n = {n}"))
    before = c.execute(middle("SELECT * FROM audit_entry WHERE n = 4")).one()
    values = {**before._mapping, "n": 5, "entry_id": "forged", "prev": before.hash}
    c.execute(audit_entry.insert().values(values))


def rewrite_chain(c):
    """All entries from one on, with fitting hashes, and the head; only the key is lacking."""
    found = c.execute(middle("SELECT * FROM audit_entry WHERE n >= 4"))
    rows = sorted(found, key=lambda row: row.n)
    prev = bytes(rows[0].prev)
    for row in rows:
        core = row.core.replace('"outcome":"completed"', '"outcome":"blocked"')
        digest = chain.entry_hash(prev, core.encode())
        statement = middle(
            "UPDATE audit_entry SET core = :core, prev = :prev, hash = :hash, outcome = :outcome "
            "WHERE n = :n"
        )
        values = {"core": core, "prev": prev, "hash": digest, "n": row.n}
        c.execute(statement, {**values, "outcome": json.loads(core)["outcome"]})
        prev = digest
    c.execute(middle("UPDATE audit_chain SET hash = :hash WHERE ordinal = 2"), {"hash": prev})


def remove_entries_of_chain(c):
    c.execute(middle("DELETE FROM audit_entry WHERE n >= 0"))


def remove_chain(c):
    remove_entries_of_chain(c)
    c.execute(text("DELETE FROM audit_chain WHERE ordinal = 2"))


def remove_chain_and_renumber(c):
    remove_chain(c)
    c.execute(text("UPDATE audit_chain SET ordinal = 2 WHERE ordinal = 3"))
    c.execute(text("UPDATE audit_registry SET chains = 2"))


def remove_last_chain(c):
    epoch = "epoch = (SELECT epoch FROM audit_chain WHERE ordinal = 3)"
    c.execute(text(f"DELETE FROM audit_entry WHERE {epoch}"))
    c.execute(text("DELETE FROM audit_chain WHERE ordinal = 3"))


def remove_last_chain_and_count(c):
    remove_last_chain(c)
    names = c.execute(audit_chain.select().order_by(audit_chain.c.ordinal)).all()
    registry = chain.Registry()
    for row in names:
        registry = registry.add(row.replica, row.epoch)
    c.execute(
        text("UPDATE audit_registry SET chains = :chains, digest = :digest"),
        {"chains": registry.chains, "digest": registry.digest},
    )


def remove_registry(c):
    c.execute(text("DELETE FROM audit_registry"))


def remove_head(c):
    c.execute(text("DELETE FROM audit_chain WHERE ordinal = 2"))


def edit_head(c):
    c.execute(text("UPDATE audit_chain SET n = n + 1 WHERE ordinal = 2"))


def reopen_chain(c):
    c.execute(text("UPDATE audit_chain SET closed_ms = NULL WHERE ordinal = 2"))


def copy_into_other_chain(c):
    last = c.execute(audit_chain.select().where(audit_chain.c.ordinal == 3)).one()
    row = c.execute(middle("SELECT * FROM audit_entry WHERE n = 4")).one()
    values = {**row._mapping, "epoch": last.epoch, "n": last.n + 1}
    c.execute(audit_entry.insert().values(values))


@pytest.mark.parametrize(
    ("tamper", "codes"),
    [
        (edit_core, {"changed"}),
        (edit_column, {"column"}),
        (edit_time, {"column"}),
        (edit_core_and_hash, {"order"}),
        (delete_middle, {"gap", "order"}),
        (delete_first, {"gap", "order", "chain_order"}),
        (delete_tail, {"truncated"}),
        (delete_tail_and_move_head, {"head_forged", "truncated"}),
        (swap, {"order", "column"}),
        (forge_at_tail, {"beyond_head"}),
        (forge_in_middle, {"changed", "column", "link_broken", "beyond_head", "duplicate"}),
        (rewrite_chain, {"head_forged", "link_broken"}),
        (remove_entries_of_chain, {"truncated", "chain_order"}),
        (remove_chain, {"chain_missing", "chain_order"}),
        (
            remove_chain_and_renumber,
            {"chain_missing", "chain_order", "head_forged", "registry_forged"},
        ),
        (remove_last_chain, {"chain_missing"}),
        (remove_last_chain_and_count, {"registry_forged"}),
        (remove_registry, {"registry_missing"}),
        (remove_head, {"chain_missing", "chain_unknown", "chain_order"}),
        (edit_head, {"head_forged", "truncated"}),
        (reopen_chain, {"head_forged"}),
        (copy_into_other_chain, {"beyond_head", "order", "column", "duplicate"}),
    ],
)
def test_tampering_is_found(unguarded, key, tamper, codes):
    with db.writing(unguarded) as connection:
        tamper(connection)
    report = verify(unguarded, key)
    assert not report.ok
    assert {problem.code for problem in report.problems} == codes


def test_another_key_fits_no_seal(filled):
    report = verify(filled, b"another key")
    assert {p.code for p in report.problems} == {"wrong_key", "registry_forged"}


def test_tampered_registry_is_never_sealed_anew(unguarded, audit_log):
    with db.writing(unguarded) as connection:
        remove_last_chain_and_count(connection)

    async def start():
        async with audit_log():
            pass

    with pytest.raises(ConfigError, match="changed from outside"):
        asyncio.run(start())


def test_unclosed_exchanges_and_open_chains_are_listed(engine, audit_log, key, opened, closed):
    async def scenario():
        async with audit_log() as log:
            await log.append(opened(1))
            await log.append(opened(2))
            await log.append(closed(2))
            return verify(engine, key)

    report = asyncio.run(scenario())
    assert report.ok
    assert [(u.exchange_id, u.n) for u in report.unclosed] == [("00000001-exchange", 1)]
    assert [name[0] for name in report.open_chains] == ["r1"]


def test_writers_that_go_on_raise_no_false_alarm(engine, audit_log, key, opened, closed):
    async def scenario():
        reports = []
        async with audit_log(replica="a") as one, audit_log(replica="b") as two:
            checks = asyncio.create_task(check(reports))
            number = 0
            while not checks.done():
                for log in (one, two):
                    number += 1
                    await log.append(opened(number))
                    await log.append(closed(number))
            await checks
        return reports

    async def check(reports):
        for _ in range(8):
            reports.append(await asyncio.to_thread(verify, engine, key))

    for report in asyncio.run(scenario()):
        assert report.ok, report.problems


def test_an_entry_of_the_wrong_type_is_reported_and_ends_nothing(unguarded, key):
    other = middle("UPDATE audit_entry SET core = CAST(core AS BLOB), prev = 'x' WHERE n = 4")
    if unguarded.dialect.name != "sqlite":  # its columns take no other type
        with pytest.raises(db.failures(unguarded)), db.writing(unguarded) as connection:
            connection.execute(other)
        return
    with db.writing(unguarded) as connection:
        connection.execute(other)
    report = verify(unguarded, key)
    assert not report.ok
    assert any(p.code == "changed" and "types" in p.message for p in report.problems)
