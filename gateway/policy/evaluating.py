"""Evaluates expressions for one kind of exchange: each once for what it rests on.

A variable is evaluated only where an expression names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy.cel_text import VARIABLES
from gateway.policy.conditions import FINDING, Condition
from gateway.policy.matching import Fact
from gateway.policy.ruling import Aspect

MAX_REMEMBERED = 4_096


class Evaluator:
    """Remembers what came of an expression for what it rests on."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        """facts: about the exchange, at least those that the expressions rest on."""
        self._facts = {k: list(v) if isinstance(v, tuple) else v for k, v in facts.items()}
        self._values: dict[tuple[Any, ...], Any] = {}

    def holds(
        self, condition: Condition, variables: Mapping[str, Condition], about: Aspect
    ) -> bool | None:
        """Whether a condition is true; None if it could not be evaluated.

        variables: by name, of the policy that it stands in.
        """
        found = self.value(condition, variables, about)
        return found if isinstance(found, bool) else None

    def value(self, condition: Condition, variables: Mapping[str, Condition], about: Aspect) -> Any:
        """What comes of an expression; None if it could not be evaluated."""
        key = (
            condition,
            *(getattr(about, name) for name in _ASPECTS if name in condition.rests_on),
        )
        if key in self._values:
            return self._values[key]
        activation: dict[str, Any] = {}
        for name in condition.names:
            prefix, _, variable = name.partition(".")
            if prefix == VARIABLES:
                known = self.value(variables[variable], variables, about)
            else:
                known = getattr(about, name) if name in FINDING else self._facts[name]
            # One without a value fails what needs it, and nothing else.
            if known is not None:
                activation[name] = known
        if len(self._values) >= MAX_REMEMBERED:
            self._values.clear()
        value = self._values[key] = condition.value(activation)
        return value


_ASPECTS = tuple(FINDING)
