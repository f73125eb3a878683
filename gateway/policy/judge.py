"""The judge: rules that can apply to one kind of exchange, and what they say about findings.

Each finding is decided by itself, so a streamed answer gets the verdict of the whole one.
Within a policy rules are asked in order: an `allow` that applies hides the finding from
the rules after it. What is left unites: one effect for the text, the strictest, and
every obligation. Between policies the strictest wins as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.core.effects import ANSWER, REQUEST
from gateway.core.judgement import (
    DETECTOR_ERROR,
    Effect,
    Finding,
    Refusal,
    StreamMode,
    Subject,
    Verdict,
)
from gateway.policy.language import Policy, Rule
from gateway.policy.matching import Fact, in_categories

CODE = "policy_violation"
ERROR_SUFFIX = "_CONDITION_ERROR"
CONDITION_FAILED = "condition could not be evaluated"
MAX_REMEMBERED = 4_096

_MODES = (StreamMode.OBSERVE, StreamMode.WINDOW, StreamMode.HOLD)

# What is known of a finding and its text, as far as rules may ask:
# category, score per mille, detector, role, kind, note.
Aspect = tuple[str, int, str, str, str, str]


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


class BoundJudge:
    """Implements `gateway.core.ports.Judge`. Remembers what it decided about like findings."""

    def __init__(self, bound: Sequence[Bound], facts: Mapping[str, Fact]) -> None:
        """facts: about the exchange, at least those that the rules ask about."""
        self._bound = tuple(bound)
        self._rules = tuple(rule for each in bound for rule in each.rules)
        self._facts = {k: list(v) if isinstance(v, tuple) else v for k, v in facts.items()}
        self._decided: dict[Aspect, tuple[Match, ...]] = {}
        modes = [each.policy.streaming for each in bound if each.rules]
        self.stream_mode = max(modes, key=_MODES.index, default=StreamMode.WINDOW)

    def concerned(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        """Names of the detectors that some rule here listens to."""
        return _listened(detectors, self._rules)

    def enforcing(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        """Names of those whose findings can stop or change the message."""
        return _listened(detectors, [rule for rule in self._rules if rule.enforces])

    def decide(self, findings: Sequence[Finding], subject: Subject) -> Verdict:
        """Which rules apply to these findings. Each finding is decided by itself."""
        effects: list[Effect] = []
        stopping: list[tuple[Match, Effect]] = []
        for finding in findings:
            for match in self._decide(aspect(finding, subject)):
                effect = _effect(match, finding)
                effects.append(effect)
                if match.rule.action.stops:
                    stopping.append((match, effect))
        return Verdict(tuple(effects), _refusal(stopping) if stopping else None)

    def matches(self, finding: Finding, subject: Subject) -> Iterator[Match]:
        """What each rule says to one finding, in the order they are asked."""
        return self._matches(aspect(finding, subject))

    def _decide(self, about: Aspect) -> tuple[Match, ...]:
        decided = self._decided.get(about)
        if decided is None:
            decided = united([m for m in self._matches(about) if m.applies])
            if len(self._decided) >= MAX_REMEMBERED:
                self._decided.clear()
            self._decided[about] = decided
        return decided

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


def _effect(match: Match, finding: Finding) -> Effect:
    rule = match.rule
    reason = rule.reason + ERROR_SUFFIX if match.why == CONDITION_FAILED else rule.reason
    return Effect(rule.action.name, finding, match.policy.name, rule.id, reason, rule.words)


def _refusal(stopping: Sequence[tuple[Match, Effect]]) -> Refusal:
    match, effect = max(stopping, key=lambda each: each[0].rule.action.strictness)
    counts = Counter(each.finding.category for _, each in stopping)
    return Refusal(
        code=CODE,
        message=match.rule.words or _message(effect, counts),
        policy=effect.policy,
        rule=effect.rule,
        categories=tuple(sorted(counts)),
    )


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


def _listened(detectors: Mapping[str, frozenset[str]], rules: Sequence[Rule]) -> tuple[str, ...]:
    return tuple(
        name
        for name, categories in detectors.items()
        if any(
            (rule.detectors is None or rule.detectors.match(name))
            and any(in_categories(rule.categories, each) for each in categories)
            for rule in rules
        )
    )
