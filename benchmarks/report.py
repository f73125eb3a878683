"""What a measurement is told with: its surroundings, its rows, its table."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
_LIBRARIES = ("aiohttp", "httptools", "hyperscan", "presidio-analyzer", "sqlalchemy", "uvicorn")
_SUMS = ("requests", "answered", "arrived", "arrived_personal")
_TIMES = ("p50_ms", "p99_ms", "first_p50_ms", "first_p99_ms")
_MEDIANS = ("cpu_ms", "rps", *_TIMES, "rss_mb", "yardstick_us")
_SHOWN = ("rps", "p50_ms", "p99_ms", "first_p50_ms", "rss_mb", "yardstick_us")

Row = Mapping[str, Any]


def surroundings() -> dict[str, Any]:
    """What the figures depend on: the machine by its kind, not by its name."""
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "revision": _git("rev-parse", "--short", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--", "gateway", "policies", "requirements")),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def summary(rounds: Sequence[Row]) -> dict[str, Any]:
    """Several rounds as one row: sums of counts, medians of the rest, each round's CPU time."""
    errors: Counter[str] = Counter()
    for took in rounds:
        errors.update(took["errors"])
    row: dict[str, Any] = {key: sum(r[key] for r in rounds) for key in _SUMS}
    row |= {"errors": dict(errors), "accounted": all(r["accounted"] for r in rounds)}
    row |= {key: rounds[0][key] for key in ("concurrency", "processes")}
    row["cpu_ms_rounds"] = [r["cpu_ms"] for r in rounds]
    for key in _MEDIANS:
        values = [r[key] for r in rounds if r[key] is not None]
        row[key] = round(statistics.median(values), 3) if values else None
    return row


def table(rows: Sequence[Row]) -> Table:
    """The rows for people. "x plain": how many times the plain proxy's CPU time."""
    out = Table(title="What an exchange costs", title_justify="left")
    for name in ("workload", "target", "model", "conns"):
        out.add_column(name)
    numbers = ("CPU ms", "x plain", "req/s", "p50 ms", "p99 ms", "first ms", "MB", "yardstick")
    for name in (*numbers, "errors"):
        out.add_column(name, justify="right")
    plain = {r["workload"]: r["cpu_ms"] for r in rows if r["target"] == "pass_through"}
    for row in rows:
        base = plain.get(row["workload"])
        out.add_row(
            row["workload"],
            row["target"],
            row["model"] if row["target"] == "gateway" else "",
            str(row["concurrency"]),
            f"{row['cpu_ms']:.2f}",
            f"{row['cpu_ms'] / base:.1f}" if base else "",
            *(_figure(row[key]) for key in _SHOWN),
            str(row["requests"] - row["answered"]),
        )
    return out


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())
