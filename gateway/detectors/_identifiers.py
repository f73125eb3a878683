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


# What our forms hold, in few patterns that stand on digits: hyperscan passes over text without
# any at next to no cost, and a pattern for each form would make it compile for minutes.
_BETWEEN = r"[-x./~()\[\]\s+]{0,4}"
MIN_DIGITS = 7
# The most that stands in a form before what its trigger matches, and the longest such match.
LEAD_CHARS = 20
TRIGGERS = {
    # The seventh digit, with at most four marks between two: all numbers of that length.
    "number": rf"[0-9](?:{_BETWEEN}[0-9]){{{MIN_DIGITS - 1}}}",
    "run": r"[0-9]{5}|[0-9]{3}[- ][0-9]{3}",
    "code": r"[0-9A-Z]{8}[0-9]",
    "pairs": r"[0-9]{2}[- ][0-9]{2}[- ][0-9]{2}",
    "day": r"[0-9][./-][0-9]{1,2}[./-][0-9]",
    "plate": r"[A-Z]{2}[- ]?[0-9]|[0-9]{2,4}[- ]?[A-Z]{2}|[A-Z\xc4\xd6\xdc]-[A-Z]{1,2}[- ]?[0-9]"
    r"|[0-9][A-Z]{3}[0-9]|[0-9]-[A-Z]{2,3}-[0-9]",
    "bic": r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9]",
    "slash": r"/[0-9A-Z]{4}-[0-9]{2}",
    "corsica": r"2[ABab][ \xa0\u202f./-]?[0-9]{3}",
    "fiscal": r"[0-9]{2}[A-EHLMPRSTa-ehlmprst][0-9]{2}",
    "register": r"HR[AB] ?[0-9]{3}",
}


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write an identifier.

    entity: its category. country: whose it is; empty for everyone's. pattern: in the syntax
    of `re`; "~" is an optional separator. labels: words that say what it is, parted by "|".
    alone: its score without any of them; 0 if it needs one.
    any_case: whether small letters will do. fires: the name of the trigger in `TRIGGERS` that
    is in all that the pattern matches.
    """

    entity: str
    country: str
    pattern: str
    labels: str = ""
    check: Check | None = None
    alone: float = 0.0
    any_case: bool = False
    fires: str = "number"


class Identifier:
    """Finds one form."""

    def __init__(self, form: Form) -> None:
        self.entity = form.entity
        self._form = form
        pattern = form.pattern.replace("~", _SEPARATOR)
        # For ASCII alone: "ſ" is "s" when case is ignored, and no check digit counts with it.
        scope = "ai" if form.any_case else "a"
        self.regex = re.compile(f"{_BEFORE}(?{scope}:{pattern}){_AFTER}")

    def find(self, reading: Reading) -> Iterator[Found]:
        """What stands in the text with its label, or passes its check and needs none."""
        if not self._form.alone and self.entity not in reading.labels.kinds:
            return
        for match in self.regex.finditer(reading.text):
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
