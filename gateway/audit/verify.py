"""Recomputes the whole log and says what does not hold. `docs/audit.md` says what that proves.

Reads one snapshot of the database, so writers may go on meanwhile, in pieces, so the
size of the log does not matter. Holds in memory only what there is once per chain.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, exists, func, select

from gateway.audit import chain
from gateway.audit.chain import GENESIS, Head, Registry
from gateway.audit.checkpoint import Checkpoint
from gateway.audit.report import MAX_LISTED, Name, Problem, Report, Unclosed
from gateway.audit.sequencer import signer
from gateway.audit.tables import TEXTS, audit_chain, audit_entry, audit_registry
from gateway.audit.verify_payloads import verify_payloads
from gateway.audit.verify_tree import verify_tree, verify_witness
from gateway.core.note import Key
from gateway.core.ports import TenantKeys
from gateway.db import snapshot

_COPIED = (*TEXTS, "ts_ms", "replica", "epoch", "n")


def verify(
    engine: Engine,
    key: bytes,
    *,
    log_key: Key | None = None,
    saved: Sequence[Checkpoint] = (),
    witnesses: Sequence[Key] = (),
    tenant_keys: TenantKeys | None = None,
) -> Report:
    """Check every entry, chain and seal, the tree and payloads. Raises what the database raises.

    log_key: what signs checkpoints; by default, the one that follows from the audit key.
    saved: checkpoints that were kept elsewhere, and whose signatures were checked.
    witnesses: whose signatures must be there. tenant_keys: what payloads are sealed with.
    """
    report = Report()
    with snapshot(engine) as connection:
        heads = _heads(connection, key, report)
        links = _links(connection, heads, report)
        _check_registry(connection, key, heads, report)
        for name in sorted(heads.keys() | _written(connection)):
            _walk(connection, name, heads.get(name), links.pop(name, {}), report)
        for (replica, epoch), promised in links.items():
            for n in promised:
                report.add(
                    Problem(
                        "chain_missing",
                        "a later chain of this replica follows this one, but it is not there",
                        replica,
                        epoch,
                        n,
                    )
                )
        _pair(connection, report)
        verify_tree(connection, log_key or signer(key, "").key, report, saved)
        for witness in witnesses:
            verify_witness(connection, witness, report)
        verify_payloads(connection, tenant_keys, report)
    return report


def _heads(connection: Connection, key: bytes, report: Report) -> dict[Name, Head]:
    heads = {}
    fingerprint = chain.key_fingerprint(key)
    for row in connection.execute(select(audit_chain).order_by(audit_chain.c.ordinal)):
        head = Head(
            row.replica,
            row.epoch,
            row.ordinal,
            row.n,
            bytes(row.hash),
            row.opened_ms,
            row.closed_ms,
        )
        heads[row.replica, row.epoch] = head
        if row.closed_ms is None:
            report.open_chains.append((row.replica, row.epoch))
        if row.mac_key != fingerprint:
            message = f"the head was sealed with key {row.mac_key}, this is key {fingerprint}"
            report.add(Problem("wrong_key", message, row.replica, row.epoch, row.n))
        elif not hmac.compare_digest(bytes(row.mac), head.mac(key)):
            message = "the head of the chain was changed: its seal does not fit"
            report.add(Problem("head_forged", message, row.replica, row.epoch, row.n))
    report.chains = len(heads)
    return heads


def _links(
    connection: Connection, heads: dict[Name, Head], report: Report
) -> dict[Name, dict[int, str]]:
    """What the first entry of each chain says of the chain before: n -> hash, by chain."""
    links: dict[Name, dict[int, str]] = {}
    firsts = select(audit_entry.c.replica, audit_entry.c.epoch, audit_entry.c.core).join(
        audit_chain,
        (audit_chain.c.replica == audit_entry.c.replica)
        & (audit_chain.c.epoch == audit_entry.c.epoch)
        & (audit_entry.c.n == 0),
    )
    registry = Registry()
    said: dict[Name, dict[str, Any]] = {}
    for row in connection.execute(firsts):
        data = (_parsed(row.core) or {}).get("data")
        said[row.replica, row.epoch] = data if isinstance(data, dict) else {}
        previous = said[row.replica, row.epoch].get("previous")
        if isinstance(previous, dict) and {"epoch", "n", "hash"} <= previous.keys():
            name = (row.replica, previous["epoch"])
            links.setdefault(name, {})[previous["n"]] = previous["hash"]
    for name, head in heads.items():
        registry = registry.add(*name)
        first = said.get(name, {})
        if (first.get("ordinal"), first.get("registry")) != (
            head.ordinal,
            registry.digest.hex(),
        ):
            message = "the first entry names another ordinal or other chains before it"
            report.add(Problem("chain_order", message, *name, 0))
    return links


def _check_registry(
    connection: Connection, key: bytes, heads: dict[Name, Head], report: Report
) -> None:
    counted = Registry()
    for ordinal, (name, head) in enumerate(heads.items(), 1):
        counted = counted.add(*name)
        if head.ordinal != ordinal:
            message = f"chain number {ordinal} is not there; this one is number {head.ordinal}"
            report.add(Problem("chain_missing", message, *name))
            break
    rows = connection.execute(select(audit_registry)).all()
    if len(rows) > 1:
        report.add(Problem("registry", "there is more than one registry of chains"))
    row = rows[0] if rows else None
    if row is None:
        if heads:
            report.add(Problem("registry_missing", "the registry of chains is not there"))
        return
    stored = Registry(row.chains, bytes(row.digest))
    if row.mac_key != chain.key_fingerprint(key) or not hmac.compare_digest(
        bytes(row.mac), stored.mac(key)
    ):
        report.add(Problem("registry_forged", "the seal of the registry of chains does not fit"))
    if stored != counted:
        message = f"the registry names {stored.chains} chains, {counted.chains} are there"
        if stored.chains == counted.chains:
            message = "the registry names other chains than are there"
        report.add(Problem("chain_missing", message))


def _written(connection: Connection) -> set[Name]:
    statement = select(audit_entry.c.replica, audit_entry.c.epoch).distinct()
    return {(row.replica, row.epoch) for row in connection.execute(statement)}


def _walk(
    connection: Connection,
    name: Name,
    head: Head | None,
    promised: dict[int, str],
    report: Report,
) -> None:
    """Follow one chain from its first entry to its head."""
    if head is None:
        report.add(Problem("chain_unknown", "entries of a chain that was never opened", *name))
    n, prev = -1, GENESIS
    for row in _entries(connection, name):
        report.entries += 1
        for code, message in faults(row, n, prev):
            report.add(Problem(code, message, *name, row.n))
        n, prev = row.n, bytes(row.hash)
        if head is not None and n > head.n:
            report.add(Problem("beyond_head", "an entry behind the chain's head", *name, n))
        if promised.pop(n, prev.hex()) != prev.hex():
            message = "a later chain of this replica was linked to another entry than this"
            report.add(Problem("link_broken", message, *name, n))
    if head is not None and n < head.n:
        message = f"the chain ends at {n}, its head says {head.n}: the tail was cut off"
        report.add(Problem("truncated", message, *name, head.n))
    elif head is not None and n == head.n and prev != head.hash:
        message = "the last entry is not the one that the head names"
        report.add(Problem("head_mismatch", message, *name, n))
    for missing in promised:
        message = f"a later chain saw this one at {missing}, it ends at {n}: the tail was cut off"
        report.add(Problem("truncated", message, *name, missing))


def _entries(connection: Connection, name: Name) -> Iterator[Row[Any]]:
    return iter(
        connection.execute(
            select(audit_entry)
            .where(audit_entry.c.replica == name[0], audit_entry.c.epoch == name[1])
            .order_by(audit_entry.c.n)
        )
    )


def faults(row: Row[Any], n: int, prev: bytes) -> Iterator[tuple[str, str]]:
    """(code, message) of all that is wrong with one entry that should follow entry n."""
    if not (isinstance(row.core, str) and isinstance(row.prev, bytes)):
        yield "changed", "the entry's columns are not of the types they were written with"
        return
    if row.n == n:
        yield "duplicate", "this place in the chain is taken twice"
    elif row.n != n + 1:
        yield "gap", f"entries {n + 1} to {row.n - 1} are not there"
    if bytes(row.prev) != prev:
        yield "order", "the entry does not follow the one before it"
    if len(row.prev) != 32 or chain.entry_hash(bytes(row.prev), row.core.encode()) != row.hash:
        yield "changed", "the entry's content was changed: its hash does not fit"
    core = _parsed(row.core)
    if core is None:
        yield "changed", "the entry's core is not a JSON object"
        return
    expected = {"id": row.entry_id, **{name: getattr(row, name) for name in _COPIED}}
    wrong = [name for name, value in expected.items() if core.get(name) != value]
    if wrong:
        yield "column", f"columns differ from the entry's core: {', '.join(wrong)}"


def _parsed(core: str) -> dict[str, Any] | None:
    try:
        value = json.loads(core)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _pair(connection: Connection, report: Report) -> None:
    """Count exchanges; list those without an end; complain of those with two."""
    kind, exchange_id = audit_entry.c.kind, audit_entry.c.exchange_id
    report.exchanges = connection.execute(
        select(func.count()).select_from(audit_entry).where(kind == chain.OPENED)
    ).scalar_one()
    closed = audit_entry.alias("closed")
    unclosed = (
        select(audit_entry.c.replica, audit_entry.c.epoch, audit_entry.c.n, exchange_id)
        .where(kind == chain.OPENED)
        .where(
            ~exists().where(
                closed.c.exchange_id == audit_entry.c.exchange_id, closed.c.kind == chain.CLOSED
            )
        )
        .order_by(audit_entry.c.ts_ms)
    )
    for row in connection.execute(unclosed):
        report.unclosed_count += 1
        if len(report.unclosed) < MAX_LISTED:
            report.unclosed.append(Unclosed(row.exchange_id, row.replica, row.epoch, row.n))
    twice = (
        select(
            exchange_id,
            kind,
            func.min(audit_entry.c.replica).label("replica"),
            func.max(audit_entry.c.epoch).label("epoch"),
            func.max(audit_entry.c.n).label("n"),
        )
        .where(kind.in_((chain.OPENED, chain.CLOSED)))
        .group_by(exchange_id, kind)
        .having(func.count() > 1)
    )
    for again in connection.execute(twice):
        message = f"exchange {again.exchange_id} has more than one entry {again.kind}"
        report.add(Problem("duplicate", message, again.replica, again.epoch, again.n))
