"""How fast several processes write one audit log in PostgreSQL, with the sequencer live.

    python -m benchmarks.audit_writers [--writers 4] [--seconds 20]

Each writer is a gateway's own audit log under as many exchanges at once as it is told, with
entries as exchanges leave them. Prints rows a second, CPU time by what it was spent for, and
whether every row got its place in the signed tree; checks the whole log at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import func, select

from benchmarks._postgres import server
from gateway import db
from gateway.audit import tree
from gateway.audit.log import AuditLog
from gateway.audit.sequencing import Sequencing
from gateway.audit.tables import audit_entry
from gateway.audit.verify import verify
from gateway.clock import SystemClock
from gateway.core.ports import Counters, Entry

KEY = b"audit key of a benchmark, 32 byte"
LANES = 100
ROUTE: dict[str, Any] = {
    "upstream_model": "gpt-5-mini-2026-08-07", "backend": "openai", "hosting": "hosted",
    "region": "eu", "classes": ["internal"], "trains": False, "retention_days": 30, "team": "crm",
    "endpoint": "/v1/chat/completions", "stream": True, "subject": "c" * 32,
    "terms": [{"profile": "openai-api", "rev": "2026-05", "acceptance": "01a20383-5928"}],
    "policy": {"digest": "d" * 64, "revision": "7"}, "data_class": {"given": ["internal"]},
}  # fmt: skip
SIDE: dict[str, Any] = {
    "bytes": 2120, "digest": "e" * 64, "texts": 3, "judged_chars": 1830, "opaque": [],
    "judged_bytes": {"/messages/*/content": 1830},
    "findings": [{"category": "EMAIL_ADDRESS", "count": 2, "detector": "pii", "max_pm": 990}],
    "effects": [{"action": "redact", "rule": "default/pii", "count": 2, "reason": ""}],
}  # fmt: skip
OPENED = {**ROUTE, "request_bytes": 2120}
CLOSED = {
    **ROUTE, "status": 200, "upstream_status": 200, "upstream_called": True, "request": SIDE,
    "response": SIDE, "labels": ["header"], "restored": 2, "usage": {"input": 512, "output": 214},
    "latency_us": {"total": 812345, "first_byte": 310022, "judging": 1450}, "error": "",
}  # fmt: skip
WHO = {
    "tenant": "acme", "application": "crm", "key_id": "abcdefghij", "model": "gpt-5-mini",
    "provider": "openai",
}  # fmt: skip


async def write(url: str, name: str, seconds: float) -> dict[str, Any]:
    """As much as goes in this time, and what it cost this process."""
    engine = db.open_engine(url)
    log = AuditLog(engine, key=KEY, replica=name, clock=SystemClock(), counters=Counters())
    await log.start()
    end = time.monotonic() + seconds
    rows = 0

    async def lane(number: int) -> None:
        nonlocal rows
        for n in count():
            if time.monotonic() > end:
                return
            exchange = f"{name}-{number}-{n}"
            await log.append(Entry(exchange, "exchange.opened", OPENED, **WHO))
            await log.append(Entry(exchange, "exchange.closed", CLOSED, outcome="completed", **WHO))
            rows += 2

    thread_s, process_s = time.thread_time(), time.process_time()
    await asyncio.gather(*(lane(i) for i in range(LANES)))
    thread_s = time.thread_time() - thread_s
    process_s = time.process_time() - process_s
    await log.aclose()
    engine.dispose()
    return {"rows": rows, "request_s": thread_s, "writer_s": process_s - thread_s}


def sequence(url: str) -> None:
    """Until it is ended."""
    Sequencing.open(
        url, key=KEY, origin="", clock=SystemClock(), counters=Counters(), every_s=1, share=1.0
    ).run()


def child(role: str, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.audit_writers", "--role", role, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def cpu_s(pid: int) -> float:
    """Of a process and its children, those that have ended included."""
    head = psutil.Process(pid)
    spent = [head.cpu_times(), *(each.cpu_times() for each in head.children(recursive=True))]
    own = sum(each.user + each.system for each in spent)
    return own + spent[0].children_user + spent[0].children_system


def measure(url: str, server_pid: int, writers: int, seconds: float) -> dict[str, Any]:
    sequencer = child("sequence", "--url", url)
    engine = db.open_engine(url)
    server_s, began = cpu_s(server_pid), time.monotonic()
    try:
        ways = ["--url", url, "--seconds", str(seconds)]
        running = [child("write", *ways, "--name", f"w{i}") for i in range(writers)]
        told = [json.loads(process.communicate()[0]) for process in running]
        wrote_s = time.monotonic() - began
        rows = sum(each["rows"] for each in told)
        behind = sequenced(engine)
        total = entries(engine)
        while sequenced(engine) < total and time.monotonic() - began < 20 * seconds + 60:
            time.sleep(0.1)
        sequencer_s, server_s = cpu_s(sequencer.pid), cpu_s(server_pid) - server_s
        caught_up_s = time.monotonic() - began - wrote_s
    finally:
        sequencer.kill()
        sequencer.wait()
    return {
        "writers": writers,
        "rows": rows,
        "rows_per_s": round(rows / seconds),
        "request_us_per_row": round(1e6 * sum(each["request_s"] for each in told) / rows, 1),
        "writer_us_per_row": round(1e6 * sum(each["writer_s"] for each in told) / rows, 1),
        "sequencer_us_per_row": round(1e6 * sequencer_s / rows, 1),
        "postgresql_us_per_row": round(1e6 * server_s / rows, 1),
        "entries": total,
        "sequenced": sequenced(engine),
        "sequenced_when_writers_ended": behind,
        "caught_up_s": round(caught_up_s, 1),
        "verified": verify(engine, KEY).ok,
    }


def entries(engine: Any) -> int:
    with db.snapshot(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(audit_entry)).scalar_one())


def sequenced(engine: Any) -> int:
    with db.snapshot(engine) as connection:
        newest = tree.newest(connection)
    return newest[0] if newest else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--folder", type=Path, help="Where the database goes. Default: a new one.")
    parser.add_argument("--role", default="", help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    parser.add_argument("--name", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role == "write":
        print(json.dumps(asyncio.run(write(given.url, given.name, given.seconds))))
    elif given.role == "sequence":
        sequence(given.url)
    else:
        with server(given.folder, durable=True) as (url, pid):
            print(json.dumps(measure(url, pid, given.writers, given.seconds), indent=1))


if __name__ == "__main__":
    main()
