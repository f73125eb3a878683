"""A tiny run of the whole measurement: it must be complete, not fast."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from benchmarks.run import main
from gateway.settings import Settings

WORKLOADS = ("small", "large", "stream", "turns", "stream-responses", "stream-completions",
             "stream-anthropic", "stream-gemini", "stream-ollama", "stream-generate")  # fmt: skip
FIELDS = {
    "workload", "target", "model", "requests", "answered", "arrived", "arrived_personal",
    "errors", "accounted", "concurrency", "processes", "cpu_ms", "cpu_ms_rounds", "rps",
    "p50_ms", "p99_ms", "first_p50_ms", "first_p99_ms", "rss_mb",
    "yardstick_us",
}  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("bench") / "result.json"
    workloads = ",".join(WORKLOADS)
    arguments = ["--model=off", "--rounds=1", "--scale=0.02", "--concurrency=2"]
    assert main([*arguments, f"--workloads={workloads}", f"--output={path}"]) == 0
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_report_says_when_where_and_how(report: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", report["when"])
    assert {"revision", "python", "cpu", "cores", "libraries", "settings"} <= report.keys()
    detectors = {"off": "patterns,pii", "on": Settings().detectors}
    assert report["settings"]["detectors"] == detectors


def test_every_workload_is_measured_on_the_gateway_and_the_plain_proxy(
    report: dict[str, Any],
) -> None:
    rows = [(row["workload"], row["target"]) for row in report["results"]]
    targets = ("gateway", "pass_through")
    assert rows == [(w, t) for w in WORKLOADS for t in targets]
    assert all(row.keys() == FIELDS for row in report["results"])


def test_every_request_is_answered_and_arrived_upstream(report: dict[str, Any]) -> None:
    for row in report["results"]:
        assert row["errors"] == {}
        assert row["requests"] == row["answered"] == row["arrived"] > 0
        assert row["accounted"]


def test_personal_data_reaches_the_upstream_through_the_plain_proxy_only(
    report: dict[str, Any],
) -> None:
    arrived = {(r["workload"], r["target"]): r["arrived_personal"] for r in report["results"]}
    assert arrived["large", "pass_through"] > 0
    assert arrived["large", "gateway"] == arrived["turns", "gateway"] == 0


def test_unknown_workload_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["--workloads=smal"])
