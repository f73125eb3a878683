"""Measures what an exchange costs: starts a mock upstream, the gateway and a plain proxy.

Prints a table and writes a JSON file. CPU time is that of a target's whole process tree
for each request: unlike the wall clock it does not depend much on what else the machine
does. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from benchmarks.load import Target, drive, get_json, measure
from benchmarks.report import ROOT, summary, surroundings, table
from benchmarks.servers import DETECTORS, Gateway, Upstream, helper
from benchmarks.texts import Texts
from benchmarks.workloads import all_workloads

# Requests in a round by what is measured. With the model on, a text of 40 kB takes seconds.
WITHOUT_MODEL = {
    "small": 1500, "large": 150, "clean": 250, "stream": 500, "paced": 250, "turns": 400,
}  # fmt: skip
WITH_MODEL = {"small": 160, "large": 4, "clean": 4, "stream": 120, "paced": 120, "turns": 60}
# More would only wait for each other until the detectors' deadline.
WITH_MODEL_CONCURRENCY = {"large": 2, "clean": 2, "turns": 2}
# The same as "stream" in another API: the model costs the same there.
OTHER_API = "stream-"
TABLE_WIDTH = 132


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the table: a workload with the model on or off, so many times."""

    workload: str
    model: str
    requests: int
    concurrency: int


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns 1 if a request went wrong."""
    options = _options(argv)
    results = uvloop.run(_bench(options))
    report = {**surroundings(), "settings": _settings(options), "results": results}
    path = Path(options.output or ROOT / "benchmarks" / "results" / f"{report['when'][:10]}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    console.print(table(results))
    console.print(f"Written to {path}", highlight=False)
    bad = [row for row in results if row["errors"] or not row["accounted"]]
    for row in bad:
        trouble = row["errors"] or "more or fewer requests arrived than were answered"
        console.print(f"{row['target']} {row['workload']} (model {row['model']}): {trouble}")
    return 1 if bad else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    names = list(all_workloads())
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    add = parser.add_argument
    add("--workloads", default=",".join(names), help="some of %(default)s")
    add("--model", choices=["off", "on", "both"], default="both", help="default: %(default)s")
    add("--peer", action=argparse.BooleanOptionalAction, default=True, help="the plain proxy too")
    add("--concurrency", type=int, default=16, help="connections (default: %(default)s)")
    add("--rounds", type=int, default=3, help="each measured so often (default: %(default)s)")
    add("--scale", type=float, default=1.0, help="factor on the number of requests")
    add("--seed", type=int, default=2026, help="for the texts (default: %(default)s)")
    add("--output", help="the JSON file (default: benchmarks/results/DATE.json)")
    add("--gateway", default=str(Path(sys.executable).with_name("gateway")),
        help="the command to measure (default: the one of this environment)")  # fmt: skip
    add("--profile", default="", metavar="FILE", help="write cProfile statistics of the serving "
        "process, model off; the figures are then those of a slowed gateway")  # fmt: skip
    options = parser.parse_args(argv)
    options.workloads = [name.strip() for name in options.workloads.split(",")]
    unknown = set(options.workloads) - set(names)
    if unknown:
        parser.error(f"no such workload: {', '.join(sorted(unknown))}. Known: {', '.join(names)}.")
    return options


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "detectors": DETECTORS,
        "policy": "default",
        "database": "sqlite",
        "workers": 1,
        "profiled": bool(options.profile),
        **{key: getattr(options, key) for key in ("concurrency", "rounds", "scale", "seed")},
    }


async def _bench(options: argparse.Namespace) -> list[dict[str, Any]]:
    credential = secrets.token_hex(16)
    results: list[dict[str, Any]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-")))
        mock = stack.enter_context(helper("mock_upstream", "--credential", credential))
        upstream = Upstream(f"http://127.0.0.1:{mock.port}", credential)
        for model in ("off", "on") if options.model == "both" else (options.model,):
            with ExitStack() as running:
                targets = await _targets(running, folder / model, model, upstream, options)
                for name in options.workloads:
                    if model == "on" and name.startswith(OTHER_API):
                        continue
                    case = _case(name, model, options)
                    results += await _rounds(targets, case, mock.port, options)
    return results


async def _targets(
    stack: ExitStack, data: Path, model: str, upstream: Upstream, options: argparse.Namespace
) -> list[Target]:
    profile = options.profile if model == "off" else ""
    gateway = Gateway(options.gateway, data, model=model, upstream=upstream, profile=profile)
    targets = [await gateway.start(stack)]
    if options.peer and model == "off":
        arguments = ("--upstream", upstream.url, "--credential", upstream.credential)
        targets.append(stack.enter_context(helper("pass_through", *arguments)))
    return targets


def _case(name: str, model: str, options: argparse.Namespace) -> Case:
    concurrency = options.concurrency
    if model == "on":
        concurrency = min(concurrency, WITH_MODEL_CONCURRENCY.get(name, concurrency))
    known = "stream" if name.startswith(OTHER_API) else name
    per_round = (WITH_MODEL if model == "on" else WITHOUT_MODEL)[known]
    requests = max(1, round(per_round * options.scale))
    return Case(name, model, requests, min(concurrency, requests))


async def _rounds(
    targets: Sequence[Target], case: Case, mock_port: int, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Each target in turn, several times, so that a busy moment of the machine hits them all."""
    taken: dict[str, list[dict[str, Any]]] = {target.name: [] for target in targets}
    for number in range(options.rounds):
        for target in targets:
            about = f"{target.name}: {case.workload}, model {case.model}"
            print(f"{about}, round {number + 1} of {options.rounds}", file=sys.stderr)
            # Other texts in each round: what was sent before would be remembered.
            texts = Texts(f"{options.seed} {target.name} {case.workload} {case.model} {number}")
            taken[target.name].append(await _round(target, case, mock_port, texts))
    return [
        {"workload": case.workload, "target": name, "model": case.model, **summary(rounds)}
        for name, rounds in taken.items()
    ]


async def _round(target: Target, case: Case, mock_port: int, texts: Texts) -> dict[str, Any]:
    workload, conns = all_workloads()[case.workload], case.concurrency
    await drive(target, workload, texts=texts, requests=conns, concurrency=conns)
    before = await _counts(mock_port)
    took = await measure(target, workload, texts=texts, requests=case.requests, concurrency=conns)
    after = await _counts(mock_port)
    arrived = {key: after[key] - before[key] for key in after}
    return {
        **took,
        "arrived": arrived["requests"],
        "arrived_personal": arrived["personal"],
        "accounted": arrived["requests"] == took["answered"] and not arrived["strangers"],
    }


async def _counts(port: int) -> dict[str, int]:
    _, counts = await get_json(port, "/counts")
    assert isinstance(counts, dict)
    return counts


if __name__ == "__main__":
    sys.exit(main())
