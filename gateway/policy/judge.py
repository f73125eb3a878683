"""The judge: rules that can apply to one kind of exchange, and what they say about findings.

Each finding is decided by itself, so a streamed answer gets the verdict of the whole one.
Within a policy rules are asked in order: an `allow` that applies hides the finding from
the rules after it. What is left unites: one effect for the text, the strictest, and
every obligation. Between policies the strictest wins as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.effects import ANSWER, REQUEST
from gateway.core.judgement import (
    DETECTOR_ERROR,
    PASSING,
    Effect,
    Finding,
    Refusal,
    StreamMode,
    Subject,
    Verdict,
)
from gateway.core.languages import choose
from gateway.core.message import Kind
from gateway.core.ports import Asking
from gateway.policy.language import Policy, Rule
from gateway.policy.matching import Fact, in_categories

CODE = "policy_violation"
BUSY_CODE = "detection_unavailable"
BUSY_RETRY_S = 2
ERROR_SUFFIX = "_CONDITION_ERROR"
CONDITION_FAILED = "condition could not be evaluated"
MAX_REMEMBERED = 4_096
MAX_SUBJECTS = 256
_KINDS = 3

_MODES = (StreamMode.OBSERVE, StreamMode.WINDOW, StreamMode.HOLD)

# What is known of a finding and its text, as far as rules may ask:
# category, score per mille, detector, role, kind, note.
Aspect = tuple[str, int, str, str, str, str]
# What a decision is remembered by, beside the subject: category, score, detector, note.
Likeness = tuple[str, float, str, str]
# What is remembered of an effect: action, policy, rule, reason, words, and its strictness
# if it stops the message, else 0.
Decided = tuple[str, str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class Bound:
    """A policy that applies to an exchange, with those of its rules that can."""

    policy: Policy
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What one rule said to one finding. why: the first thing that did not fit."""

    policy: Policy
    rule: Rule
    applies: bool
    why: str = ""


Listening = tuple[str, ...]


class BoundJudge:
    """Implements `gateway.core.ports.Judge`. Remembers what it decided about like findings."""

    def __init__(
        self, bound: Sequence[Bound], facts: Mapping[str, Fact], languages: Sequence[str] = ()
    ) -> None:
        """facts: about the exchange, at least those that the rules ask about.

        languages: those that the caller reads of the rules' own, best first.
        """
        self._languages = tuple(languages)
        self._bound = tuple(bound)
        self._rules = tuple(rule for each in bound for rule in each.rules)
        self._facts = {k: list(v) if isinstance(v, tuple) else v for k, v in facts.items()}
        self._listened: list[tuple[Any, tuple[Listening, Listening]]] = []
        self._decided: dict[tuple[str, Kind], dict[Likeness, tuple[Decided, ...]]] = {}
        modes = [each.policy.streaming for each in bound if each.rules]
        self.stream_mode = max(modes, key=_MODES.index, default=StreamMode.WINDOW)
        self.asking = _asking(each.policy.asking for each in bound)

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
        stopping: list[tuple[int, Effect]] = []
        decided = self._decided.setdefault((subject.role, subject.kind), {})
        for finding in findings:
            key = (finding.category, finding.score, finding.detector, finding.note)
            said = decided.get(key)
            if said is None:
                said = decided[key] = self._decide(finding, subject)
                self._forget(decided)
            for action, policy, rule, reason, words, stops in said:
                effect = Effect(action, finding, policy, rule, reason, words)
                effects.append(effect)
                if stops:
                    stopping.append((stops, effect))
        return Verdict(tuple(effects), _refusal(stopping) if stopping else None)

    def matches(self, finding: Finding, subject: Subject) -> Iterator[Match]:
        """What each rule says to one finding, in the order they are asked."""
        return self._matches(aspect(finding, subject))

    def _decide(self, finding: Finding, subject: Subject) -> tuple[Decided, ...]:
        matches = united([m for m in self.matches(finding, subject) if m.applies])
        return tuple(_decided(match, self._languages) for match in matches)

    def _forget(self, decided: dict[Likeness, tuple[Decided, ...]]) -> None:
        """Keep what is remembered bounded; it is only ever a shortcut."""
        if len(decided) > MAX_REMEMBERED:
            decided.clear()
        if len(self._decided) > MAX_SUBJECTS:
            self._decided.clear()

    def _matches(self, about: Aspect) -> Iterator[Match]:
        for each in self._bound:
            exempt = ""
            for rule in each.rules:
                if exempt:
                    yield Match(each.policy, rule, applies=False, why=f"allowed by {exempt}")
                    continue
                applies, why = self._asks(rule, about)
                yield Match(each.policy, rule, applies, why)
                if applies and not rule.action.strictness:
                    exempt = rule.id

    def _asks(self, rule: Rule, about: Aspect) -> tuple[bool, str]:
        category, score, detector, role, kind, note = about
        why = ""
        if not in_categories(rule.categories, category):
            why = "categories"
        elif score < rule.min_score:
            why = "min_score"
        elif rule.detectors is not None and not rule.detectors.match(detector):
            why = "detectors"
        elif rule.kinds is not None and kind not in rule.kinds:
            why = "kinds"
        elif rule.roles is not None and role not in rule.roles:
            why = "roles"
        if why or rule.condition is None:
            return not why, why
        holds = rule.condition.holds(
            {
                **self._facts,
                "category": category,
                "score": score,
                "detector": detector,
                "role": role,
                "kind": kind,
                "note": note,
            }
        )
        if holds is None:
            return rule.enforces, CONDITION_FAILED
        return holds, "" if holds else "condition"


