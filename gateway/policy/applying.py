"""Which policies apply to an exchange, with which of their rules, and how far those go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway.core.judgement import Mode
from gateway.policy.binding import Binding, limits
from gateway.policy.evaluating import Evaluator
from gateway.policy.language import Policy, Rule
from gateway.policy.matching import Fact
from gateway.policy.ruling import Aspect, Bound

ALREADY_THERE = "goes there anyway"
_NO_FINDING = Aspect("", 0, "", "", "", "")


def applying(policy: Policy, bindings: Sequence[Binding], facts: Mapping[str, Fact]) -> Bound | str:
    """The policy as it is bound for these facts, or why it does not apply.

    bindings: its own. A match condition that cannot be evaluated counts as one that holds, for
    the more policies apply, the stricter.
    """
    if why := policy.scope.mismatch(facts):
        return f"policy: {why}"
    held = _conditions(policy, facts)
    if why := next((name for name, holds in held.items() if holds is False), ""):
        return f"policy: matchConditions, {why}"
    by_kind = limits(bindings, facts)
    if bindings and not by_kind:
        return "policy: no binding"
    furthest = _furthest(by_kind)
    rules = tuple(
        rule if rule.mode.within(furthest) is rule.mode else replace(rule, mode=furthest)
        for rule in policy.rules
        if not outside(rule, facts)
    )
    return Bound(policy, rules, by_kind or None, doubtful=None in held.values())


def outside(rule: Rule, facts: Mapping[str, Fact]) -> str:
    """Why a rule of a policy that applies does not; empty if it can."""
    if rule.mode is Mode.OFF:
        return "off"
    there = rule.target is not None and rule.target.met(facts)
    return ALREADY_THERE if there else rule.scope.mismatch(facts)


def _conditions(policy: Policy, facts: Mapping[str, Fact]) -> dict[str, bool | None]:
    evaluator = Evaluator(facts)
    return {
        name: evaluator.holds(condition, {}, _NO_FINDING)
        for name, condition in policy.match_conditions.items()
    }


def _furthest(by_kind: Mapping[str, Mode]) -> Mode:
    return next((mode for mode in Mode if mode in by_kind.values()), Mode.ENFORCE)
