"""The judge: rules that can apply to one kind of exchange, and what they say about findings.

Each finding is decided by itself, so a streamed answer gets the verdict of the whole one.
Within a policy rules are asked in order: an `allow` that applies hides the finding from
the rules after it. What is left unites: one effect for the text, the strictest, and
every obligation. Between policies the strictest wins as well. Rules that are not enforced
say what they would do; nothing comes of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.core.judgement import (
    DETECTOR_ERROR,
    Effect,
    Finding,
    Manner,
    Mode,
    ReviewOrder,
    StreamMode,
    Subject,
    Verdict,
)
from gateway.core.keeping import LEAST_FIRST, NOTHING_KEPT, Keeping
from gateway.core.languages import choose
from gateway.core.ports import Asking
from gateway.core.targets import Target
from gateway.policy.evaluating import Evaluator
from gateway.policy.language import ON_ERROR_RULE
from gateway.policy.listening import listened, on_trial
from gateway.policy.matching import Fact
from gateway.policy.refusing import refusal, warning
from gateway.policy.ruling import (
    CONDITION_FAILED,
    Aspect,
    Bound,
    Concerned,
    Likeness,
    Match,
    aspect,
    concerned_with,
    effective,
    matches,
)

ERROR_SUFFIX = "_CONDITION_ERROR"
MAX_REMEMBERED = 4_096
_KINDS = 3

_STREAM_MODES = (StreamMode.OBSERVE, StreamMode.WINDOW, StreamMode.HOLD)

Listening = tuple[str, ...]


class Decided(NamedTuple):
    """What is remembered of an effect. stops: its strictness if it stops the message, else 0.

    order: how a review is to be held, if it asks for one. target: where the message is to go.
    """

    action: str
    policy: str
    rule: str
    reason: str
    words: str
    mode: Mode
    stops: int
    order: ReviewOrder | None
    manner: Manner
    target: Target | None


class BoundJudge:
    """Implements `gateway.core.ports.Judge`. Remembers what it decided about like findings."""

    def __init__(
        self,
        bound: Sequence[Bound],
        facts: Mapping[str, Fact],
        languages: Sequence[str] = (),
        detectors: Mapping[str, frozenset[str]] | None = None,
        *,
        weighs: bool = False,
    ) -> None:
        """facts: about the exchange, at least those that the rules ask about.

        languages: those that the caller reads of the rules' own, best first. detectors: the
        categories of each, as far as they are known. weighs: whether one of all rules asks of
        what class data is; which of them can apply may depend on it.
        """
        self.weighs = weighs
        self._languages = tuple(languages)
        self._bound = tuple(bound)
        self._rules = tuple(rule for each in bound for rule in each.rules)
        self._evaluator = Evaluator(facts)
        self._listened: list[tuple[Any, tuple[Listening, Listening]]] = []
        self._by_category: dict[str, Concerned] = {}
        self._effects: dict[tuple[str, str, Mode, str], Decided] = {}
        self._remembered: dict[Likeness, tuple[Decided, ...]] = {}
        self._on_trial = on_trial(detectors or {}, self._rules) if _trials(bound) else {}
        felt = [each for each in bound if _felt(each)]
        modes = [each.policy.streaming for each in felt]
        self.stream_mode = max(modes, key=_STREAM_MODES.index, default=StreamMode.WINDOW)
        self.deadline_s = _deadline_s(felt or bound)
        self.asking = _asking(bound, felt)
        self.keeping = _keeping(felt)

    def concerned(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        """Names of the detectors that some rule here listens to."""
        return self._listening(detectors)[0]

    def enforcing(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        """Names of those whose findings can stop or change the message."""
        return self._listening(detectors)[1]

    def _listening(self, detectors: Mapping[str, frozenset[str]]) -> tuple[Listening, Listening]:
        """(concerned, enforcing), worked out once for the detectors of a process.

        It has three sets of them at most: its own, those that follow texts, and its assessors.
        """
        for known, both in self._listened:
            if known is detectors:
                return both
        enforcing = [rule for rule in self._rules if rule.enforces]
        both = listened(detectors, self._rules), listened(detectors, enforcing)
        self._listened = [*self._listened[1 - _KINDS :], (detectors, both)]
        return both

    def decide(self, findings: Sequence[Finding], subject: Subject) -> Verdict:
        """Which rules apply to these findings. Each finding is decided by itself."""
        effects: list[Effect] = []
        trials: list[Effect] = []
        stopping: list[tuple[int, Effect]] = []
        for finding in findings:
            like = self._concerned_with(finding.category).likeness(finding, subject)
            said = self._remembered.get(like)
            if said is None:
                if len(self._remembered) >= MAX_REMEMBERED:
                    self._remembered.clear()
                said = self._remembered[like] = self._decide(finding, subject)
            for action, policy, rule, reason, words, mode, stops, order, manner, target in said:
                effect = Effect(
                    action, finding, policy, rule, reason, words, mode, order, manner, target
                )
                if mode is not Mode.ENFORCE:
                    trials.append(effect)
                    continue
                effects.append(effect)
                if stops:
                    stopping.append((stops, effect))
        return Verdict(tuple(effects), refusal(stopping) if stopping else None, tuple(trials))

    def matches(self, finding: Finding, subject: Subject) -> Iterator[Match]:
        """What each rule says to one finding, in the order they are asked."""
        about = aspect(finding, subject)
        return matches(self._bound, about, self._evaluator.holds, self._limit(finding))

    def _limit(self, finding: Finding) -> Mode:
        """How far any rule may go for it.

        A trial must not be felt, and who feels nothing of what a detector finds must feel nothing
        of its failure.
        """
        if finding.category != DETECTOR_ERROR:
            return Mode.ENFORCE
        return self._on_trial.get(finding.detector, Mode.ENFORCE)

    def _decide(self, finding: Finding, subject: Subject) -> tuple[Decided, ...]:
        about = aspect(finding, subject)
        asked = self._concerned_with(finding.category)
        found = [*matches(asked.bound, about, self._evaluator.holds, self._limit(finding))]
        decided = [(match, self._decided(match, about)) for match in effective(found)]
        return tuple(each._replace(manner=_manner(match, found)) for match, each in decided)

    def _concerned_with(self, category: str) -> Concerned:
        found = self._by_category.get(category)
        if found is None:
            if len(self._by_category) >= MAX_REMEMBERED:
                self._by_category.clear()
            found = self._by_category[category] = concerned_with(self._bound, category)
        return found

    def _decided(self, match: Match, about: Aspect) -> Decided:
        if match.rule.saying is not None:
            return self._made(match, about)
        key = (match.policy.name, match.rule.id, match.mode, match.why)
        decided = self._effects.get(key)
        if decided is None:
            decided = self._effects[key] = self._made(match, about)
        return decided

    def _made(self, match: Match, about: Aspect) -> Decided:
        rule, policy = match.rule, match.policy
        words = ""
        if rule.saying is not None:
            words = self._evaluator.value(rule.saying, policy.variables, about) or ""
        words = words or choose(rule.words, self._languages)
        if match.mode is Mode.WARN and not words:
            words = warning(policy.name, rule.id, rule.action.name)
        return Decided(
            action=rule.action.name,
            policy=policy.name,
            rule=rule.id,
            reason=rule.reason + ERROR_SUFFIX if match.why == CONDITION_FAILED else rule.reason,
            words=words,
            mode=match.mode,
            stops=rule.action.strictness if rule.action.stops else 0,
            order=rule.order,
            manner=rule.manner,
            target=rule.target,
        )


def _manner(match: Match, found: Iterable[Match]) -> Manner:
    """How a rule's action is done: others that ask for the same may narrow it, and none widen."""
    manner = match.rule.manner
    for other in found:
        same = other.rule.action.name == match.rule.action.name
        if other.applies and same and other.mode.reaches(match.mode):
            manner = manner.also(other.rule.manner)
    return manner


