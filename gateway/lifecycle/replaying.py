"""What another bundle says to exchanges that are on record, counted.

It is asked by the code that asks a shadow bundle, so a replay of what a shadow has seen comes to
the same counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from gateway.core.differing import Difference, Flip, differ
from gateway.core.past import Past, recorded
from gateway.core.ports import Action, Bundle
from gateway.core.rejudging import Opinion, rejudge

Known = Sequence[Mapping[str, frozenset[str]]]


@dataclass(slots=True)
class Counts:
    """Numbers of exchanges. Their size does not grow with the log.

    flips: by kind. rows: by kind, policy/rule and application; an exchange counts once for each
    rule that makes its difference. skipped: those of which nothing was kept to judge. cut: those
    that had more findings than were kept. unheard: those at which a detector that is listened to
    did not look; silent: by which one.
    """

    flips: Counter[Flip] = field(default_factory=Counter)
    rows: Counter[tuple[Flip, str, str]] = field(default_factory=Counter)
    skipped: int = 0
    cut: int = 0
    unheard: int = 0
    silent: Counter[str] = field(default_factory=Counter)

    @property
    def judged(self) -> int:
        """All that were asked about."""
        return self.flips.total()

    @property
    def newly_blocked(self) -> Fraction:
        """The share of these that would be blocked and were not."""
        return Fraction(self.flips[Flip.NEWLY_BLOCKED], self.judged or 1)

    def add(self, difference: Difference, application: str) -> None:
        """Count one exchange."""
        self.flips[difference.flip] += 1
        for rule in difference.rules:
            self.rows[difference.flip, rule, application] += 1


def replay(
    entries: Iterable[Mapping[str, Any]],
    candidate: Bundle,
    actions: Mapping[str, Action],
    known: Known,
    *,
    against: Bundle | None = None,
) -> Counts:
    """Ask a bundle about exchanges, by their closing entries.

    known: the detectors there are, by what each can find. against: a bundle to compare it with,
    instead of with what was done.
    """
    counts = Counts()
    for entry in entries:
        was = recorded(entry)
        if was is None:
            counts.skipped += 1
            continue
        said = rejudge(candidate, was, actions, known)
        base: Past | Opinion = was
        unheard = said.unheard
        if against is not None:
            base = rejudge(against, was, actions, known)
            unheard |= base.unheard
        counts.add(differ(base, said), was.application)
        counts.cut += was.cut
        counts.unheard += bool(unheard)
        counts.silent.update(unheard)
    return counts
