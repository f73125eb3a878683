"""Hits and misses, and the figures that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

# A row of a table: what it is about, then figures. None: there is nothing to divide by.
Cells = dict[str, str | int | float | None]
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Counts:
    """hits: true and found; alarms: found and not true; misses: true and not found."""

    hits: int = 0
    alarms: int = 0
    misses: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.hits + other.hits, self.alarms + other.alarms, self.misses + other.misses
        )

    @property
    def precision(self) -> float | None:
        """Share of what was found that is true."""
        return share(self.hits, self.hits + self.alarms)

    @property
    def recall(self) -> float | None:
        """Share of what is true that was found."""
        return share(self.hits, self.hits + self.misses)

    def f(self, beta: int) -> float | None:
        """The F-measure in which recall weighs beta squared times as much as precision.

        From the counts (van Rijsbergen, Information Retrieval, 1979, chapter 7), so that it is
        0, not undefined, where all is missed.
        """
        weight = beta * beta
        return share(
            (1 + weight) * self.hits, (1 + weight) * self.hits + weight * self.misses + self.alarms
        )

    def cells(self) -> Cells:
        """All of it, for a table."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f(1),
            "f2": self.f(2),
            "hits": self.hits,
            "alarms": self.alarms,
            "misses": self.misses,
        }


def share(part: int, whole: int) -> float | None:
    """A part of a whole, rounded; None of nothing."""
    return round(part / whole, DIGITS) if whole else None
