"""What assessors say to the texts of one message: who of them is asked, and when.

Those that can stop or change the message are asked before it goes on, tier by tier, and no
further once something stops it. All others are asked about what has gone, which delays nobody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from gateway.core.judgement import Finding, Subject
from gateway.core.message import Direction, Kind
from gateway.core.ports import Assessor
from gateway.core.together import together
from gateway.pipeline.consulting import (
    BUSY,
    SELF_HOSTED,
    Before,
    Bench,
    Heard,
    asked,
    consult,
    failure,
)
from gateway.pipeline.later import Later, well
from gateway.pipeline.passage import Passage

_USER = Subject("user", Kind.TEXT)

Found = Callable[[Finding, Passage], None]


class Panel:
    """All assessors of a process, those of the smallest tier first."""

    def __init__(self, assessors: Iterable[Assessor]) -> None:
        self.assessors = tuple(sorted(assessors, key=lambda each: each.tier))
        self.detectors: Mapping[str, frozenset[str]] = {
            each.name: each.categories for each in self.assessors
        }


class Assessing:
    """One direction of one exchange. Remembers what is found in each text until it is asked.

    asked: what a request's user says last, as it may go to those who judge the answer.
    """

    def __init__(self, panel: Panel, bench: Bench, later: Later) -> None:
        self.asked: Before | None = None
        judge = bench.judge
        concerned = frozenset(judge.concerned(panel.detectors))
        enforcing = frozenset(judge.enforcing(panel.detectors))
        meant = [each for each in panel.assessors if bench.direction in each.directions]
        strict = [each for each in meant if each.name in enforcing]
        self._now = [a for a in meant if a in strict or any(_needs(s, a) for s in strict)]
        self._afterwards = [a for a in meant if a.name in concerned and a not in self._now]
        self._panel = panel.assessors
        self._bench = bench
        self._later = later
        self._deadline_s = judge.asking.deadline_s or math.inf
        self._always = judge.asking.always
        self._heard: dict[Passage, Heard] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Who judges here, if only where it is worth it."""
        return tuple(assessor.name for assessor in (*self._now, *self._afterwards))

    @property
    def holds(self) -> bool:
        """Whether nothing of an answer may leave before it is judged as a whole."""
        return bool(self._now) and self._bench.direction is Direction.RESPONSE

    def detectors(self, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
        """Detectors whose findings are wanted beside those that rules listen to here.

        That is to know what an assessor may get, and where detection is unsure.
        """
        asked = (*self._now, *self._afterwards)
        wanted = {n for a in asked for b in a.unsure for n in b.detectors or known}
        # What was asked goes also to those who judge the answer.
        reached = self._panel if self._bench.direction is Direction.REQUEST else asked
        for route in (assessor.route() for assessor in reached):
            if route is not None:
                wanted.update(self._bench.clearing.detectors(route, known))
                if route.hosting != SELF_HOSTED:
                    wanted.update(self._bench.bind(route).concerned(known))
        return frozenset(wanted & known.keys())

    def note(self, finding: Finding, passage: Passage) -> None:
        """Remember what was found in a text, faint or not."""
        self._of(passage).findings.append(finding)

    def keep(self, text: str, passage: Passage) -> None:
        """Remember a stretch that may leave, the next one of its text."""
        if self._afterwards:
            self._of(passage).pieces.append(text)

    async def enforce(
        self, passages: Sequence[Passage], found: Found, refused: Callable[[], bool]
    ) -> None:
        """Ask about these whole texts whoever can stop or change them.

        found: is told each finding. refused: whether the message is stopped by now.
        """
        for passage in passages:
            heard = self._of(passage)
            if passage.base == 0:
                heard.text = passage.text
            if passage.subject == _USER:
                self.asked = asked(self._bench, heard)
        for _, tier in groupby(self._now, key=lambda each: each.tier):
            if refused():
                return
            await self._tier([*tier], passages, found)

    def observe(self, passages: Sequence[Passage], noted: Found) -> None:
        """Have these whole texts, which may leave, judged by all others, from now on."""
        if not self._afterwards or not passages:
            return
        for passage in passages:
            heard = self._of(passage)
            heard.text = "".join(heard.pieces)
        if not self._later.full:
            side, work = self._bench.side, self._observed(passages, noted)
            side.pending = [task for task in side.pending if not well(task)]
            side.pending.append(self._later.start(work))
            return
        for assessor in self._afterwards:
            for passage in passages:
                noted(failure(assessor.name, self._of(passage), BUSY), passage)

    async def _observed(self, passages: Sequence[Passage], noted: Found) -> None:
        for _, tier in groupby(self._afterwards, key=lambda each: each.tier):
            await self._tier([*tier], passages, noted)

    async def _tier(
        self, assessors: Sequence[Assessor], passages: Sequence[Passage], found: Found
    ) -> None:
        """Those of one tier are asked at once."""
        wanted = [(a, [p for p in passages if self._wanted(a, p)]) for a in assessors]
        wanted = [(assessor, due) for assessor, due in wanted if due]
        answers = await together(
            consult(self._bench, assessor, [*map(self._of, due)], deadline_s=self._deadline_s)
            for assessor, due in wanted
        )
        for (_, due), findings in zip(wanted, answers, strict=True):
            for passage, each in zip(due, findings, strict=True):
                for finding in each:
                    found(finding, passage)

    def _wanted(self, assessor: Assessor, passage: Passage) -> bool:
        heard = self._of(passage)
        if not heard.text.strip() or not assessor.takes(heard.subject):
            return False
        if not assessor.unsure or assessor.name in self._always:
            return True
        return any(band.holds(found) for band in assessor.unsure for found in heard.findings)

    def _of(self, passage: Passage) -> Heard:
        heard = self._heard.get(passage)
        if heard is None:
            heard = self._heard[passage] = Heard(passage.subject)
        return heard


def _needs(assessor: Assessor, other: Assessor) -> bool:
    """Whether it is asked or not for what the other one, which is cheaper, says."""
    return other.tier < assessor.tier and any(
        not band.detectors or other.name in band.detectors for band in assessor.unsure
    )
