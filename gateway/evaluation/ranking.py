"""How well scores tell two sets of texts apart, whatever threshold is chosen.

Equal scores are no order: they count half in AUROC, and are taken all together elsewhere. So
scores that are all 0 give an AUROC of 0.5 and no recall.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from gateway.evaluation.rates import DIGITS


def auroc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """The chance that a positive scores higher than a negative; a tie counts half.

    By the sum of ranks (Mann and Whitney, 1947). None if either set is empty.
    """
    if not positives or not negatives:
        return None
    below = 0
    won = 0.0
    for _, ups, downs in _steps(positives, negatives):
        won += ups * (below + downs / 2)
        below += downs
    return round(won / (len(positives) * len(negatives)), DIGITS)


def auprc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """Average precision: at each score that occurs, the recall gained times the precision there.

    Depends on how many positives there are among all texts: that share is what chance gives.
    None if either set is empty.
    """
    if not positives or not negatives:
        return None
    found = flagged = 0
    total = 0.0
    for _, ups, downs in reversed(_steps(positives, negatives)):
        found += ups
        flagged += ups + downs
        total += ups * found / flagged
    return round(total / len(positives), DIGITS)


def limit(ordinary: Sequence[float], rate: float) -> float:
    """What a text must score more than, so that at most this share of ordinary ones does.

    0 if no more than that share score at all: what scores nothing is never flagged.
    """
    allowed = int(rate * len(ordinary) + 1e-9)
    return sorted(ordinary, reverse=True)[allowed] if allowed < len(ordinary) else 0.0


def above(scores: Sequence[float], floor: float) -> int:
    """How many of the scores are higher."""
    return sum(score > floor for score in scores)


def _steps(positives: Sequence[float], negatives: Sequence[float]) -> list[tuple[float, int, int]]:
    """Each score that occurs, ascending, with how many of either set have it."""
    both = sorted([*((s, 1) for s in positives), *((s, 0) for s in negatives)])
    out = []
    for score, group in groupby(both, key=lambda pair: pair[0]):
        marks = [mark for _, mark in group]
        out.append((score, sum(marks), len(marks) - sum(marks)))
    return out
