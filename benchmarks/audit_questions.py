"""How long saved questions take on a large audit log in PostgreSQL, and by which plan.

    python -m benchmarks.audit_questions [--million 10] [--days 180] [--folder FOLDER]

Generates entries that read as real ones do, over so many days, each month in its partition; their
hashes are made up, so the log would not verify. Each question is asked for the last day, week and
month, `subject` of one person. Prints a table of times, and which partitions a plan reads.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from benchmarks._postgres import server
from gateway import db
from gateway.audit import questions
from gateway.audit.partitions import add_months

DAY_MS = 86_400_000
NOW_MS = 1_795_300_000_000
BATCH = 250_000
SPANS = {"day": 1, "week": 7, "month": 30}
# Far from the request's way, so that generating is not bound by them.
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'audit_entry'"

PEOPLE = 20_000
ONE = hashlib.md5(b"person7", usedforsecurity=False).hexdigest()
# One exchange in forty has a finding on each side, one in fifty is blocked, one in a thousand
# has no end, one in two thousand goes with an act of administration.
SIDE = """('{"bytes":2120,"digest":"' || md5(id) || md5(key) || '","effects":['
    || CASE WHEN blocked THEN '{"action":"block","count":1,"reason":"","rule":"default/cards"}'
        ELSE '' END || '],"findings":[' || CASE WHEN found
        THEN '{"category":"EMAIL_ADDRESS","count":2,"detector":"pii","max_pm":990}' ELSE '' END
    || '],"judged_chars":1830,"opaque":[],"texts":3}')"""
GENERATE = f"""
WITH made AS (
    SELECT g,
        %(since)s + CAST(g * CAST(%(step)s AS double precision) AS bigint) AS ts,
        lpad(to_hex(g), 8, '0') || '-7000-8000-' || substr(md5(g::text), 1, 12) AS id,
        'tenant' || mod(g, 20) AS tenant, 'app' || mod(g, 97) AS app,
        'team' || mod(g, 41) AS team, substr(md5(mod(g, 500)::text), 1, 10) AS key,
        'model' || mod(g, 30) AS model, 'provider' || mod(g, 7) AS provider,
        mod(g, 50) = 0 AS blocked, mod(g, 40) = 0 AS found
    FROM generate_series(CAST(%(first)s AS bigint), CAST(%(last)s AS bigint)) AS g
), route AS (
    SELECT *, '"endpoint":"/v1/chat/completions","hosting":"hosted","policy":{{"digest":"'
        || repeat('d', 64) || '","revision":"7"}},"region":"eu","stream":true,"subject":"'
        || md5('person' || mod(g, {PEOPLE})) || '","team":"' || team
        || '","terms":[{{"acceptance":"a1","profile":"openai-api","rev":"2026-05"}}]' AS common,
        CASE WHEN mod(g, 9) = 0 THEN '[]' ELSE '["header"]' END AS labels,
        CASE WHEN mod(g, 4000) = 0 THEN 'access.audit_read' ELSE 'policy.change' END AS act
    FROM made
), entry AS (
    SELECT g, 0 AS turn, ts, id, 'exchange.opened' AS kind, tenant, app, key, model, provider,
        '' AS outcome, '{{"data":{{' || common || ',"request_bytes":2120}},"v":1}}' AS core
    FROM route
    UNION ALL
    SELECT g, 1, ts + 900, id, 'exchange.closed', tenant, app, key, model, provider,
        CASE WHEN blocked THEN 'blocked' ELSE 'completed' END,
        '{{"data":{{' || common || ',"labels":' || labels || ',"request":' || {SIDE}
        || ',"response":' || {SIDE}
        || ',"status":200,"upstream_called":true,"usage":{{"input":512,"output":214}},"cost":'
        || '{{"currency":"EUR","nanos":205200,"since":"2026-05-01"}}}},"v":1}}'
    FROM route WHERE mod(g, 1000) <> 7
    UNION ALL
    SELECT g, 2, ts + 950, '', act, tenant, app, key, '', '', '',
        '{{"data":{{"via":"cli","who":"somebody"}},"v":1}}'
    FROM route WHERE mod(g, 2000) = 0
)
INSERT INTO audit_entry (replica, epoch, n, entry_id, ts_ms, exchange_id, kind, tenant,
    application, key_id, model, provider, outcome, core, prev, hash)
