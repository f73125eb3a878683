from __future__ import annotations

import pytest
from sqlalchemy import text

from gateway import db
from gateway.audit.query import Filters, query, show, walk
from gateway.core.errors import ConfigError


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 30),
        ({"kind": "exchange.closed"}, 12),
        ({"kind": "chain.opened"}, 3),
        ({"tenant": "acme"}, 24),
        ({"tenant": "nobody"}, 0),
        ({"application": "app", "key_id": "abcdefghij", "model": "m1"}, 24),
        ({"provider": "openai"}, 12),
        ({"outcome": "completed"}, 12),
        ({"category": "EMAIL_ADDRESS"}, 12),
        ({"category": "AWS_KEY", "rule": "default/pii"}, 12),
        ({"category": "EMAIL"}, 0),
        ({"rule": "default/secrets"}, 12),
        ({"rule": "default/new"}, 0),
        ({"trial": "default/new"}, 12),
        ({"trial": "default/pii"}, 0),
        ({"trial": "default/new", "rule": "default/pii", "category": "AWS_KEY"}, 12),
        ({"rule": "x' OR 1=1 --"}, 0),
        ({"since_ms": 1, "until_ms": 2}, 0),
        ({"since_ms": 1}, 30),
    ],
)
def test_filters(filled, filters, count):
    assert len(list(query(filled, Filters(**filters)))) == count


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_hold_every_entry_once_and_in_order(filled, newest_first):
    seen, after = [], None
    while True:
        page = list(query(filled, Filters(), limit=7, after=after, newest_first=newest_first))
        if not page:
            break
        seen += [(entry["ts_ms"], entry["id"]) for entry in page]
        after = seen[-1]
    assert len(set(seen)) == 30
    assert seen == sorted(seen, reverse=newest_first)


@pytest.mark.parametrize("page", [1, 7, 30, 100])
def test_a_walk_passes_every_entry_once_and_in_order(filled, page):
    seen = [(entry["ts_ms"], entry["id"]) for entry in walk(filled, Filters(), page=page)]
    assert len(set(seen)) == 30
    assert seen == sorted(seen)


def test_show_joins_both_entries(filled):
    found = show(filled, "00000003")
    assert found["id"] == "00000003-exchange"
    assert found["opened"]["data"]["region"] == "eu"
    assert found["closed"]["outcome"] == "completed"
    assert found["chain"]["replica"] == "r1"
    assert [entry["n"] for entry in found["chain"]["entries"]] == [7, 8]


@pytest.mark.parametrize("wrong", ["0000000", "%0000000", "________", "99999999"])
def test_show_takes_no_short_or_clever_prefix(filled, wrong):
    if len(wrong) < 8:
        with pytest.raises(ConfigError, match="8 characters"):
            show(filled, wrong)
    else:
        assert show(filled, wrong) is None


def test_show_wants_an_unambiguous_prefix(engine, audit_log, opened):
    import asyncio

    async def scenario():
        async with audit_log() as log:
            await log.append(opened(1))
            await log.append(opened(1, application="b"))
            entry = opened(1)
            from dataclasses import replace

            await log.append(replace(entry, exchange_id="00000001-other"))

    asyncio.run(scenario())
    with pytest.raises(ConfigError, match="give more"):
        show(engine, "00000001")


def test_view_has_one_row_per_exchange(engine, audit_log, opened, closed):
    import asyncio

    async def scenario():
        async with audit_log() as log:
            await log.append(opened(1))
            await log.append(closed(1))
            await log.append(opened(2))

    asyncio.run(scenario())
    with db.snapshot(engine) as connection:
        statement = text("SELECT * FROM exchange ORDER BY exchange_id")
        done, running = (dict(row) for row in connection.execute(statement).mappings())
    expected = {
        "outcome": "completed",
        "status": 200,
        "tenant": "acme",
        "team": "t1",
        "model": "m1",
        "provider": "openai",
        "region": "eu",
        "hosting": "hosted",
        "request_bytes": 120,
        "response_bytes": 340,
        "input_tokens": 12,
        "output_tokens": 34,
        "rules": "default/pii,default/secrets",
        "categories": "AWS_KEY,EMAIL_ADDRESS",
        "policy_digest": "d" * 64,
        "terms": "openai@1",
        "opened_n": 1,
        "closed_n": 2,
    }
    assert {name: done[name] for name in expected} == expected
    assert running["outcome"] == "open"
    assert running["request_bytes"] == 120
    assert running["closed_ms"] is None
    assert done.keys() == running.keys()
