"""Texts that hold something, and others that only look like it: was it raised?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.evaluation.datasets import Schema
from gateway.evaluation.rates import Cells, Counts, share
from gateway.evaluation.run import EVERY_SOURCE, Judged, grouped
from gateway.evaluation.scores import SECRET, VERBATIM


def tables(judged: Iterable[Judged]) -> dict[str, list[Cells]]:
    """By source, and for each kind of secret and of reproduction."""
    rows = [each for each in judged if each.row.label is not None]
    secrets = [each for each in rows if each.schema is Schema.SECRETS]
    verbatim = [each for each in rows if each.schema is Schema.VERBATIM]
    return {
        "secrets_by_source": _by_source(secrets, SECRET, "decoys"),
        "secrets_by_kind": _by_kind([each for each in secrets if each.row.label], SECRET),
        "verbatim_by_source": _by_source(verbatim, VERBATIM, "others"),
        "verbatim_by_kind": _by_kind(verbatim, VERBATIM),
    }


def _by_source(rows: Sequence[Judged], name: str, others: str) -> list[Cells]:
    sources = grouped(rows, lambda each: (each.source,))
    if len(sources) > 1:
        sources.append(((EVERY_SOURCE,), rows))
    return [{"source": source, **_cells(group, name, others)} for (source,), group in sources]


def _by_kind(rows: Sequence[Judged], name: str) -> list[Cells]:
    return [
        {
            "kind": kind,
            "texts": len(group),
            "found": sum(each.reported[name] > 0 for each in group),
        }
        for (kind,), group in grouped(rows, lambda each: (each.row.kind or "",))
    ]


def _cells(rows: Sequence[Judged], name: str, others: str) -> Cells:
    """others: what those are called that hold nothing."""
    true = [each for each in rows if each.row.label]
    hits = sum(each.reported[name] > 0 for each in true)
    raised = sum(each.reported[name] > 0 for each in rows)
    counts = Counts(hits, raised - hits, len(true) - hits)
    rest = len(rows) - len(true)
    return {**counts.cells(), others: rest, f"{others}_raised": share(raised - hits, rest)}
