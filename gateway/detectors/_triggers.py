"""Triggers made from patterns, so that they are a superset by construction.

A trigger is the start of a pattern: everything that only narrows it (look-around, word
boundaries, back-references) is dropped or widened, and it ends as early as the pattern
allows. Whatever the pattern matches, its trigger matches from the same start and no
longer. Classes are written for folded text (`_fold`), where "?" stands for any other
character and "-" may have been a letter.
"""

from __future__ import annotations

import re
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from gateway.core.errors import ConfigError
from gateway.core.ports import Trigger

MIN_CHARS = 2
# How far a trigger goes into what it announces, and how long what leads up to it may be.
MAX_CHARS = 64
MAX_BEFORE_CHARS = 1_000

_ANY = r"[\x00-\x7f]"
_CATEGORIES = {
    sre.CATEGORY_DIGIT: "0-9",
    sre.CATEGORY_SPACE: r"\t-\r\x1c- ",
    sre.CATEGORY_WORD: r"0-9A-Za-z_?\-",
}


def trigger(hint: str, pattern: str, flags: int = 0, *, before_chars: int = 0) -> Trigger:
    """The trigger of a pattern; findings start where it matches or up to before_chars earlier.

    pattern: in the syntax of `re`. If it has a group `secret`, findings start with that, and
    the trigger reaches into it.
    Raises ConfigError if no bounded start of it is long enough: such a detector needs a
    trigger written by hand.
    """
    tree = parser.parse(pattern, flags)
    emitter = _Emitter()
    before, after = emitter.emit(tree.data, tree.state.groupdict.get("secret"))
    text = before + after
    if not after or parser.parse(text).getwidth()[0] < MIN_CHARS:
        raise ConfigError(
            f"{hint}: the pattern is open-ended before it is {MIN_CHARS} characters long or "
            "before its secret begins; bound its repeats or give it a trigger of its own."
        )
    ignore_case = emitter.ignore_case or bool(tree.state.flags & re.IGNORECASE)
    return Trigger(hint, text, _width(after) + before_chars, ignore_case)


class _Emitter:
    """Writes a parsed pattern again, widened; stops where it is open-ended or long enough."""

    def __init__(self) -> None:
        self._groups: dict[int, str] = {}
        self._left = MAX_CHARS
        self.ignore_case = False

    def emit(self, items: Any, secret: int | None) -> tuple[str, str]:
        """The text before the secret and that from its start on; all of it if there is none."""
        items = _early(items)
        at = 0
        if secret is not None:
            at = next(
                (i for i, (op, v) in enumerate(items) if _is_group(op, v, secret)), len(items)
            )
        self._left = MAX_BEFORE_CHARS if at else MAX_CHARS
        before, whole = self._sequence(items[:at])
        self._left = MAX_CHARS
        return before, self._sequence(items[at:])[0] if whole else ""

    def _sequence(self, items: list[tuple[Any, Any]]) -> tuple[str, bool]:
        """The text, and whether it stands for the whole sequence."""
        out = []
        for op, value in items:
            text, whole = self._item(op, value)
            out.append(text)
            if not whole:
                return "".join(out), False
        return "".join(out), True

    def _item(self, op: Any, value: Any) -> tuple[str, bool]:
        if op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            return "", True
        if op in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            self._left -= 1
            return _character(op, value), True
        if op is sre.BRANCH:
            return self._branch(value[1])
        if op is sre.SUBPATTERN:
            self.ignore_case |= bool(value[1] & re.IGNORECASE)
            return self._group(value[0], value[3])
        if op is sre.ATOMIC_GROUP:
            return self._group(None, value)
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            return self._repeat(*value)
        if op is sre.GROUPREF and value in self._groups:
            return self._groups[value], True
        return "", False

    def _group(self, number: int | None, items: Any) -> tuple[str, bool]:
        text, whole = self._sequence(list(items))
        text = f"(?:{text})"
        if number is not None and whole:
            self._groups[number] = text
        return text, whole

    def _branch(self, branches: list[Any]) -> tuple[str, bool]:
        parts, least = [], self._left
        start = self._left
        for branch in branches:
            self._left = start
            parts.append(self._sequence(list(branch)))
            least = min(least, self._left)
        self._left = least
        return "(?:" + "|".join(text for text, _ in parts) + ")", all(whole for _, whole in parts)

    def _repeat(self, low: int, high: Any, items: Any) -> tuple[str, bool]:
        left = self._left
        text, whole = self._sequence(list(items))
        if not whole:
            return (f"(?:{text})", False) if low else ("", False)
        width = max(1, _width(text))
        if high is sre.MAXREPEAT or width * high > left:
            copies = min(low, left // width)
            return (f"(?:{text}){{{copies}}}" if copies > 0 else ""), False
        self._left = left - width * int(high)
        return f"(?:{text}){{{low},{high}}}", True


def _width(text: str) -> int:
    """The longest match of a bounded pattern, in characters."""
    return int(parser.parse(text).getwidth()[1])


def _is_group(op: Any, value: Any, number: int) -> bool:
    return op is sre.SUBPATTERN and value[0] == number


def _character(op: Any, value: Any) -> str:
    if op is sre.LITERAL:
        return _literal(value)
    return _charset(value) if op is sre.IN else _ANY


def _early(items: Any) -> list[tuple[Any, Any]]:
    """The sequence without what may be missing at its end: matches end as early as they can."""
    out = list(items)
    while out:
        op, value = out[-1]
        if op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            out.pop()
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            low, _, inner = value
            out.pop()
            if low:
                out.append((sre.MAX_REPEAT, (low, low, inner)))
                break
        elif op is sre.SUBPATTERN:
            group, add, remove, inner = value
            out.pop()
            short = _early(inner)
            if short:
                out.append((sre.SUBPATTERN, (group, add, remove, short)))
                break
        else:
            break
    return out


def _literal(code: int) -> str:
    return re.escape(chr(code)) if code < 0x80 else r"\?"


def _charset(items: list[tuple[Any, Any]]) -> str:
    out = []
    for op, value in items:
        if op is sre.LITERAL:
            out.append(_member(value))
        elif op is sre.RANGE and value[1] < 0x80:
            out.append(f"{_member(value[0])}-{_member(value[1])}")
        elif op is sre.CATEGORY and value in _CATEGORIES:
            out.append(_CATEGORIES[value])
        else:  # a negation, or a range beyond ASCII
            return _ANY
    return f"[{''.join(out)}]"


def _member(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x80 else r"\x3f"
