"""Writes exchanges as fast as it can and prints each id once it is durable. Killed by tests."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from itertools import count
from pathlib import Path

from gateway import db
from gateway.audit.log import AuditLog
from gateway.audit.spool import Spool
from gateway.core.ports import Counters, Entry


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        return time.monotonic() * 1_000


async def exchange(log: AuditLog, name: str) -> None:
    await log.append(Entry(name, "exchange.opened", {}, tenant="t"))
    print("opened", name, flush=True)
    await log.append(Entry(name, "exchange.closed", {}, tenant="t", outcome="completed"))
    print("closed", name, flush=True)


async def lane(log: AuditLog, name: str, limit: int) -> None:
    for number in count() if limit == 0 else range(limit):
        await exchange(log, f"{name}-{number:06d}")


async def main(url: str, replica: str, key: str, limit: int, folder: str = "") -> None:
    log = AuditLog(
        db.open_engine(url),
        key=key.encode(),
        replica=replica,
        clock=SystemClock(),
        counters=Counters(),
        spool=Spool(Path(folder), key.encode(), max_bytes=1 << 26) if folder else None,
    )
    await log.start()
    await asyncio.gather(*(lane(log, f"{os.getpid()}-lane{i:02d}", limit) for i in range(10)))
    await log.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), *sys.argv[5:]))
