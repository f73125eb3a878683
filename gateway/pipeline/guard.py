"""The guard: judges and releases text. The only way text leaves.

A whole text is a passage that has arrived; a stream is passages that are still arriving.
Both are judged in the same segments by the same calls, so what leaves a stream equals
what leaves the same answer sent at once.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gateway.core.activation import FIXED, LATE
from gateway.core.exchange import Side
from gateway.core.judgement import (
    DETECTOR_ERROR,
    OPAQUE,
    STATE,
    TERMS,
    Effect,
    Finding,
    Refusal,
    StreamMode,
    Subject,
    Verdict,
)
from gateway.core.message import Kind, Opaque, Part
from gateway.core.ports import Action, Follow, Following, Inspector, Judge, Quiet, Vault, Window
from gateway.core.standing import Standing
from gateway.core.windows import LEFT_CONTEXT_CHARS
from gateway.pipeline.answered import Answered
from gateway.pipeline.assessing import Assessing
from gateway.pipeline.classing import Classing
from gateway.pipeline.held import Notes
from gateway.pipeline.passage import Passage, placed
from gateway.pipeline.payload import transcript
from gateway.pipeline.settling import Settling, outside
from gateway.pipeline.shadow import Listening

_GAP = "\n\x00\n"
_MARGIN_CHARS = 8
# Judging costs the same for a word as for a letter, so words wait for each other a little.
_BATCH_CHARS = 16
_LABEL = "label"
# Some ten milliseconds.
_STRETCHES_AT_ONCE = 32
_TOO_LATE = "The model's answer went on after its end with something that had to be changed."
_FIXED = "The request holds something outside of its body that a rule would change."
_UNHELD = "A rule wants this to be reviewed by a person first, and here nothing can wait for one."


class Guard:
    """Judges the passages of one message. One guard serves one direction of one exchange.

    vault: gives out placeholders, and takes them back if `restore`. said: of an answer, the
    parts of the request that it answers. assessing: who else is asked about whole texts.
    notes: where it notes what a person would have to know; without it, a message that must
    wait for one is refused.
    classing: is told every finding.
    detours: effects by which the message must go elsewhere, so far.
    listening: who looks at them when they have gone, for nobody's decision.
    answered: where an answer's texts are written down, if a class sticks to them.
    quiet: tells which values were marked as false hits, if any were.
    """

    def __init__(
        self,
        judge: Judge,
        inspector: Inspector,
        actions: Mapping[str, Action],
        vault: Vault,
        side: Side,
        *,
        following: Following,
        said: Sequence[Part] = (),
        restore: bool = False,
        assessing: Assessing | None = None,
        notes: Notes | None = None,
        classing: Classing | None = None,
        listening: Listening | None = None,
        answered: Answered | None = None,
        quiet: Quiet | None = None,
    ) -> None:
        self.refusal: Refusal | None = None
        self.notices: list[str] = []
        self.detours: list[Effect] = []
        self._judge = judge
        self._inspector = inspector
        self._actions = actions
        self._side = side
        self._assessing = assessing
        self._notes = notes
        self._classing = classing
        self._detectors = self._wanted(inspector.detectors)
        enforcing = judge.enforcing(inspector.detectors)
        self._everywhere = inspector.everywhere(self._detectors)
        self._waits_for_segments = inspector.everywhere(enforcing)
        self._margin = inspector.reach_chars + _MARGIN_CHARS if self._detectors else 0
        self._hold_chars = inspector.reach_chars if enforcing else 0
        self._enforcing = bool(enforcing)
        self._batch = _BATCH_CHARS if self._hold_chars else 1
        self._mode = judge.stream_mode
        followed = self._wanted(following.detectors)
        self._follow = following.open(followed, said)
        asked = assessing.names if assessing is not None else ()
        heard = frozenset((*self._detectors, *followed, *asked))
        side.activation.detectors |= heard
        self._listening = listening.beyond(heard) if listening is not None else None
        self._transcript = transcript(judge.keeping, side)
        self._settling = Settling(actions, vault, restore=restore, transcript=self._transcript)
        self._answered = answered
        self._quiet = quiet
        # Text that may be stopped or changed for what it is part of waits until that is known.
        self._waits_for_followers = self._follow is not None and bool(
            judge.enforcing(following.detectors)
        )

    @property
    def weighs(self) -> bool:
        """Whether rules ask of what class the message's data is."""
        return self._judge.weighs

    @property
    def holds(self) -> bool:
        """Whether nothing may leave before everything is judged."""
        waits = self._assessing is not None and self._assessing.holds
        return waits or self._mode is StreamMode.HOLD

    def announce(self, category: str, judge: Judge | None = None) -> None:
        """Judge the message as such, apart from its text: a finding without a place.

        judge: who decides on it, if that is not the one of the texts.
        """
        if judge is None:
            self._side.activation.announced += 1
        event = Finding("gateway", category, 0, 0, 1.0)
        self._decide(event, Subject("", Kind.METADATA), judge=judge)

    def terms(self, standing: Standing) -> None:
        """Judge what is not as the terms of use of the route ask; warn of what will be."""
        for source, words in standing.warnings:
            self._side.warn(source, words)
        for state in standing.states:
            event = Finding("terms", TERMS, 0, 0, 1.0, state.code, words=state.words)
            subject = Subject("", Kind.METADATA)
            # Nothing that a detector found; the record says of the terms themselves how they stand.
            self._side.activation.add(event, subject)
            self._decide(event, subject)

    def states(self, names: Sequence[str]) -> None:
        """Judge what the upstream is asked to keep, or to recall."""
        for name in names:
            finding = Finding("dialect", STATE, 0, 0, 1.0, name)
            self._note(finding, Subject("", Kind.METADATA))

    def unchecked(self, name: str, why: str) -> None:
        """Judge that something about the message could not be done, as of a detector `name`."""
        self._note(Finding(name, DETECTOR_ERROR, 0, 0, 1.0, why), Subject("", Kind.METADATA))

    def opaque(self, items: Sequence[Opaque], shapes: Callable[[str], str]) -> None:
        """Judge what cannot be read as text, by its media type; it is recorded by shape."""
        for item in items:
            self._side.coverage.opaque.append(replace(item, path=shapes(item.path)))
            finding = Finding("dialect", OPAQUE, 0, 0, 1.0, item.media_type)
            self._note(finding, Subject("", Kind.METADATA))

    def due(self, passage: Passage) -> bool:
        """Whether enough of it has arrived to be worth judging."""
        return passage.final or (
            not passage.held and passage.length - passage.scanned >= self._batch
        )

    def again(self, shape: str, text: str) -> None:
        """Count a text that is judged already and stands here once more."""
        self._side.coverage.texts += 1
        self._side.coverage.add(shape, text)

    async def advance(self, passages: Sequence[Passage]) -> None:
        """Judge what has arrived of these passages, which are due; move their `cleared` on.

        Afterwards `refusal` is set if the message must stop; then nothing more may leave.
        """
        await self._inspect(self._locate(passages))
        if self._follow is not None:
            for passage in passages:
                await self._followed(passage, self._follow)
        whole = [passage for passage in passages if passage.final]
        if self._assessing is not None and self.refusal is None:
            await self._assessing.enforce(whole, self._found, lambda: self.refusal is not None)
        for passage in passages:
            self._clear(passage)
        self._gone(whole)

    def _gone(self, passages: Sequence[Passage]) -> None:
        """Have these whole texts, which may leave, judged by those whom nobody waits for."""
        if self._assessing is not None and self.refusal is None:
            self._assessing.observe(passages, self._noted)
        if self._listening is not None:
            self._listening.judge(passages)

    async def _inspect(self, jobs: Sequence[tuple[Passage, int, Window]]) -> None:
        """Decide on what the detectors find, but in what the vault has made up."""
        if not jobs:
            return
        windows, deadline_s = [window for _, _, window in jobs], self._judge.deadline_s
        answers = await self._inspector.inspect(windows, self._detectors, deadline_s=deadline_s)
        for (passage, offset, window), findings in zip(jobs, answers, strict=True):
            ours = self._settling.made_up(window.text) if findings else ()
            found = [part for finding in findings for part in outside(finding, ours)]
            for finding in placed(found, offset):
                if not passage.ended or finding.end > passage.ended:
                    self._found(finding, passage)

    async def _followed(self, passage: Passage, follow: Follow) -> None:
        """Decide on what shows only in a text as a whole.

        Where text leaves as it comes, what stands before the stretch that makes it known may
        have left, so it is let be; in an answer at once as well, so that both are the same.
        """
        if passage.follower is None and not passage.followed:
            passage.follower = follow(passage.subject)
        for count, (start, findings) in enumerate(passage.follow(), 1):
            if not count % _STRETCHES_AT_ONCE:
                await asyncio.sleep(0)
            for finding in findings:
                if not passage.ended or finding.end > passage.ended:
                    first = finding.start if self.holds else max(finding.start, start)
                    self._found(replace(finding, start=first), passage)

    def _wanted(self, known: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        """Those detectors that rules listen to, and those that are needed for something else."""
        concerned = self._judge.concerned(known)
        more: frozenset[str] = frozenset()
        if self._assessing is not None:
            more = self._assessing.detectors(known)
        if self._classing is not None:
            more |= self._classing.detectors(known)
        if not more:
            return concerned
        return (*concerned, *sorted(more.difference(concerned)))

    def _found(self, finding: Finding, passage: Passage) -> None:
        """Decide on a finding. Where nothing can be edited, it can only be stopped."""
        if self._quieted(finding, passage):
            return
        if self._assessing is not None:
            self._assessing.note(finding, passage)
        if finding.faint:
            return
        gone = finding.start < passage.ended or (passage.sealed and passage.ended)
        fixed = gone or passage.fixed
        self._side.note(finding, passage.subject, FIXED if fixed else "")
        if self._transcript is not None:
            self._transcript.found(finding, passage)
        changing = self._decide(finding, passage.subject, passage)
        if changing and fixed and self.refusal is None:
            self.refusal = _stopped(changing[0], _TOO_LATE if gone else _FIXED)
        passage.effects += changing

    def _quieted(self, finding: Finding, passage: Passage) -> bool:
        """Whether it is a false hit that somebody has marked; it is counted as such."""
        if self._quiet is None or finding.start < passage.base:
            return False
        value = passage.text[finding.start - passage.base : finding.end - passage.base]
        mark = self._quiet(finding.category, value)
        if mark and not finding.faint:
            self._side.quieted[finding.category, mark] += 1
        return bool(mark)

    def _noted(self, finding: Finding, passage: Passage) -> None:
        """Put a finding on record that came when its text had gone: nothing can be done to it."""
        if self._quieted(finding, passage):
            return
        if self._assessing is not None:
            self._assessing.note(finding, passage)
        if finding.faint:
            return
        self._side.note(finding, passage.subject, LATE)
        verdict = self._judge.decide((finding,), passage.subject)
        for trial in verdict.trials:
            self._side.put_on_trial(trial)
        for effect in verdict.effects:
            action = self._actions[effect.action]
            acts = action.stops or action.holds or action.reroutes or action.changes_text
            if not (acts or effect.action == _LABEL):
                self._side.apply(effect)

    def _locate(self, passages: Sequence[Passage]) -> list[tuple[Passage, int, Window]]:
        """Look for triggers in all new text at once; take the segments that need a detector."""
        if not self._detectors:
            for passage in passages:
                passage.segment = passage.scanned = passage.length
            return []
        news = [p.unscanned(self._margin) for p in passages]
        joined = _GAP.join(news) if len(news) > 1 else "".join(news)
        ends = self._inspector.locate(joined, self._detectors)
        start = 0
        jobs: list[tuple[Passage, int, Window]] = []
        for passage, new in zip(passages, news, strict=True):
            stop = start + len(new)
            first, last = bisect_left(ends, start + 1), bisect_left(ends, stop + 1)
            passage.scan([end - start for end in ends[first:last]], self._margin)
            jobs += [(passage, *taken) for taken in passage.take(everywhere=self._everywhere)]
            start = stop + len(_GAP)
        return jobs

    def _note(self, finding: Finding, subject: Subject) -> None:
        """Put a finding on record that has no place in a text, and decide on it."""
        self._side.note(finding, subject)
        self._decide(finding, subject)

    def _decide(
        self,
        finding: Finding,
        subject: Subject,
        passage: Passage | None = None,
        judge: Judge | None = None,
    ) -> list[Effect]:
        """What the bundle makes of one finding; the effects that change text are returned.

        passage: where it was found, if it has a place. judge: as for `announce`.
        """
        verdict = (judge or self._judge).decide((finding,), subject)
        if verdict.refusal is not None and self.refusal is None:
            self.refusal = verdict.refusal
        if self._notes is not None:
            self._notes.add(finding, verdict.effects, passage)
        elif verdict.held and self.refusal is None:
            self.refusal = _unheld(verdict)
        for trial in verdict.trials:
            self._side.put_on_trial(trial)
        changing: list[Effect] = []
        for effect in verdict.effects:
            self._side.apply(effect)
            if effect.target is not None:
                self.detours.append(effect)
            elif self._actions[effect.action].changes_text:
                changing.append(effect)
            elif effect.action == _LABEL and effect.message not in (*self.notices, ""):
                self.notices.append(effect.message)
        if self._classing is not None:
            self._classing.note(finding, replaced=bool(changing), passage=passage)
        return changing

    def _clear(self, passage: Passage) -> None:
        """Move `cleared` as far as nothing still to come can reach back."""
        cleared = self._limit(passage)
        self._side.coverage.texts += passage.final
        restores = self._settling.restores(passage)
        if passage.sealed:
            self._settling.seal(passage)
        elif passage.effects or restores:
            cleared = self._settling.settle(passage, restores, cleared)
        if cleared <= passage.cleared:
            return
        new = passage.text[passage.cleared - passage.base : cleared - passage.base]
        self._side.coverage.add(passage.shape, new)
        if self._assessing is not None:
            self._assessing.keep(new, passage)
        if self._listening is not None:
            self._listening.keep(new, passage)
        if self._transcript is not None:
            self._transcript.keep(new, passage)
        if self._answered is not None:
            self._answered.keep(new, passage)
        passage.cleared = cleared
        passage.trim()

    def _limit(self, passage: Passage) -> int:
        length = passage.length
        if passage.final:
            return length
        if self.holds:
            return 0
        back = self._hold_chars
        if reach_chars := self._settling.reach_chars:
            back = max(back, reach_chars + 1)
        limit = length - back
        waits = self._waits_for_segments or (self._enforcing and bool(passage.hits))
        if waits:
            limit = min(limit, passage.segment - self._hold_chars)
        if self._waits_for_followers and passage.follower is not None:
            limit = min(limit, passage.followed)
        # What began encoded reaches back further than it reads, as far as the next window.
        if passage.near and (waits or (self._enforcing and length < passage.segment + back)):
            limit = min(limit, passage.segment - LEFT_CONTEXT_CHARS)
        return limit


def _stopped(effect: Effect, words: str) -> Refusal:
    """The refusal of a message in which this effect cannot be had."""
    return Refusal(
        "policy_violation",
        words,
        policy=effect.policy,
        rule=effect.rule,
        categories=(effect.finding.category,),
    )


def _unheld(verdict: Verdict) -> Refusal:
    """The refusal of a message that must wait for a person, where nothing can."""
    effect = next(effect for effect in verdict.effects if effect.order is not None)
    return replace(_stopped(effect, _UNHELD), code="review_unavailable", status=403)
