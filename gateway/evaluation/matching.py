"""Which of the entities that were found are those that stand in a text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from gateway.evaluation.entities import Entity, trimmed
from gateway.evaluation.rates import Counts

MIN_OVERLAP = 0.5

ByType = dict[str, Counts]


def overlap(true: Sequence[Entity], found: Sequence[Entity]) -> ByType:
    """By type: found where an entity of the type covers the same characters by half or more.

    That is, the characters that two share are at least half of those that either has. One to
    one: the pairs that agree best are made first.
    """
    pairs = sorted(
        (-agreement, i, j)
        for i, one in enumerate(true)
        for j, other in enumerate(found)
        if one.type == other.type and (agreement := _agreement(one, other)) >= MIN_OVERLAP
    )
    left, right = set[int](), set[int]()
    for _, i, j in pairs:
        if i not in left and j not in right:
            left.add(i)
            right.add(j)
    hits = Counter(true[i].type for i in left)
    return _counts(hits, true, found)


def strict(text: str, true: Sequence[Entity], found: Sequence[Entity]) -> ByType:
    """By type: found where the edges are the same, but for white space and punctuation."""
    ones = Counter(trimmed(text, entity) for entity in true)
    others = Counter(trimmed(text, entity) for entity in found)
    hits: Counter[str] = Counter()
    for entity, times in (ones & others).items():
        hits[entity.type] += times
    return _counts(hits, true, found)


def leaks(true: Sequence[Entity], found: Sequence[Entity]) -> bool:
    """Whether less than half of some entity is covered, by whatever was found there."""
    covered: set[int] = set()
    for other in found:
        covered.update(range(other.start, other.end))
    return any(
        2 * len(covered.intersection(range(one.start, one.end))) < one.end - one.start
        for one in true
    )


def _agreement(one: Entity, other: Entity) -> float:
    """Characters in both by characters in either."""
    both = min(one.end, other.end) - max(one.start, other.start)
    if both <= 0:
        return 0.0
    return both / (one.end - one.start + other.end - other.start - both)


def _counts(hits: Counter[str], true: Sequence[Entity], found: Sequence[Entity]) -> ByType:
    out: dict[str, Counts] = defaultdict(Counts)
    for entity in true:
        out[entity.type] += Counts(misses=1)
    for entity in found:
        out[entity.type] += Counts(alarms=1)
    for type_, times in hits.items():
        out[type_] += Counts(hits=times, alarms=-times, misses=-times)
    return dict(out)
