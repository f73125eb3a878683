"""Whole texts judged in this process, for the command line and for the examples of policies.

Cuts, locates and merges as the gateway does; only the worker processes are missing. Blocks
and has no deadline: never on an event loop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.core.judgement import Finding, Subject
from gateway.core.message import Kind
from gateway.core.ports import Following
from gateway.core.segments import cut, stretches
from gateway.core.windows import windows
from gateway.detectors import create
from gateway.detectors._jobs import perform, thresholds
from gateway.detectors._locator import Locator
from gateway.detectors._questions import Question, ask, distinct, fired, merge, tasks
from gateway.detectors._sieve import OPEN, Sieve


class Scanner:
    """Detectors loaded into this process. following: those that follow a whole text, if any.

    sieve: sifts what the others find.
    """

    def __init__(
        self,
        enabled: Mapping[str, Mapping[str, Any]],
        *,
        cache_dir: Path,
        following: Following | None = None,
        sieve: Sieve = OPEN,
    ) -> None:
        """Loads everything, which takes seconds. Raises ConfigError."""
        self._members = {detector.name: detector for detector in create(enabled)}
        loaded = {name: detector.load() for name, detector in self._members.items()}
        self._models = [name for name, triggers in loaded.items() if triggers is None]
        self._locator = Locator(
            {name: triggers for name, triggers in loaded.items() if triggers is not None},
            cache_dir,
        )
        self.detectors = {d.name: d.categories for d in self._members.values()}
        self.versions = {d.name: d.version for d in self._members.values()}
        self._following = following
        self._sieve = sieve
        self._thresholds = {d.name: sieve.thresholds(thresholds(d)) for d in self._members.values()}

    def scan(self, text: str, detectors: Collection[str] | None = None) -> list[Finding]:
        """All findings in a text, by place. detectors: some of those enabled; None for all.

        A detector that fails is a finding here, too.
        """
        return self._judge(text, detectors, faint=False)

    def grade(self, text: str) -> tuple[list[Finding], list[Finding]]:
        """What is found, and beside it what graded detectors thought too faint to report."""
        strong: list[Finding] = []
        faint: list[Finding] = []
        for finding in self._judge(text, None, faint=True):
            least = self._thresholds[finding.detector].get(finding.category, 0.0)
            (strong if finding.score >= least else faint).append(finding)
        if self._following is not None:
            strong = distinct([*strong, *_followed(text, self._following)])
        return strong, faint

    def _judge(self, text: str, detectors: Collection[str] | None, *, faint: bool) -> list[Finding]:
        names = self.detectors.keys() if detectors is None else set(detectors)
        ends = cut(text, final=True)
        cuttings = windows(text, 0, ends)
        questions: dict[str, list[Question]] = {}
        models = [name for name in self._models if name in names]
        hinted = fired(cuttings, names, self._locator)
        for index, (window, found_) in enumerate(zip(cuttings, hinted, strict=True)):
            ask(questions, index, window, found=found_, models=models)
        found: list[list[Finding]] = [[] for _ in cuttings]
        outcomes = perform(self._members, tasks(questions), faint=faint, sieve=self._sieve)
        for (name, asked), outcome in zip(questions.items(), outcomes, strict=True):
            merge(name, asked, outcome, self.detectors[name], found)
        return distinct(
            finding.moved(end - len(window.text))
            for window, end, findings in zip(cuttings, ends, found, strict=True)
            for finding in findings
        )


def _followed(text: str, following: Following) -> Iterator[Finding]:
    """What is found in an answer as a whole, fed as the guard feeds it."""
    follow = following.open(following.detectors, ())
    follower = follow(_ANSWER) if follow else None
    if follower is None:
        return
    start = 0
    for end in stretches(text, final=True):
        yield from follower.feed(text[start:end], final=end == len(text))
        start = end


_ANSWER = Subject("assistant", Kind.TEXT)
