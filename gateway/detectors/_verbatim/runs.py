"""Runs: stretches of a text that follow a stretch of another one, word by word or nearly so.

A shingle that both have says where in the other text one is. Those that say the same, give or
take a word that was put in or left out, are one run, as long as no gap between them is too long.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple

from gateway.detectors._verbatim.reading import Piece
from gateway.detectors._verbatim.shingles import WORDS
from gateway.detectors._verbatim.words import WORD

# Between two shingles of a run at most so many words were changed.
GAP_WORDS = 16
# Put in or left out between two shingles of a run.
_DRIFTS = (0, 1, -1, 2, -2, 3, -3)
# Of a run's words at least so many of a hundred stand in shared shingles.
DENSITY_PER_CENT = 45
_MAX_LIVE = 256


class Hit(NamedTuple):
    """The shingle that begins at this place also stands in another text, at its word `position`."""

    place: int
    other: int
    position: int


@dataclass(slots=True)
class Run:
    """Words [first, last) of a text, which begin at word `first` + `shift` of another.

    other: which text that is. start, end: the characters. begun, ended: the size (`Words.sizes`)
    of all words before its first and before its end. shared: how many of its words stand in
    shingles that both texts have. told: up to which word it is accounted for already, by whoever
    counts.
    """

    other: int
    shift: int
    first: int
    last: int
    start: int
    end: int
    begun: int
    ended: int
    shared: int = 0
    told: int = 0

    def counts(self, words: int) -> bool:
        """Whether it is as long as so many words, and shares too many of them for a chance."""
        return self.ended - self.begun >= WORD * words and 100 * self.shared >= DENSITY_PER_CENT * (
            self.last - self.first
        )


@dataclass(slots=True)
class Runs:
    """The runs of one text so far. count, size: of all its words so far."""

    count: int = 0
    size: int = 0
    _live: dict[tuple[int, int], Run] = field(default_factory=dict)

    def add(self, piece: Piece, hits: Iterable[Hit]) -> list[Run]:
        """Takes the words that come next; the runs that grow by them, by place.

        hits: of the piece's shingles, by place.
        """
        known, sizes, _, span = piece
        zero, self.count = self.count - known, self.count + len(sizes) - known
        first, self.size = self.size - sum(sizes[:known]), self.size + sum(sizes[known:])
        if not hits:
            return []
        before = list(accumulate(sizes, initial=first))
        grown: dict[int, tuple[Run, int]] = {}
        for place, other, position in hits:
            number, shift = zero + place, position - zero - place
            run = self._near(other, shift, number)
            if run is None:
                run = Run(other, shift, number, number, span(place)[0], 0, before[place], 0)
            self._live[other, shift] = run
            run.shift = shift
            run.shared += number + WORDS - max(run.last, number)
            run.last = number + WORDS
            grown[id(run)] = run, place + WORDS
        for run, end in grown.values():
            run.end = span(end - 1)[1]
            run.ended = before[end]
        self._forget()
        return sorted((run for run, _ in grown.values()), key=lambda run: (run.start, run.other))

    def fork(self) -> Runs:
        """The same, to go on in another way."""
        live = {place: replace(run) for place, run in self._live.items()}
        return Runs(self.count, self.size, live)

    def _near(self, other: int, shift: int, number: int) -> Run | None:
        """The run that a shingle of this text at this shift goes on with; it is taken out."""
        for drift in _DRIFTS:
            run = self._live.get((other, shift + drift))
            if run is not None and number - run.last <= GAP_WORDS:
                return self._live.pop((other, shift + drift))
        return None

    def _forget(self) -> None:
        """Let go of runs that nothing can lengthen any more."""
        if len(self._live) > _MAX_LIVE:
            least = self.count - WORDS - GAP_WORDS
            self._live = {place: run for place, run in self._live.items() if run.last >= least}
