"""Registered works: what is kept of them, and which of them an answer reproduces."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.core.judgement import Finding
from gateway.detectors._verbatim.reading import Piece
from gateway.detectors._verbatim.runs import Hit, Run, Runs
from gateway.detectors._verbatim.shingles import HASH_BYTES, keyed, shingles, winnowed
from gateway.detectors._verbatim.words import words

WORKS = "works"
PROTECTED_TEXT = "PROTECTED_TEXT"
# Of a shingle that stands in many places only the first are followed.
_MAX_PLACES = 8


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a text: the hashes of some shingles, and at which word each begins.

    words: how many the text has. hashes: 8 bytes each. places: as many 32-bit integers, little
    end first.
    """

    words: int
    hashes: bytes
    places: bytes


def fingerprint(text: str, key: bytes, *, free: str = "") -> Fingerprint:
    """What is kept of a work. free: text of which nothing is kept, such as a licence's notice."""
    said = words(text).said
    all_ = shingles(said)
    hashes = keyed(all_, key)
    passed = set(shingles(words(free).said))
    kept = [place for place in winnowed(hashes) if all_[place] not in passed]
    return Fingerprint(
        len(said), b"".join(hashes[place] for place in kept), struct.pack(f"<{len(kept)}I", *kept)
    )


class Works:
    """Some works together. Empty, it costs nothing."""

    def __init__(self, works: Sequence[tuple[str, Fingerprint]], key: bytes) -> None:
        """works: with their ids. key: that of their hashes. Takes a second for a million words."""
        self.ids = tuple(id_ for id_, _ in works)
        self._key = key
        self._table = _Table([kept for _, kept in works]) if works else None

    def __bool__(self) -> bool:
        return self._table is not None

    def find(self, some: Sequence[str]) -> list[Hit]:
        """Which of these shingles stand where in which work."""
        if self._table is None or not some:
            return []
        return self._table.find(b"".join(keyed(some, self._key)))


class _Table:
    """The hashes of all works in order, for binary search."""

    def __init__(self, kept: Sequence[Fingerprint]) -> None:
        import numpy as np  # noqa: PLC0415  only who registers works waits for it

        self._np: Any = np
        hashes = np.frombuffer(b"".join(k.hashes for k in kept), "<u8")
        places = np.frombuffer(b"".join(k.places for k in kept), "<u4")
        works = np.repeat(
            np.arange(len(kept), dtype="<u4"), [len(k.hashes) // HASH_BYTES for k in kept]
        )
        order = np.lexsort((places, works, hashes))
        hashes, places, works = hashes[order], places[order], works[order]
        rank = np.arange(len(hashes)) - np.searchsorted(hashes, hashes)
        few = rank < _MAX_PLACES
        self._hashes, self._places, self._works = hashes[few], places[few], works[few]

    def find(self, hashes: bytes) -> list[Hit]:
        np, known = self._np, self._hashes
        asked = np.frombuffer(hashes, "<u8")
        first = known.searchsorted(asked)
        found = (known.take(first, mode="clip") == asked).nonzero()[0]
        if not len(found):
            return []
        first = first[found]
        counts = known.searchsorted(asked[found], "right") - first
        # All of each stretch of equal hashes, one after the other.
        at = np.arange(counts.sum()) + np.repeat(first - counts.cumsum() + counts, counts)
        places = np.repeat(found, counts)
        return list(map(Hit, places.tolist(), self._works[at].tolist(), self._places[at].tolist()))


@dataclass(slots=True)
class _Tally:
    """What is reproduced of one work. size: of those words; until: the size before their end.

    told: up to which character it is reported.
    """

    size: int = 0
    until: int = 0
    told: int = 0


@dataclass(slots=True)
class WorksFollower:
    """Follows one text.

    A finding is what a run has grown by, once it is `run_words` long. Its score is the share of
    the text's words so far that are reproduced from the work; its note is the work's id.
    """

    works: Works
    run_words: int
    _runs: Runs = field(default_factory=Runs)
    _tallies: dict[int, _Tally] = field(default_factory=dict)

    def take(self, piece: Piece) -> list[Finding]:
        """What is found by the next piece of the text."""
        grown = self._runs.add(piece, self.works.find(piece.shingles))
        told = [(r.other, self._count(r), r.end) for r in grown if r.counts(self.run_words)]
        return [self._finding(*each) for each in told if each[1] < each[2]]

    def fork(self) -> WorksFollower:
        """The same, to go on in another way."""
        tallies = {work: replace(tally) for work, tally in self._tallies.items()}
        return WorksFollower(self.works, self.run_words, self._runs.fork(), tallies)

    def _count(self, run: Run) -> int:
        """Counts what the run has grown by; returns from which character on it is news."""
        tally = self._tallies.setdefault(run.other, _Tally())
        tally.size += max(0, run.ended - max(run.begun, tally.until))
        tally.until = max(tally.until, run.ended)
        start = max(run.start, tally.told)
        tally.told = max(tally.told, run.end)
        return start

    def _finding(self, work: int, start: int, end: int) -> Finding:
        score = round(self._tallies[work].size / self._runs.size, 3)
        return Finding(WORKS, PROTECTED_TEXT, start, end, score, self.works.ids[work])
