"""A request's own system prompt, and answers that give it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from gateway.core.judgement import Finding
from gateway.detectors._verbatim.reading import Piece, Reader
from gateway.detectors._verbatim.runs import GAP_WORDS, Hit, Run, Runs
from gateway.detectors._verbatim.shingles import shingles
from gateway.detectors._verbatim.words import WORD, words

LEAK = "leak"
SYSTEM_PROMPT_LEAK = "SYSTEM_PROMPT_LEAK"
# Less of a prompt than this share is a leak only if it is so many times as long as the least run.
SHARE = 0.1
LONG_TIMES = 3
# What the user quotes of a prompt in so many words is no secret.
_QUOTED_WORDS = 8
_MAX_PLACES = 8


class Prompt:
    """The shingles of the texts of a prompt, by hashes that mean nothing outside this process."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._places: dict[int, list[int]] = {}
        self.sizes: list[int] = []
        for text in texts:
            found = words(text)
            first = len(self.sizes)
            for place, shingle in enumerate(shingles(found.said), first):
                places = self._places.setdefault(hash(shingle), [])
                if len(places) < _MAX_PLACES:
                    places.append(place)
            # Between two texts no run goes on.
            self.sizes += [*found.sizes, *[0] * (2 * GAP_WORDS)]

    def find(self, some: Sequence[str]) -> list[Hit]:
        """Which of these shingles stand where in the prompt."""
        known = self._places
        hashes = list(map(hash, some))
        if known.keys().isdisjoint(hashes):
            return []
        return [
            Hit(at, 0, place) for at, hash_ in enumerate(hashes) for place in known.get(hash_, ())
        ]

    def secret(self, told: Sequence[str]) -> list[int]:
        """The size of its words that stand in none of these texts, before each of its words."""
        sizes = list(self.sizes)
        for text in told:
            piece = Reader().feed(text, final=True)
            for run in Runs().add(piece, self.find(piece.shingles)):
                if run.counts(_QUOTED_WORDS):
                    first = max(0, run.first + run.shift)
                    last = min(len(sizes), run.last + run.shift)
                    sizes[first:last] = [0] * (last - first)
        return list(accumulate(sizes, initial=0))


@dataclass(slots=True)
class Told:
    """A prompt, and what its user has said in the same request."""

    prompt: Prompt
    by_user: Sequence[str]
    _secret: list[int] | None = None

    def size(self, first: int = 0, last: int | None = None) -> int:
        """The size of what is secret in these words of the prompt."""
        if self._secret is None:
            # Rarely asked for: only where an answer begins to look like the prompt.
            self._secret = self.prompt.secret(self.by_user)
        end = len(self._secret) - 1
        last = end if last is None else min(last, end)
        return self._secret[last] - self._secret[min(max(first, 0), last)]


@dataclass(slots=True)
class LeakFollower:
    """Follows one text.

    A finding is what a run has grown by, once it is `run_words` long and SHARE of the prompt
    is told, or it is LONG_TIMES as long. Its score is the share of the prompt's secret words
    that are told.
    """

    told: Told
    run_words: int
    _runs: Runs = field(default_factory=Runs)
    _size: int = 0
    _counted: int = 0
    _reported: int = 0

    def take(self, piece: Piece) -> list[Finding]:
        """What is found by the next piece of the text."""
        grown = self._runs.add(piece, self.told.prompt.find(piece.shingles))
        counted = [run for run in grown if self._counts(run)]
        for run in counted:
            self._count(run)
        return [found for run in counted for found in self._findings(run)]

    def fork(self) -> LeakFollower:
        """The same, to go on in another way."""
        return replace(self, _runs=self._runs.fork())

    def _counts(self, run: Run) -> bool:
        return run.counts(self.run_words) and self._secret(run) >= WORD * self.run_words

    def _secret(self, run: Run, first: int = 0) -> int:
        """The size of what the words of a run, from `first` on, tell of the secret."""
        return self.told.size(max(run.first, first) + run.shift, run.last + run.shift)

    def _count(self, run: Run) -> None:
        if run.last > self._counted:
            self._size += self._secret(run, max(run.told, self._counted))
            self._counted = run.last
        run.told = run.last

    def _findings(self, run: Run) -> list[Finding]:
        share = min(1.0, self._size / max(1, self.told.size()))
        enough = share >= SHARE or run.counts(LONG_TIMES * self.run_words)
        start = max(run.start, self._reported)
        if not enough or start >= run.end:
            return []
        self._reported = run.end
        return [Finding(LEAK, SYSTEM_PROMPT_LEAK, start, run.end, round(share, 3))]
