"""For whom a policy holds streamed answers although it does not say so."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.message import Direction
from gateway.policy.language import Policy, Rule
from gateway.policy.listening import listened


def held_for(policy: Policy, assessors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Assessors whose findings could stop or change an answer: they need all of it.

    assessors: categories by name, of those that judge answers.
    """
    rules = [rule for rule in policy.rules if rule.enforces and _sees_answers(policy, rule)]
    return listened(assessors, rules)


def _sees_answers(policy: Policy, rule: Rule) -> bool:
    scopes = (policy.scope.fields.get("directions"), rule.scope.fields.get("directions"))
    return all(names is None or names.match(Direction.RESPONSE) for names in scopes)
