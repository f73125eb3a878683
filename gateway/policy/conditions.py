"""Expressions in CEL, compiled with static types and tried before they are trusted.

One that cannot be shown harmless is refused when the policy is read: too long, loops inside
loops, not of the type it must have, or an error on one of a few made-up exchanges.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from gateway.policy.cel_errors import Unsound, complaint, reason
from gateway.policy.cel_text import VARIABLES as PREFIX
from gateway.policy.cel_text import names_in, nesting

MAX_CHARS = 2_000
MAX_LIST = 256
MAX_TEXT_CHARS = 1_000
_MAX_NESTING = 1

# What an expression may name. Never text: only what is known about it.
EXCHANGE: Mapping[str, str] = {
    "direction": "string",
    "endpoint": "string",
    "model": "string",
    "upstream_model": "string",
    "provider": "string",
    "hosting": "string",
    "region": "string",
    "terms": "list(string)",
    "tenant": "string",
    "application": "string",
    "team": "string",
    "roles": "list(string)",
    "key_id": "string",
    "stream": "bool",
    "json_mode": "bool",
    "attested": "list(string)",
    "data_class": "string",
    "data_classes": "list(string)",
    "cleared": "bool",
    "trains": "bool",
    "retention_days": "int",
}
FINDING: Mapping[str, str] = {
    "category": "string",
    "score": "int",
    "detector": "string",
    "role": "string",
    "kind": "string",
    "note": "string",
}
VARIABLES: Mapping[str, str] = {**EXCHANGE, **FINDING}
# Words of the client's own, or that hold some.
WRITTEN = frozenset({"endpoint", "note", "role"})

_TYPES = {
    "string": cel.Type.STRING,
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "list(string)": cel.Type.List(cel.Type.STRING),
}
_EXAMPLES: Mapping[str, tuple[Any, Any, Any]] = {
    "string": ("", "typical-value_1", "x" * 256),
    "bool": (False, True, True),
    "int": (0, 850, 1000),
    "list(string)": ([], ["user", "dpo"], ["x" * 64] * MAX_LIST),
}
_EXCHANGES = ("an empty", "a typical", "a very large")


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One compiled expression.

    source: as written. names: those in it. rests_on: the same with what variables rest on in
    their place. kind: the type of its value.
    """

    source: str
    kind: str
    names: frozenset[str]
    rests_on: frozenset[str]
    _expression: Any

    def value(self, activation: Mapping[str, Any]) -> Any:
        """What comes of it, of its own type; None if it could not be evaluated, or is too large.

        activation: a value of the declared type for each of `names`; one that is not there is
        an error only if it is needed.
        """
        if len(activation.get("roles", ())) > MAX_LIST:
            return None
        found = _value(self._expression, activation)
        if isinstance(found, list):
            return _texts(found)
        if isinstance(found, Exception) or (isinstance(found, str) and len(found) > MAX_TEXT_CHARS):
            return None
        return found

    def holds(self, activation: Mapping[str, Any]) -> bool | None:
        """Whether it is true; None if it could not be evaluated."""
        found = self.value(activation)
        return found if isinstance(found, bool) else None

    def failure(self, activation: Mapping[str, Any]) -> str:
        """Why there is no value, for people."""
        found = _value(self._expression, activation)
        return reason(str(found)) if isinstance(found, Exception) else "its value is too large"


class Names:
    """What expressions at one place may name, each with its type and three made-up values."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self.types = dict(types)
        self._rests_on = {name: frozenset({name}) for name in types}
        self._examples = [
            {name: _EXAMPLES[kind][i] for name, kind in types.items()}
            for i in range(len(_EXCHANGES))
        ]

    def parse(self, source: str, kinds: Sequence[str] = ("bool",)) -> Condition:
        """Compile and try an expression whose value is of one of these types. Raises Unsound."""
        condition, _ = self._tried(source, kinds)
        return condition

    def say(self, source: str) -> Condition:
        """An expression for the caller to read. It cannot rest on what the caller wrote."""
        condition = self.parse(source, ("string",))
        if written := sorted(condition.rests_on & WRITTEN):
            raise Unsound(
                f"would tell the caller {', '.join(written)}, which callers choose freely"
            )
        return condition

    def declare(self, name: str, source: str) -> tuple[Names, Condition]:
        """The expression, and what may be named from now on: `variables.name` as well."""
        condition, values = self._tried(source, tuple(_TYPES))
        full = f"{PREFIX}.{name}"
        more = Names({})
        more.types = {**self.types, full: condition.kind}
        more._rests_on = {**self._rests_on, full: condition.rests_on}
        more._examples = [
            {**example, full: value} for example, value in zip(self._examples, values, strict=True)
        ]
        return more, condition

    @functools.cached_property
    def _environment(self) -> Any:
        return cel.NewEnv(variables={name: _TYPES[kind] for name, kind in self.types.items()})

    def _tried(self, source: str, kinds: Iterable[str]) -> tuple[Condition, list[Any]]:
        if len(source) > MAX_CHARS:
            raise Unsound(f"is longer than {MAX_CHARS} characters")
        if nesting(source) > _MAX_NESTING:
            raise Unsound("has a loop inside a loop (all, exists, map, filter); at most one deep")
        try:
            expression = self._environment.compile(source)
        except (RuntimeError, ValueError) as err:
            raise complaint(str(err), self.types) from err
        found = expression.return_type()
        kind = next((kind for kind in kinds if _TYPES[kind] == found), "")
        if not kind:
            wanted = " or ".join("true or false" if kind == "bool" else kind for kind in kinds)
            raise Unsound(f"must be {wanted}, not {found.name().lower()}")
        names = names_in(source, self.types)
        rests_on = frozenset().union(*(self._rests_on[name] for name in names))
        condition = Condition(source, kind, names, rests_on, expression)
        return condition, [
            self._trial(condition, example, exchange)
            for example, exchange in zip(self._examples, _EXCHANGES, strict=True)
        ]

    def _trial(self, condition: Condition, example: Mapping[str, Any], exchange: str) -> Any:
        value = condition.value(example)
        if value is None:
            why = condition.failure(example)
            raise Unsound(f"cannot be evaluated for {exchange} exchange: {why}")
        return value


def parse(source: str) -> Condition:
    """A condition of a rule. Raises Unsound, a ValueError, saying what is wrong with it."""
    return of_findings().parse(source)


@functools.cache
def of_findings() -> Names:
    """What may be named where a finding is decided on."""
    return Names(VARIABLES)


@functools.cache
def of_exchanges() -> Names:
    """What may be named where no finding is known yet."""
    return Names(EXCHANGE)


def _value(expression: Any, activation: Mapping[str, Any]) -> Any:
    """The value, or what went wrong as an exception.

    Some errors are raised; most are values of a type of their own, which reads as a text.
    """
    try:
        found = expression.eval(data=activation)
        value = found.value()
    except (RuntimeError, ValueError, TypeError) as err:
        return err
    if isinstance(value, str) and found.type() == cel.Type.ERROR:
        return ValueError(value)
    return value


def _texts(found: list[Any]) -> list[str] | None:
    """The texts of a CEL list; None if it is too large."""
    if len(found) > MAX_LIST:
        return None
    texts = [str(each.value()) for each in found]
    return texts if sum(map(len, texts)) <= MAX_LIST * MAX_TEXT_CHARS else None
