"""`gateway evaluate`: what the detectors find and miss in labelled texts, in figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gateway import settings
from gateway.cli._figures import show
from gateway.cli._output import Json, console, emit, warn
from gateway.cli._scanning import load_scanner
from gateway.cli._works import here, of
from gateway.configured import following, vocabulary
from gateway.core.errors import ConfigError
from gateway.evaluation.datasets import Schema, read, read_works
from gateway.evaluation.predictions import prediction
from gateway.evaluation.report import cost, report
from gateway.evaluation.run import Bench, Judged, failures
from gateway.policy.groups import members

# Off by default, but what it finds is asked for where harmful texts are judged.
_HAZARDS = "content"

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def evaluate(
    files: Annotated[
        list[Path], typer.Argument(metavar="DATASET...", help="JSON Lines, gzip or not.")
    ],
    schema: Annotated[
        Schema | None,
        typer.Option("--schema", help="What the files are, where their rows do not tell."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT", help="Also write what is found and scored, one JSON object a row."
        ),
    ] = None,
    works: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Works to look for, JSON Lines with `text` and `doc`; may be given more than "
            "once. Default: those that are registered here.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure what the detectors find and miss in labelled texts. Nothing leaves this machine.

    Texts are judged by the enabled detectors as the gateway judges them; without
    `GATEWAY_DETECTORS` by `content` as well, which is off by default. All figures are
    explained in `docs/detection.md`. A row is an object with a `text`, and one of:

    - **personal**: `spans`, a list of `{"start", "end", "type"}` in code points; `language`,
      `source`

    - **secrets**: `label` 1 or 0, `kind` (`decoy` for a 0), `spans`, `source`

    - **safety**: `labels`, an object of 1 or 0 by hazard; one that is absent is not annotated;
      `source`

    - **injection**: `label` 1 or 0, `kind`, `source`

    - **verbatim**: `label` 1 or 0, `overlap_words`, `kind`, `source`; which works its
      texts may reproduce is told by `--works`

    - **benign**: `source`, `hard` if it looks harmful, `kind` if it is no ordinary prompt

    - **plain**: nothing else, or `language`

    Which one a file follows is told by all its rows together, or by `--schema`. Thresholds are
    set on the ordinary benign texts among the files, so give some with safety or injection.

    `--predictions` takes one file, of any schema, and writes `index` (of the row, from 0, blank
    lines not counted), `findings` and `scores`.

    For example:

    - `gateway evaluate people.jsonl secrets.jsonl.gz`

    - `gateway evaluate attacks.jsonl benign.jsonl --json`

    - `gateway evaluate texts.jsonl --predictions found.jsonl`

    - `gateway evaluate answers.jsonl --works novels.jsonl`
    """
    if predictions is not None and len(files) != 1:
        raise ConfigError(f"--predictions takes one data set, found {len(files)}: run each.")
    datasets = [read(path, schema) for path in files]
    found = settings.read()
    if found.detectors == settings.DETECTORS:
        found = replace(found, detectors=f"{settings.DETECTORS},{_HAZARDS}")
    secrets = members("secret", vocabulary(found).groups)
    known = of([work for path in works for work in read_works(path)]) if works else here(found)
    scanner = load_scanner(found, following(found, lambda: known))
    judged: list[Judged] = []
    costs = []
    for dataset in datasets:
        bench = Bench(scanner.grade, secrets)
        rows = bench.judge(dataset)
        with _status(f"Judging {len(dataset.rows)} texts of {escape(dataset.name)} ..."):
            judged += rows if predictions is None else _written(rows, predictions)
        costs.append(cost(dataset, bench.cost))
    tables = {"cost": costs, **report(judged, secrets)}
    failed = failures(judged)
    if as_json:
        emit({"detectors": scanner.versions, "failures": failed, **tables})
    else:
        show(tables)
    if failed:
        warn(f"Detectors failed {failed} times, so the figures are not theirs.")
        raise typer.Exit(1)


def _status(text: str) -> AbstractContextManager[object]:
    """Told to people who watch: it may take minutes."""
    out = console(stderr=True)
    return out.status(text) if out.is_terminal else nullcontext()


def _written(judged: Iterable[Judged], path: Path) -> Iterator[Judged]:
    """The same rows, each written down as it passes."""
    try:
        with path.open("w", encoding="utf-8") as out:
            for index, each in enumerate(judged):
                out.write(json.dumps(prediction(index, each)) + "\n")
                yield each
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written: {err.strerror}.") from err
