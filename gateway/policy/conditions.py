"""Conditions in CEL, compiled with static types and tried before they are trusted.

An expression that cannot be shown harmless is refused when the policy is read: too long,
loops inside loops, not a truth value, or an error on one of a few made-up exchanges.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

MAX_CHARS = 2_000
MAX_LIST = 256
_MAX_NESTING = 1
_MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "map", "filter"})

# What a condition may name. Never text: only what is known about it.
VARIABLES: Mapping[str, str] = {
    "direction": "string",
    "endpoint": "string",
    "model": "string",
    "upstream_model": "string",
    "provider": "string",
    "hosting": "string",
    "region": "string",
    "terms": "string",
    "tenant": "string",
    "application": "string",
    "team": "string",
    "roles": "list(string)",
    "key_id": "string",
    "stream": "bool",
    "json_mode": "bool",
    "category": "string",
    "score": "int",
    "detector": "string",
    "role": "string",
    "kind": "string",
    "note": "string",
}

_EXAMPLES: Mapping[str, tuple[Any, Any, Any]] = {
    "string": ("", "typical-value_1", "x" * 256),
    "bool": (False, True, True),
    "int": (0, 850, 1000),
    "list(string)": ([], ["user", "dpo"], ["x" * 64] * MAX_LIST),
}

_TOKEN = re.compile(
    r"""(?:[rR][bB]?|[bB][rR])(?:"[^"\n]*"|'[^'\n]*')
    |[bB]?(?:\"\"\"(?s:.*?)\"\"\"|'''(?s:.*?)'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |//[^\n]*|(?P<word>[A-Za-z_]\w*)|(?P<sign>[().])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One compiled expression.

    source: as written. variables: the names in it.
    """

    source: str
    variables: frozenset[str]
    _expression: Any

    def holds(self, activation: Mapping[str, Any]) -> bool | None:
        """Whether it is true; None if it could not be evaluated.

        activation: a value of the declared type for each of `variables`, at least.
        """
        if len(activation.get("roles", ())) > MAX_LIST:
            return None
        result = _value(self._expression, activation)
        return result if isinstance(result, bool) else None


def parse(source: str) -> Condition:
    """Compile and try an expression. Raises ValueError saying what is wrong with it."""
    if len(source) > MAX_CHARS:
        raise ValueError(f"is longer than {MAX_CHARS} characters")
    if _nesting(source) > _MAX_NESTING:
        raise ValueError("has a loop inside a loop (all, exists, map, filter); at most one deep")
    try:
        expression = _environment().compile(source)
    except (RuntimeError, ValueError) as err:
        raise ValueError(_told(str(err))) from err
    if expression.return_type() != cel.Type.BOOL:
        raise ValueError(f"must be true or false, not {expression.return_type().name().lower()}")
    words = frozenset(m["word"] for m in _TOKEN.finditer(source) if m["word"])
    condition = Condition(source, words & VARIABLES.keys(), expression)
    for index, name in enumerate(("an empty", "a typical", "a very large")):
        activation = {var: _EXAMPLES[kind][index] for var, kind in VARIABLES.items()}
        if condition.holds(activation) is None:
            reason = _told(str(_value(expression, activation)))
            raise ValueError(f"cannot be evaluated for {name} exchange: {reason}")
    return condition


@functools.cache
def _environment() -> Any:
    kinds = {
        "string": cel.Type.STRING,
        "bool": cel.Type.BOOL,
        "int": cel.Type.INT,
        "list(string)": cel.Type.List(cel.Type.STRING),
    }
    return cel.NewEnv(variables={name: kinds[kind] for name, kind in VARIABLES.items()})


def _value(expression: Any, activation: Mapping[str, Any]) -> Any:
    """The value, or what went wrong: most errors are values of their own, some are raised."""
    try:
        return expression.eval(data=activation).value()
    except (RuntimeError, ValueError, TypeError) as err:
        return err


def _nesting(source: str) -> int:
    """How deep loops stand inside loops: a macro's call within another's parentheses."""
    deepest, loops = 0, 0
    stack: list[bool] = []
    word = ""
    after_dot = False
    for match in _TOKEN.finditer(source):
        sign = match["sign"]
        if match["word"]:
            word = match["word"] if after_dot else ""
            after_dot = False
        elif sign == ".":
            after_dot = True
        elif sign == "(":
            stack.append(word in _MACROS)
            loops += stack[-1]
            deepest = max(deepest, loops)
            word = ""
        elif sign == ")" and stack:
            loops -= stack.pop()
    return deepest


def _told(message: str) -> str:
    """The compiler's own words on one line, without its wrapping."""
    first = message.split("\n", 1)[0]
    first = re.sub(r"^[A-Z_]+: (ERROR: )?", "", first)
    first = re.sub(r" \[[A-Z_]+\]$", "", first)
    found = re.fullmatch(r"<input>:(\d+):(\d+): (.*)", first)
    told = f"{found[3]} (line {found[1]}, column {found[2]})" if found else first
    if "undeclared reference" in told:
        told += f". Known: {', '.join(sorted(VARIABLES))}"
    return told