def _trials(bound: Iterable[Bound]) -> bool:
    return any(rule.mode is not Mode.ENFORCE for each in bound for rule in each.rules)


def _felt(bound: Bound) -> bool:
    """Whether a caller may notice this policy: not if all of it is on trial."""
    own = [rule for rule in bound.rules if rule.id != ON_ERROR_RULE]
    return any(rule.mode is Mode.ENFORCE for rule in own or bound.rules)


def _deadline_s(felt: Sequence[Bound]) -> float:
    """How long detectors may take: as the policy says that is most in a hurry."""
    said = [each.policy.deadline_ms for each in felt]
    return min((ms / 1000 for ms in said if ms), default=math.inf)


def _asking(bound: Sequence[Bound], felt: Sequence[Bound]) -> Asking:
    """What all policies say together: whoever is in a hurry counts, unless it is on trial."""
    always = frozenset[str]().union(*(each.policy.asking.always for each in bound))
    said = [each.policy.asking.deadline_s for each in felt or bound]
    return Asking(always, min((deadline for deadline in said if deadline), default=0.0))


def _keeping(felt: Sequence[Bound]) -> Keeping:
    """The least that any of those policies wants kept which say something of it."""
    said = [each.policy.keeping for each in felt if each.policy.keeping is not None]
    return min(said, key=lambda each: LEAST_FIRST.index(each.texts), default=NOTHING_KEPT)
