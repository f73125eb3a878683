"""What compiles and is still likely to be a mistake: rules that can never act, names of nothing.

A doubt is told only where it is sure: a rule is hidden if another one applies to all that it
applies to; conditions are never compared, for that would take a solver.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.core.judgement import Mode
from gateway.policy.bundle import PolicyBundle
from gateway.policy.language import ON_ERROR_RULE, Policy, Rule
from gateway.policy.matching import EVENTS, Names, Scope, in_categories


@dataclass(frozen=True, slots=True)
class Doubt:
    """at: file and line. where: the policy, policy/rule or binding it is about."""

    at: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Installation:
    """What there is here for rules to be about.

    detectors: categories of those that are switched on. places: what the catalogue has by the
    field of a scope that may name it, such as `models`; patterns of its own included. off:
    categories of those that are switched off. known: all categories that there are, also those
    that only an assessor might report.
    """

    detectors: Mapping[str, frozenset[str]]
    places: Mapping[str, frozenset[str]]
    off: Mapping[str, frozenset[str]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()


def doubts(bundle: PolicyBundle, here: Installation) -> list[Doubt]:
    """All doubts about these policies, in their order."""
    return [*_of_bindings(bundle, here), *(d for p in bundle.policies for d in _of(p, here))]


def silent(bundle: PolicyBundle, here: Installation) -> list[Doubt]:
    """Rules for what nobody looks for here, though somebody could: no mistake of theirs."""
    return [
        Doubt(rule.at, f"{policy.name}/{rule.id}", _silence(rule, here))
        for policy in bundle.policies
        for rule in policy.rules
        if not _reported(rule, here.detectors) and _could_be(rule, here)
    ]


def _of(policy: Policy, here: Installation) -> Iterator[Doubt]:
    for message in _nowhere(policy.scope, here):
        yield Doubt(policy.at, policy.name, message)
    rules = [rule for rule in policy.rules if rule.id != ON_ERROR_RULE]
    for place, rule in enumerate(rules):
        where = f"{policy.name}/{rule.id}"
        found = [*_nowhere(rule.scope, here), *_unreported(rule, here), *_untried(policy, rule)]
        if by := _hidden(rule, rules[:place], rules[place + 1 :]):
            found.append(f"never has an effect: rule {by.id!r} comes first wherever it applies.")
        yield from (Doubt(rule.at, where, message) for message in found)


def _of_bindings(bundle: PolicyBundle, here: Installation) -> Iterator[Doubt]:
    for binding in bundle.bindings:
        for message in _nowhere(binding.scope, here):
            yield Doubt(binding.at, binding.name, message)


def _nowhere(scope: Scope, here: Installation) -> Iterator[str]:
    """Names of a scope that fit nothing in the catalogue."""
    for part, known in here.places.items():
        if part not in scope.fields:
            continue
        for name in scope.fields[part].meaning():
            if not any(_may_fit(name, each) for each in known):
                yield f"{part}: {name!r} fits nothing in the catalogue. It has: {_list(known)}."


def _may_fit(name: str, known: str) -> bool:
    """Whether some name is both; either may be a pattern."""
    return fnmatch.fnmatchcase(known, name) or fnmatch.fnmatchcase(name, known)


def _unreported(rule: Rule, here: Installation) -> Iterator[str]:
    """A rule for findings that nobody here makes."""
    if not _reported(rule, here.detectors) and not _could_be(rule, here):
        yield f"no detector reports what it is for: {_list(rule.categories.meaning())}."


def _reported(rule: Rule, detectors: Mapping[str, frozenset[str]]) -> bool:
    """Whether one of these may report what a rule is for, or it is for an event."""
    return bool(rule.categories.exact & EVENTS) or any(_reporting(rule, detectors))


def _reporting(rule: Rule, detectors: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for name, categories in detectors.items():
        asked = rule.detectors is None or rule.detectors.match(name)
        if asked and any(in_categories(rule.categories, each) for each in categories):
            yield name


def _could_be(rule: Rule, here: Installation) -> bool:
    """Whether it would be reported if a detector were switched on, or an assessor were there."""
    if rule.detectors is not None:
        return _reported(rule, here.off)
    return any(in_categories(rule.categories, each) for each in here.known)


def _silence(rule: Rule, here: Installation) -> str:
    names = [*_reporting(rule, here.off)]
    who = f"{', '.join(names)} would, and is switched off" if names else "an assessor might"
    return f"nobody here looks for what it is for: {_list(rule.categories.meaning())}; {who}."


def _untried(policy: Policy, rule: Rule) -> Iterator[str]:
    """A rule without an example on either side, as far as examples say which rules fire."""
    told = [e.expected_rules for e in policy.examples if e.expected_rules is not None]
    if not any(rule.id in rules for rules in told):
        yield "no example expects it to have an effect."
    if all(rule.id in rules for rules in told):
        yield "no example expects it to have none."


def _hidden(rule: Rule, before: Collection[Rule], after: Collection[Rule]) -> Rule | None:
    """The rule that leaves nothing for this one to do, if there is one."""
    for other in before:
        if not other.action.strictness and _covers(other, rule):
            return other
    for other in (*before, *after):
        if not (other.decides and rule.decides and _covers(other, rule)):
            continue
        stricter = other.action.strictness > rule.action.strictness
        if stricter or (other in before and other.action.strictness == rule.action.strictness):
            return other
    return None


def _covers(other: Rule, rule: Rule) -> bool:
    """Whether the other rule applies to all that this one applies to, and goes as far."""
    return (
        other.condition is None
        and other.mode is not Mode.OFF
        and other.mode.reaches(rule.mode)
        and other.min_score <= rule.min_score
        and _within(rule.categories, other.categories, events=True)
        and (other.detectors is None or _within(rule.detectors, other.detectors))
        and _fewer(rule.kinds, other.kinds)
        and _fewer(rule.roles, other.roles)
        and all(
            _within(rule.scope.fields.get(field), names)
            for field, names in other.scope.fields.items()
        )
    )


def _within(names: Names | None, wider: Names, *, events: bool = False) -> bool:
    """Whether whatever is one of the names is one of the wider ones; false if not sure."""
    if names is None or not names.globs <= wider.globs:
        return False
    return all(in_categories(wider, each) if events else wider.match(each) for each in names.exact)


def _fewer(names: frozenset[str] | None, wider: frozenset[str] | None) -> bool:
    return wider is None or (names is not None and names <= wider)


def _list(names: Collection[str], most: int = 5) -> str:
    shown = sorted(names)
    rest = f" and {len(shown) - most} more" if len(shown) > most else ""
    return (", ".join(shown[:most]) or "none") + rest
