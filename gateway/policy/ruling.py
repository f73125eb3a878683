"""What each rule says to one finding, and which of the rules that apply take effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.core.judgement import Finding, Mode, Subject
from gateway.policy.conditions import Condition
from gateway.policy.language import Policy, Rule
from gateway.policy.matching import in_categories

CONDITION_FAILED = "condition could not be evaluated"


@dataclass(frozen=True, slots=True)
class Bound:
    """A policy that applies to an exchange, with those of its rules that can."""

    policy: Policy
    rules: tuple[Rule, ...]


class Match(NamedTuple):
    """What one rule said to one finding. why: the first thing that did not fit."""

    policy: Policy
    rule: Rule
    mode: Mode
    applies: bool
    why: str = ""


class Aspect(NamedTuple):
    """What is known of a finding and its text, as far as rules may ask. score: per mille."""

    category: str
    score: int
    detector: str
    role: str
    kind: str
    note: str


# Whether a condition holds for a finding; None if it could not be evaluated.
Holds = Callable[[Condition, Aspect], bool | None]


def aspect(finding: Finding, subject: Subject) -> Aspect:
    """What rules may ask about a finding."""
    return Aspect(
        finding.category,
        round(finding.score * 1000),
        finding.detector,
        subject.role,
        subject.kind.value,
        finding.note,
    )


def matches(bound: Iterable[Bound], about: Aspect, holds: Holds, limit: Mode) -> Iterator[Match]:
    """What each of the rules says, in the order they are asked. limit: how far any may go.

    An `allow` that applies hides the finding from those after it in its policy that go no
    further than itself: one that is only on trial changes nothing for those that are enforced.
    """
    for policy, rules in ((each.policy, each.rules) for each in bound):
        exempt: list[tuple[Mode, str]] = []
        for rule in rules:
            mode = rule.mode.within(limit)
            allowed = next((by for far, by in exempt if far.reaches(mode)), "") if exempt else ""
            if allowed:
                yield Match(policy, rule, mode, applies=False, why=f"allowed by {allowed}")
                continue
            applies, why = _asked(rule, about, holds)
            yield Match(policy, rule, mode, applies, why)
            if applies and not rule.action.strictness:
                exempt.append((mode, rule.id))


def _asked(rule: Rule, about: Aspect, holds: Holds) -> tuple[bool, str]:
    why = ""
    if not in_categories(rule.categories, about.category):
        why = "categories"
    elif about.score < rule.min_score:
        why = "min_score"
    elif rule.detectors is not None and not rule.detectors.match(about.detector):
        why = "detectors"
    elif rule.kinds is not None and about.kind not in rule.kinds:
        why = "kinds"
    elif rule.roles is not None and about.role not in rule.roles:
        why = "roles"
    if why or rule.condition is None:
        return not why, why
    held = holds(rule.condition, about)
    if held is None:
        return rule.intervenes, CONDITION_FAILED
    return held, "" if held else "condition"


def effective(found: Sequence[Match]) -> tuple[Match, ...]:
    """Those of the matches that take effect, then those that would.

    A rule on trial would take effect if it did so with all rules enforced that go as far as it.
    """
    applying = [match for match in found if match.applies]
    if all(match.mode is Mode.ENFORCE for match in applying):
        return _united(applying)
    return tuple(
        match
        for mode in Mode
        for match in _united([each for each in applying if each.mode.reaches(mode)])
        if match.mode is mode
    )


def _united(applying: Sequence[Match]) -> tuple[Match, ...]:
    """The strictest of those that stop or change the message, and all obligations.

    A review is one: what a person lets go on is changed as other rules say.
    """
    deciding = [match for match in applying if match.rule.decides]
    if len(deciding) < 2:
        return tuple(applying)
    winner = max(deciding, key=lambda match: match.rule.action.strictness)
    return tuple(m for m in applying if m is winner or not m.rule.decides)
