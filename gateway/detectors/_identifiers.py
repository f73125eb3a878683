"""Identifiers that are described here: a form, a check digit, and the words beside them.

For what presidio-analyzer has no recogniser for, and for what its recognisers miss. Which
there are is in `_national`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.detectors._check_digits import Check
from gateway.detectors._reading import Found, Reading

# A form's "~" stands for one of these or nothing.
_SEPARATOR = r"[ \u00a0\u202f./\-]?"
# Not within a longer word, number, date, decimal fraction or UUID.
_BEFORE = r"(?<![\w@#%])(?<![0-9][-.:/])(?<![0-9A-Fa-f]{4}-)"
_AFTER = r"(?!\w|[-.:/][0-9]|@\w)"
SEPARATORS = re.compile(r"[^0-9A-Za-z]+")
CHECKED = 1.0
LABELLED = 0.75
# What has no check digit must stand close to the words that explain it.
CLOSE_CHARS = 40
_LONG_NUMBER = re.compile(r"[0-9][0-9 .-]{4,}[0-9]")


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write an identifier.

    entity: its category. country: whose it is; empty for everyone's. pattern: in the syntax
    of `re`; "~" is an optional separator. labels: words that say what it is, parted by "|".
    alone: its score without any of them; 0 if it needs one.
    any_case: whether small letters will do. few_digits: whether it may hold less than seven
    digits in a row, separators aside, so that it needs a trigger of its own.
    """

    entity: str
    country: str
    pattern: str
    labels: str = ""
    check: Check | None = None
    alone: float = 0.0
    any_case: bool = False
    few_digits: bool = False


class Identifier:
    """Finds one form."""

    def __init__(self, form: Form) -> None:
        self.entity = form.entity
        self._form = form
        self.pattern = form.pattern.replace("~", _SEPARATOR)
        flags = re.IGNORECASE if form.any_case else 0
        self._regex = re.compile(f"{_BEFORE}(?:{self.pattern}){_AFTER}", flags)

    @property
    def flags(self) -> int:
        """Flags of the pattern."""
        return self._regex.flags & re.IGNORECASE

    def find(self, reading: Reading) -> Iterator[Found]:
        """What stands in the text with its label, or passes its check and needs none."""
        if not self._form.alone and self.entity not in reading.labels.kinds:
            return
        for match in self._regex.finditer(reading.text):
            found = self._rated(match, reading)
            if found:
                yield found

    def _rated(self, match: re.Match[str], reading: Reading) -> Found | None:
        form, (start, end) = self._form, match.span()
        if form.check and not form.check(SEPARATORS.sub("", match.group()).upper()):
            return None
        gap = self._gap(reading, start, end)
        score = CHECKED if form.check else LABELLED
        if gap is None:
            score = form.alone
        if not score:
            return None
        return Found(start, end, score, checked=form.check is not None, gap=gap)

    def _gap(self, reading: Reading, start: int, end: int) -> int | None:
        if self._form.check:
            return reading.labels.gap(self.entity, start, end)
        gap = reading.labels.gap(self.entity, start, end, near_chars=CLOSE_CHARS)
        if gap is None or reading.labels.other(start, gap):
            return None
        # A label explains the number behind it, not the one after that.
        between = reading.text[max(0, start - gap) : start] if gap <= CLOSE_CHARS else ""
        return None if _LONG_NUMBER.search(between) else gap
