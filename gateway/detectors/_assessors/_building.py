"""Assessors as the gateway runs them, and what they want to know of cheaper detectors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from gateway.core.ports import Clock, Counters
from gateway.detectors._assessors._asking import Configured, Find, RemoteAssessor
from gateway.detectors._assessors._opinions import Opinions

MEMORY_BYTES = 16 * 1024 * 1024


def build(
    said: Iterable[Configured],
    find: Callable[[Configured], Find],
    *,
    clock: Clock,
    counters: Counters,
) -> list[RemoteAssessor]:
    """All of these, with one memory. find: what tells, at each call, where one of them is."""
    opinions = Opinions(MEMORY_BYTES, clock)
    return [
        RemoteAssessor(each, find(each), opinions=opinions, clock=clock, counters=counters)
        for each in said
    ]


def unsure(said: Iterable[Configured], detectors: Collection[str]) -> dict[str, float]:
    """By detector, the score from which on even what is faint makes somebody unsure."""
    lowest: dict[str, float] = {}
    for band in (band for each in said for band in each.unsure):
        for name in band.detectors or detectors:
            lowest[name] = min(band.low, lowest.get(name, 1.0))
    return {name: low for name, low in lowest.items() if name in detectors}
