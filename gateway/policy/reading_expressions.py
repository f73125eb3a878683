"""Expressions as they stand in a file, with errors that say where in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gateway.core.errors import ConfigError
from gateway.cursor import Cursor
from gateway.policy.cel_errors import Unsound
from gateway.policy.conditions import Condition, Names, of_exchanges, of_findings

MAX_NAMED = 64
NAMED_KEYS = ("name", "expression")
_NAME = r"[a-zA-Z][a-zA-Z0-9_]{0,62}"
_LABEL = r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}"
T = TypeVar("T")


def read_expression(cursor: Cursor, parse: Callable[[str], T]) -> T:
    """What `parse` makes of the text. It raises Unsound, this ConfigError with line and column."""
    try:
        return parse(cursor.text())
    except Unsound as err:
        raise _placed(cursor, err) from err


def read_variables(cursor: Cursor) -> tuple[Names, dict[str, Condition]]:
    """What conditions may name, and the variables among it, each of which may use those before."""
    names, found = of_findings(), dict[str, Condition]()
    for item in cursor.items():
        name, expression = _named(item, "variable", _NAME, found)

        def declared(
            source: str, name: str = name, known: Names = names
        ) -> tuple[Names, Condition]:
            return known.declare(name, source)

        names, found[name] = read_expression(expression, declared)
    return names, found


def read_match_conditions(cursor: Cursor) -> dict[str, Condition]:
    """Conditions on the exchange, all of which must hold."""
    found: dict[str, Condition] = {}
    for item in cursor.items():
        name, expression = _named(item, "match condition", _LABEL, found)
        found[name] = read_expression(expression, of_exchanges().parse)
    return found


def _named(
    item: Cursor, what: str, pattern: str, taken: dict[str, Condition]
) -> tuple[str, Cursor]:
    if len(taken) >= MAX_NAMED:
        raise item.error(f"more than {MAX_NAMED} in one policy.")
    item = item.named(what)
    fields = item.fields(NAMED_KEYS, required=NAMED_KEYS)
    name = fields["name"].text(pattern, "letters, digits and underscores")
    if name in taken:
        raise fields["name"].error(f"the name {name!r} is taken.")
    return name, item.named(f"{what} {name!r}").fields(NAMED_KEYS)["expression"]


def _placed(cursor: Cursor, err: Unsound) -> ConfigError:
    """In the file if the text stands there on one line as it is, else within the expression."""
    start = cursor.document.columns.get(cursor.at)
    if not err.column:
        return cursor.error(f"{err}.")
    if start is not None and err.line == 1:
        return cursor.error(f"{err} (column {start + err.column - 1}).")
    return cursor.error(f"{err} (line {err.line}, column {err.column} of the expression).")