SELECT 'r' || mod(g, 4), 1, g * 3 + turn, md5((g * 3 + turn)::text), ts, id, kind, tenant, app, key,
    model, provider, outcome, core, decode(md5(g::text), 'hex'), decode(md5(id), 'hex')
FROM entry ORDER BY ts
"""


def make_months(engine: Engine, days: int) -> None:
    """As if the log had been partitioned all the time."""
    began = f"FOR VALUES FROM (MINVALUE) TO ({NOW_MS - days * DAY_MS})"
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit_entry_first")
        connection.exec_driver_sql(f"SELECT audit_add_partition('audit_entry_first', '{began}')")
    add_months(engine, ahead=1, now_ms=NOW_MS)


def generate(engine: Engine, rows: int, days: int) -> None:
    """Fills the log, then makes its indexes again, which is how a restored one gets them."""
    with engine.begin() as connection:
        dropped = [
            row
            for row in connection.exec_driver_sql(INDEXES).all()
            if not row.indexname.startswith("pk_")
        ]
        for name, _ in dropped:
            connection.exec_driver_sql(f"DROP INDEX {name}")
    # Two entries an exchange, and the few acts.
    exchanges = rows // 2
    step = days * DAY_MS / exchanges
    for first in range(1, exchanges + 1, BATCH):
        last = min(first + BATCH - 1, exchanges)
        values = {"first": first, "last": last, "since": NOW_MS - days * DAY_MS, "step": step}
        with engine.begin() as connection:
            connection.exec_driver_sql(GENERATE, values)
    with engine.begin() as connection:
        for _, definition in dropped:
            connection.exec_driver_sql(definition.replace(" ON ONLY ", " ON "))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE audit_entry")


def asked(engine: Engine, name: str, days: int, *, tenant: str = "") -> dict[str, Any]:
    """Time of one question, and the ways in which its plan reads the log."""
    question = questions.named(name)
    values: dict[str, Any] = {
        "since_ms": NOW_MS - days * DAY_MS,
        "until_ms": NOW_MS,
        "tenant": tenant,
    }
    if ":subject" in question.sql:
        values["subject"] = ONE
    with engine.connect() as connection:
        plan = connection.execute(
            text(f"EXPLAIN (FORMAT JSON) {question.sql}").bindparams(**values)
        ).scalar_one()
    began = time.monotonic()
    answer = questions.ask(engine, question, **values)
    took_s = time.monotonic() - began
    ways = sorted(set(scans(plan[0]["Plan"])))
    return {"took_s": took_s, "rows": len(answer.rows), "ways": ways}


def scans(node: dict[str, Any]) -> Iterator[str]:
    if "Scan" in node["Node Type"] and node.get("Relation Name", "").startswith("audit_entry"):
        yield f"{node['Node Type']} {node['Relation Name']}"
    for inner in node.get("Plans", ()):
        yield from scans(inner)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", type=float, default=10, help="Entries, in millions.")
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--folder", type=Path, help="Where the database goes, and stays.")
    parser.add_argument("--filled", action="store_true", help="The folder has the entries already.")
    parser.add_argument("--tenant", default="")
    given = parser.parse_args()
    with server(given.folder, durable=False) as (url, _):
        engine = db.open_engine(url)
        began = time.monotonic()
        if not given.filled:
            make_months(engine, given.days)
            generate(engine, int(given.million * 1e6), given.days)
        with db.snapshot(engine) as connection:
            size = connection.exec_driver_sql(
                "SELECT CAST(sum(pg_total_relation_size(relid)) AS bigint), "
                "(SELECT reltuples FROM pg_class WHERE relname = 'audit_entry') "
                "FROM pg_partition_tree('audit_entry')"
            ).one()
        print(f"{size[1]:,.0f} entries, {size[0] / 1e9:.1f} GB, {time.monotonic() - began:.0f} s")
        print(f"| question | {' | '.join(f'{span}, s' for span in SPANS)} | read by |")
        print(f"|---|{'---:|' * len(SPANS)}---|")
        for name in questions.saved():
            found = [asked(engine, name, days, tenant=given.tenant) for days in SPANS.values()]
            times = " | ".join(f"{each['took_s']:.2f}" for each in found)
            ways = json.dumps([each["ways"] for each in found])
            print(f"| {name} | {times} | {ways} |", flush=True)


if __name__ == "__main__":
    main()
