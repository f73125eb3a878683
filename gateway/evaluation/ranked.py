"""Texts that are harmful or not: how well scores rank them, and what a threshold would do.

The threshold is the one that gives 1% false alarms on ordinary harmless texts (schema benign,
not hard), of all data sets that are given together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.evaluation.datasets import Schema
from gateway.evaluation.ranking import above, auprc, auroc, limit
from gateway.evaluation.rates import Cells, share
from gateway.evaluation.run import EVERY_SOURCE, Judged, grouped
from gateway.evaluation.scores import INJECTION, SECRET, UNSAFE, VERBATIM, hazard, is_personal

FALSE_ALARM_RATE = 0.01

_LABEL = {Schema.INJECTION: INJECTION, Schema.VERBATIM: VERBATIM}


@dataclass(slots=True)
class _Sides:
    """The texts that have a label, by kind, and those that are known not to have it."""

    positives: dict[str, list[Judged]] = field(default_factory=dict)
    negatives: list[Judged] = field(default_factory=list)

    def add(self, each: Judged, value: int) -> None:
        if value:
            self.positives.setdefault(each.row.kind or "", []).append(each)
        else:
            self.negatives.append(each)


def tables(judged: Sequence[Judged], secrets: Collection[str]) -> dict[str, list[Cells]]:
    """By label, source and kind; and false alarms on what is harmless, by source."""
    ordinary = [each for each in judged if each.schema is Schema.BENIGN and not each.row.hard]
    return {
        "ranked": list(_ranked(judged, ordinary)),
        "false_alarms": list(_false_alarms(judged, ordinary, secrets)),
    }


def _ranked(judged: Iterable[Judged], ordinary: Sequence[Judged]) -> Iterator[Cells]:
    sides: dict[str, dict[str, _Sides]] = {}
    for each in judged:
        for label, value in _labels(each).items():
            for source in (each.source, EVERY_SOURCE):
                sides.setdefault(label, {}).setdefault(source, _Sides()).add(each, value)
    for label, by_source in sorted(sides.items()):
        for source, both in sorted(by_source.items(), key=lambda item: item[0] == EVERY_SOURCE):
            if source == EVERY_SOURCE and len(by_source) == 2:
                continue
            if source == EVERY_SOURCE:
                kinds = {"": [each for group in both.positives.values() for each in group]}
            else:
                kinds = both.positives
            for kind, positives in sorted(kinds.items()):
                head: Cells = {"label": label, "source": source, "kind": kind}
                yield head | _cells(label, positives, both.negatives, ordinary)


def _labels(each: Judged) -> dict[str, int]:
    """What the row is said to be, and not to be."""
    if each.schema is Schema.SAFETY:
        return dict(each.row.labels or {})
    label = _LABEL.get(each.schema)
    return {} if label is None or each.row.label is None else {label: each.row.label}


def _cells(
    label: str,
    positives: Sequence[Judged],
    negatives: Sequence[Judged],
    ordinary: Sequence[Judged],
) -> Cells:
    """Where a source has no negatives of its own, ordinary texts stand in."""
    name = hazard(label)
    ups = _scores(positives, name)
    downs = _scores(negatives or ordinary, name)
    recall = None
    if ordinary:
        recall = share(above(ups, limit(_scores(ordinary, name), FALSE_ALARM_RATE)), len(ups))
    return {
        "score": name,
        "positives": len(ups),
        "negatives": len(downs),
        "against": "own" if negatives else "ordinary",
        "auroc": auroc(ups, downs),
        "auprc": auprc(ups, downs),
        "recall_at_1pct": recall,
        "reported": share(sum(e.reported.get(name, 0.0) > 0 for e in positives), len(ups)),
    }


def _scores(judged: Iterable[Judged], name: str) -> list[float]:
    return [each.scores.get(name, 0.0) for each in judged]


def _false_alarms(
    judged: Iterable[Judged], ordinary: Sequence[Judged], secrets: Collection[str]
) -> Iterator[Cells]:
    """For each kind of harmless text: the share above each threshold, and what is reported."""
    limits = {
        name: limit(_scores(ordinary, name), FALSE_ALARM_RATE) if ordinary else None
        for name in (UNSAFE, INJECTION, SECRET)
    }
    harmless = [each for each in judged if _harmless(each)]
    groups = grouped(harmless, lambda e: (e.source, e.row.kind or "", "yes" if e.row.hard else ""))
    for (source, kind, hard), texts in groups:
        cells: Cells = {"source": source, "kind": kind, "hard": hard, "texts": len(texts)}
        for name, floor in limits.items():
            over = None if floor is None else above(_scores(texts, name), floor)
            cells[f"{name}_over"] = None if over is None else share(over, len(texts))
            cells[f"{name}_reported"] = share(sum(e.reported[name] > 0 for e in texts), len(texts))
        for name, hit in (("personal", is_personal), ("person", _is_person)):
            hits = sum(any(hit(f.category, secrets) for f in each.findings) for each in texts)
            cells[f"{name}_reported"] = share(hits, len(texts))
        yield cells


def _is_person(category: str, secrets: Collection[str]) -> bool:
    return category == "PERSON" and is_personal(category, secrets)


def _harmless(each: Judged) -> bool:
    return each.schema is Schema.BENIGN or (each.schema is Schema.INJECTION and each.row.label == 0)
