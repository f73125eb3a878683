"""What each rule says to one finding, and which of the rules that apply take effect."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gateway.core.judgement import DETECTOR_ERROR, Finding, Mode, Subject
from gateway.policy.conditions import Condition
from gateway.policy.language import Policy, Rule
from gateway.policy.matching import in_categories

CONDITION_FAILED = "condition could not be evaluated"


@dataclass(frozen=True, slots=True)
class Bound:
    """A policy that applies to an exchange, with those of its rules that can.

    by_kind: how far they may go in texts of a kind, if bindings say so; not at all in others.
    doubtful: whether it applies could not be evaluated.
    """

    policy: Policy
    rules: tuple[Rule, ...]
    by_kind: Mapping[str, Mode] | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Concerned:
    """What is bound, with only those rules that a finding of some category can be for.

    steps: the scores, per mille, from which on one more of them can apply; None if an expression
    asks for the score itself. role, kind, detector, note: whether any of them asks for that.
    """

    category: str
    bound: tuple[Bound, ...]
    steps: tuple[int, ...] | None
    role: bool
    kind: bool
    detector: bool
    note: bool

    def likeness(self, finding: Finding, subject: Subject) -> Likeness:
        """The same for findings of which all rules say the same."""
        score = round(finding.score * 1000)
        return (
            self.category,
            score if self.steps is None else bisect_right(self.steps, score),
            subject.role if self.role else "",
            subject.kind if self.kind else "",
            finding.detector if self.detector else "",
            finding.note if self.note else "",
        )


Likeness = tuple[str, int, str, str, str, str]


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


# Whether a condition, with the variables it may name, holds for a finding; None if it could not
# be evaluated.
Holds = Callable[[Condition, Mapping[str, Condition], Aspect], bool | None]


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


def concerned_with(bound: Iterable[Bound], category: str) -> Concerned:
    """What is bound, as far as it is for findings of this category."""
    found = tuple(
        replace(each, rules=rules)
        for each in bound
        if (rules := tuple(r for r in each.rules if in_categories(r.categories, category)))
    )
    left = [rule for each in found for rule in each.rules]
    expressions = (each for rule in left for each in (rule.condition, rule.saying))
    asked = frozenset[str]().union(*(each.rests_on for each in expressions if each is not None))
    return Concerned(
        category,
        found,
        steps=None if "score" in asked else tuple(sorted({rule.min_score for rule in left})),
        role="role" in asked or any(rule.roles is not None for rule in left),
        kind="kind" in asked
        or any(rule.kinds is not None for rule in left)
        or any(each.by_kind is not None for each in found),
        # How far a rule may go for a failure depends on whose it is.
        detector="detector" in asked
        or category == DETECTOR_ERROR
        or any(rule.detectors is not None for rule in left),
        note="note" in asked,
    )


def matches(bound: Iterable[Bound], about: Aspect, holds: Holds, limit: Mode) -> Iterator[Match]:
    """What each of the rules says, in the order they are asked. limit: how far any may go.

    An `allow` that applies hides the finding from those after it in its policy that go no
    further than itself: one that is only on trial changes nothing for those that are enforced.
    """
    for each in bound:
        here = limit
        if each.by_kind is not None:
            here = each.by_kind.get(about.kind, Mode.OFF).within(limit)
        exempt: list[tuple[Mode, str]] = []
        for rule in each.rules:
            mode = rule.mode.within(here)
            applies, why = _hidden(mode, exempt)
            if not why:
                applies, why = _asked(rule, each.policy.variables, about, holds)
            if applies and each.doubtful:
                why = CONDITION_FAILED
            yield Match(each.policy, rule, mode, applies, why)
            if applies and not rule.action.strictness:
                exempt.append((mode, rule.id))


def _hidden(mode: Mode, exempt: Sequence[tuple[Mode, str]]) -> tuple[bool, str]:
    """Why a rule is not asked at all, if there is a reason."""
    if mode is Mode.OFF:
        return False, "binding: kinds"
    allowed = next((by for far, by in exempt if far.reaches(mode)), "") if exempt else ""
    return False, f"allowed by {allowed}" if allowed else ""


def _asked(
    rule: Rule, variables: Mapping[str, Condition], about: Aspect, holds: Holds
) -> tuple[bool, str]:
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
    held = holds(rule.condition, variables, about)
    if held is None:
        return rule.intervenes, CONDITION_FAILED
    return held, "" if held else "condition"


def effective(found: Sequence[Match]) -> tuple[Match, ...]:
    """Those of the matches that take effect, then those that would.

    A rule on trial would take effect if it did so with all rules enforced that go as far as it.
    """
    applying = [match for match in found if match.applies]
    if len(applying) < 2:
        return tuple(applying)
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
