"""What CEL's compiler complains of, in our words.

The forms are those of cel-expr-python 0.1.3: `<input>:LINE:COLUMN: MESSAGE`, several lines of
which only the first is told. A form that is not known is told as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from gateway.documents import unknown

_PLACED = re.compile(r"<input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'.*")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_SYNTAX = re.compile(r"Syntax error: (.*)")
_EXPECTED = re.compile(r"(?:mismatched|extraneous) input '(.*?)' expecting .*")
_UNREADABLE = re.compile(r"token recognition error at: '(.*)'")
_OPERATOR = re.compile(r"[!@]?_?(\W+?|in)_?(?:_\W*)?")
_MAX_CHARS = 300


class Unsound(ValueError):
    """An expression that cannot be used. line, column: from 1, within it; 0 if not known."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line, self.column = line, column


def complaint(told: str, known: Collection[str]) -> Unsound:
    """What the compiler said. known: the names that could have been meant."""
    first = reason(told)
    placed = _PLACED.fullmatch(first)
    if placed is None:
        return Unsound(first)
    return Unsound(_in_our_words(placed[3], known), int(placed[1]), int(placed[2]))


def reason(told: str) -> str:
    """The compiler's own words on one line, without its wrapping."""
    first = told.split("\n", 1)[0]
    first = re.sub(r"^[A-Z_]+: (ERROR: )?", "", first)
    return re.sub(r" \[[A-Z_]+\]$", "", first)[:_MAX_CHARS]


def _in_our_words(message: str, known: Collection[str]) -> str:
    if found := _UNDECLARED.fullmatch(message):
        return f"unknown name {found[1]!r}.{unknown(found[1], known)}".removesuffix(".")
    if found := _OVERLOAD.fullmatch(message):
        operator = _OPERATOR.fullmatch(found[1])
        name = operator[1] if operator else found[1]
        return f"{name!r} cannot be used with ({found[2]})"
    if found := _SYNTAX.fullmatch(message):
        return f"is no expression: {_unexpected(found[1])}"
    return message


def _unexpected(message: str) -> str:
    if found := _EXPECTED.fullmatch(message):
        return "it ends too soon" if found[1] == "<EOF>" else f"unexpected {found[1]!r}"
    if found := _UNREADABLE.fullmatch(message):
        return f"cannot read {found[1]!r}"
    return message
