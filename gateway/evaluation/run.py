"""Judges the rows of data sets, and takes the time that it costs.

The time is CPU time of this process, all its threads together, for one text after the other,
none of which was judged before. Loading and the first few texts are not counted.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.judgement import DETECTOR_ERROR, Finding
from gateway.evaluation.datasets import Dataset, Row, Schema
from gateway.evaluation.scores import scores

# How a text is judged: what is reported, and what was too faint for that.
Look = Callable[[str], tuple[list[Finding], list[Finding]]]

WARM_UP_ROWS = 10
EVERY_SOURCE = "all sources"

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and what the detectors said of it.

    findings: what the gateway acts on. scores: of all that was seen, however faint.
    reported: of the findings alone.
    """

    row: Row
    schema: Schema
    findings: Sequence[Finding]
    scores: Mapping[str, float]
    reported: Mapping[str, float]

    @property
    def source(self) -> str:
        """Where the row is from; empty if it does not say."""
        return self.row.source or ""


@dataclass(slots=True)
class Cost:
    """What judging came to so far."""

    cpu_ns: int = 0
    texts: int = 0
    text_bytes: int = 0

    @property
    def ms_per_kb(self) -> float:
        """Milliseconds of CPU for 1,000 bytes of UTF-8."""
        return round(self.cpu_ns / 1_000 / max(1, self.text_bytes), 3)

    @property
    def ms_per_text(self) -> float:
        """Milliseconds of CPU for one text."""
        return round(self.cpu_ns / 1_000_000 / max(1, self.texts), 3)


@dataclass(frozen=True, slots=True)
class Bench:
    """Judges rows. secrets: the categories that are secrets."""

    look: Look
    secrets: frozenset[str]
    cost: Cost = field(default_factory=Cost)

    def judge(self, dataset: Dataset) -> Iterator[Judged]:
        """Each row in order, judged when it is asked for."""
        for row in dataset.rows[:WARM_UP_ROWS]:
            self.look(row.text)
        for row in dataset.rows:
            before = time.process_time_ns()
            findings, faint = self.look(row.text)
            self.cost.cpu_ns += time.process_time_ns() - before
            self.cost.texts += 1
            self.cost.text_bytes += len(row.text.encode())
            reported = scores(findings, self.secrets)
            seen = scores([*findings, *faint], self.secrets) if faint else reported
            yield Judged(row, dataset.schema, findings, seen, reported)


def grouped(
    judged: Iterable[Judged], key: Callable[[Judged], Key]
) -> list[tuple[Key, Sequence[Judged]]]:
    """What has the same key together, by key."""
    out: dict[Key, list[Judged]] = defaultdict(list)
    for each in judged:
        out[key(each)].append(each)
    return sorted(out.items(), key=lambda item: item[0])


def failures(judged: Iterable[Judged]) -> int:
    """How often a detector failed."""
    return sum(f.category == DETECTOR_ERROR for each in judged for f in each.findings)
