"""A candidate that is asked beside the bundle in force, and never obeyed.

It is asked when all is over, about what was found, so nothing that it says can reach anybody.
What only its detectors look for is looked for when the text has gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from gateway.core.activation import BESIDE
from gateway.core.differing import differ
from gateway.core.exchange import Exchange, Side
from gateway.core.judgement import Context, Finding
from gateway.core.message import Part
from gateway.core.past import past
from gateway.core.ports import Following, Inspector, Judge
from gateway.core.rejudging import rejudge, strictest
from gateway.pipeline.house import House
from gateway.pipeline.later import Later, well
from gateway.pipeline.passage import Passage, placed, whole


def compare(exchange: Exchange, house: House) -> None:
    """Ask the shadow bundle about an exchange that is over; how it differs goes on record."""
    shadow = exchange.chosen.shadow if exchange.chosen else None
    if shadow is None or not exchange.request.activation:
        return
    was = past(exchange)
    opinion = rejudge(shadow, was, house.actions, known(house))
    difference = differ(was, opinion)
    exchange.shadows.append(
        {
            "digest": shadow.digest,
            "revision": shadow.revision,
            **difference.record(),
            **({"unheard": sorted(opinion.unheard)} if opinion.unheard else {}),
        }
    )
    live, beside = (
        "block" if each.blocked else strictest((a for _, a, _ in each.effects), house.actions)
        for each in (was, opinion)
    )
    labels = f'bundle="{shadow.digest[:12]}",live="{live}",shadow="{beside}"'
    house.counters.add(f"policy_shadow_total{{{labels}}}")


def known(house: House) -> list[Mapping[str, frozenset[str]]]:
    """All detectors of a house, by what each can find."""
    others = [house.panel.detectors] if house.panel is not None else []
    return [house.inspector.detectors, house.following.detectors, *others]


class Listening:
    """Has the texts of one direction judged by detectors that only a shadow bundle listens to.

    Assessors are not among them: what is asked elsewhere costs money, and leaves the house.
    """

    def __init__(
        self, shadow: Judge, house: House, side: Side, *, said: Sequence[Part] = ()
    ) -> None:
        """said: of an answer, the parts of the request that it answers."""
        self._inspector: Inspector = house.inspector
        self._following: Following = house.following
        self._later: Later = house.later
        self._side = side
        self._said = said
        self._detectors = shadow.concerned(house.inspector.detectors)
        self._followers = shadow.concerned(house.following.detectors)
        self._texts: dict[Passage, list[str]] = {}
        self._done: dict[Passage, int] = {}

    def beyond(self, heard: frozenset[str]) -> Listening | None:
        """What is left to do when these detectors look anyway; None if nothing is."""
        self._detectors = tuple(name for name in self._detectors if name not in heard)
        self._followers = tuple(name for name in self._followers if name not in heard)
        return self if self._detectors or self._followers else None

    def keep(self, text: str, passage: Passage) -> None:
        """Remember a stretch, the next one of its text."""
        self._texts.setdefault(passage, []).append(text)

    def judge(self, passages: Sequence[Passage]) -> None:
        """Have these whole texts looked at, which have gone, from now on."""
        texts = [(p, whole("".join(self._texts.get(p, ())), p.subject)) for p in passages]
        texts = [(passage, text) for passage, text in texts if text.length]
        if not texts:
            return
        if self._later.full:
            self._side.activation.cut += len(texts)
            return
        self._side.activation.detectors |= {*self._detectors, *self._followers}
        pending = [task for task in self._side.pending if not well(task)]
        self._side.pending = [*pending, self._later.start(self._judged(texts))]

    async def _judged(self, texts: Sequence[tuple[Passage, Passage]]) -> None:
        for passage, text in texts:
            await self._inspected(passage, text)
            if self._followers:
                await self._followed(passage, text)
            self._done[passage] = text.length

    async def _inspected(self, passage: Passage, text: Passage) -> None:
        if not self._detectors:
            return
        text.scan(self._inspector.locate(text.text, self._detectors), 0)
        everywhere = self._inspector.everywhere(self._detectors)
        jobs = text.take(everywhere=everywhere)
        found = await self._inspector.inspect([window for _, window in jobs], self._detectors)
        for (offset, _), findings in zip(jobs, found, strict=True):
            for finding in placed(findings, offset):
                self._note(finding, passage)

    async def _followed(self, passage: Passage, text: Passage) -> None:
        follow = self._following.open(self._followers, self._said)
        text.follower = follow(text.subject) if follow is not None else None
        for _, findings in text.follow():
            await asyncio.sleep(0)
            for finding in findings:
                self._note(finding, passage)

    def _note(self, finding: Finding, passage: Passage) -> None:
        """Put it on record, unless it was before the text went on after its end."""
        if not finding.faint and finding.end > self._done.get(passage, 0):
            self._side.note(finding, passage.subject, BESIDE)


def listening(
    exchange: Exchange, asked: Context, house: House, side: Side, said: Sequence[Part] = ()
) -> Listening | None:
    """What a shadow bundle needs of one direction of an exchange; None without one."""
    shadow = exchange.chosen.shadow if exchange.chosen else None
    if shadow is None:
        return None
    try:
        return Listening(shadow.bind(asked), house, side, said=said)
    except Exception:  # noqa: BLE001 - a candidate's failure is its own, as a detector's is
        house.counters.add("shadow_failed_total")
        return None
