"""What a stretch of text is, where several recognisers want it."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from gateway.detectors._reading import Found

# What is no number at all for anybody else: an address or an account that holds digits.
_WHOLE = frozenset({"CRYPTO", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "MAC_ADDRESS"})
_FAR = 1_000

Claim = tuple[str, Found]


def settled(claims: Iterable[Claim]) -> list[Claim]:
    """Claims of different entities to the same characters: the better founded ones stay.

    Right check digits and words that say what a number is count first, then how close those
    words are. Where that is the same, what is part of another goes, and the others all stay. Of
    one entity the longest claim stays.
    """
    ordered = sorted(claims, key=lambda claim: (_rank(claim), claim[0], claim[1].start))
    out: list[Claim] = []
    taken: list[tuple[int, int, int]] = []
    for claim in ordered:
        found = claim[1]
        rivals = [out[i] for i in _over(taken, found)]
        if any(_yields(claim, rival) for rival in rivals):
            continue
        insort(taken, (found.start, found.end, len(out)))
        out.append(claim)
    return sorted(out, key=lambda claim: (claim[0], claim[1].start, claim[1].end))


def _rank(claim: Claim) -> tuple[float, ...]:
    """Smaller is better."""
    return (*_founded(claim), claim[1].start - claim[1].end, -claim[1].score)


def _founded(claim: Claim) -> tuple[int, int, int]:
    entity, found = claim
    reasons = 2 * found.checked + (found.gap is not None)
    return -(entity in _WHOLE), -reasons, _FAR if found.gap is None else found.gap


def _yields(claim: Claim, rival: Claim) -> bool:
    one, other = claim[1], rival[1]
    part = one.end - one.start < other.end - other.start
    part = part and other.start <= one.start and one.end <= other.end
    return claim[0] == rival[0] or _founded(claim) > _founded(rival) or part


def _over(taken: list[tuple[int, int, int]], found: Found) -> list[int]:
    """Which of those taken share characters with this one."""
    last = bisect_left(taken, (found.end, -1, -1))
    return [index for start, end, index in taken[:last] if end > found.start]