def _asking(asked: Iterable[Asking]) -> Asking:
    """What all policies say together: whoever is in a hurry counts."""
    said = list(asked)
    deadlines = [each.deadline_s for each in said if each.deadline_s]
    always = frozenset[str]().union(*(each.always for each in said))
    return Asking(always, min(deadlines, default=0.0))


def aspect(finding: Finding, subject: Subject) -> Aspect:
    """What rules may ask about a finding."""
    return (
        finding.category,
        round(finding.score * 1000),
        finding.detector,
        subject.role,
        subject.kind.value,
        finding.note,
    )


def united(matches: Sequence[Match]) -> tuple[Match, ...]:
    """The matches that take effect: the strictest that stops or changes, and all obligations."""
    enforcing = [m for m in matches if m.rule.enforces]
    winner = max(enforcing, key=lambda m: m.rule.action.strictness, default=None)
    return tuple(m for m in matches if m is winner or not m.rule.enforces)


def _decided(match: Match, languages: Sequence[str]) -> Decided:
    rule = match.rule
    reason = rule.reason + ERROR_SUFFIX if match.why == CONDITION_FAILED else rule.reason
    stops = rule.action.strictness if rule.action.stops else 0
    words = choose(rule.words, languages)
    return rule.action.name, match.policy.name, rule.id, reason, words, stops


def _refusal(stopping: Sequence[tuple[int, Effect]]) -> Refusal:
    _, effect = max(stopping, key=lambda each: each[0])
    counts = Counter(effect.finding.category for _, effect in stopping)
    busy = all(_may_pass(effect.finding) for _, effect in stopping)
    return Refusal(
        code=BUSY_CODE if busy else CODE,
        status=503 if busy else 400,
        retry_after_s=BUSY_RETRY_S if busy else None,
        message=effect.message or _message(effect, counts),
        policy=effect.policy,
        rule=effect.rule,
        categories=tuple(sorted(counts)),
    )


def _may_pass(finding: Finding) -> bool:
    """Whether the same message may get through when there is less to do."""
    return finding.category == DETECTOR_ERROR and finding.note in PASSING


def _message(effect: Effect, counts: Mapping[str, int]) -> str:
    """What the caller is told if the rule has no words of its own. Never the match."""
    who = f"policy {effect.policy!r}, rule {effect.rule!r}"
    if effect.finding.category == DETECTOR_ERROR:
        return f"Stopped by {who}: the message could not be checked. Try again later."
    found = [
        f"{category} ({count})"
        for category, count in sorted(counts.items())
        if category not in (ANSWER, REQUEST)
    ]
    if not found:
        return f"Stopped by {who}."
    return f"Stopped by {who}: the message holds {', '.join(found)}. Remove it and try again."


def listened(detectors: Mapping[str, frozenset[str]], rules: Sequence[Rule]) -> tuple[str, ...]:
    """Names of the detectors that one of these rules listens to."""
    return tuple(
        name
        for name, categories in detectors.items()
        if any(
            (rule.detectors is None or rule.detectors.match(name))
            and any(in_categories(rule.categories, each) for each in categories)
            for rule in rules
        )
    )
