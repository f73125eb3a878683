"""Texts that hold a secret, and decoys: was something raised?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.evaluation.datasets import Schema
from gateway.evaluation.rates import Cells, Counts, share
from gateway.evaluation.run import EVERY_SOURCE, Judged, grouped
from gateway.evaluation.scores import SECRET


def tables(judged: Iterable[Judged]) -> dict[str, list[Cells]]:
    """By source, and for each kind of secret."""
    rows = [each for each in judged if each.schema is Schema.SECRETS and each.row.label is not None]
    true = [each for each in rows if each.row.label]
    sources = grouped(rows, lambda each: (each.source,))
    if len(sources) > 1:
        sources.append(((EVERY_SOURCE,), rows))
    return {
        "secrets_by_source": [{"source": name, **_cells(group)} for (name,), group in sources],
        "secrets_by_kind": [
            {"kind": kind, "texts": len(group), "found": sum(map(_raised, group))}
            for (kind,), group in grouped(true, lambda each: (each.row.kind or "",))
        ],
    }


def _raised(each: Judged) -> bool:
    return each.reported[SECRET] > 0


def _cells(rows: Sequence[Judged]) -> Cells:
    true = [each for each in rows if each.row.label]
    hits, raised = sum(map(_raised, true)), sum(map(_raised, rows))
    counts = Counts(hits, raised - hits, len(true) - hits)
    decoys = len(rows) - len(true)
    return {**counts.cells(), "decoys": decoys, "decoys_raised": share(raised - hits, decoys)}
