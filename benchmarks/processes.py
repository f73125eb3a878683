"""CPU time and memory of a process and everything it has started, from /proc (Linux)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree of processes has used so far. rss_mb counts shared pages once per process."""

    cpu_ms: float
    rss_mb: float
    processes: int


def usage(root: int) -> Usage:
    """The tree under this process id, itself included.

    Children that have ended and were waited for count through their parent, so no CPU time
    gets lost when a process is replaced. Resolution is one clock tick, usually 10 ms.
    """
    stats = _stats()
    tree = [root]
    for pid in tree:
        tree += [child for child, fields in stats.items() if int(fields[1]) == pid]
    alive = [stats[pid] for pid in tree if pid in stats]
    # proc_pid_stat(5), counted from the third field: utime, stime, cutime, cstime; rss.
    ticks = sum(int(field) for fields in alive for field in fields[11:15])
    pages = sum(int(fields[21]) for fields in alive)
    return Usage(
        cpu_ms=ticks * 1000 / _TICKS_PER_S,
        rss_mb=round(pages * _PAGE_BYTES / 1e6, 1),
        processes=len(alive),
    )


def _stats() -> dict[int, list[str]]:
    """The fields of each /proc/PID/stat behind the command's name, which may hold spaces."""
    found: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            found[int(entry.name)] = text.rpartition(")")[2].split()
    return found


def yardstick_us() -> float:
    """CPU time that a fixed job in plain Python takes here and now: the best of three.

    It grows when neighbours share the processor, and the figures grow with it.
    """
    return round(min(_job_us() for _ in range(3)), 1)


def _job_us() -> float:
    began = time.thread_time()
    table: dict[int, str] = {}
    for number in range(3_000):
        table[number & 255] = f"{number}a"
    return (time.thread_time() - began) * 1e6
