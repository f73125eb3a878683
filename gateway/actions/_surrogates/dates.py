"""Dates, all moved by the same number of days, so that the time between them stays.

A date is moved only if it can be read in one way: with its year, and with day and month that
cannot be mistaken for each other. Any other has a placeholder.
"""

from __future__ import annotations

import re
from datetime import date as Date  # noqa: N812 - `date` is what this module makes
from datetime import timedelta

from gateway.actions._surrogates.drawing import Pick

MAX_DAYS = 364
# In the order of their numbers, as people write them in each language.
# fmt: off
_MONTHS = (
    ("January", "February", "March", "April", "May", "June", "July", "August", "September",
     "October", "November", "December"),
    ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
     "Oktober", "November", "Dezember"),
    ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
     "octobre", "novembre", "décembre"),
    ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
     "octubre", "noviembre", "diciembre"),
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
# fmt: on
_FORMS = tuple(
    re.compile(form)
    for form in (
        r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
        r"(?P<d>\d{1,2})(?P<s>\.) ?(?P<m>\d{1,2})(?P=s) ?(?P<y>\d{4})",
        r"(?P<d>1[3-9]|2\d|3[01])(?P<s>[/-])(?P<m>\d{1,2})(?P=s)(?P<y>\d{4})",
        r"(?P<m>\d{1,2})(?P<s>[/-])(?P<d>1[3-9]|2\d|3[01])(?P=s)(?P<y>\d{4})",
        r"(?P<d>\d{1,2})(?:\.|st|nd|rd|th)? (?:de )?(?P<w>[^\W\d_]+)\.? (?:de )?(?P<y>\d{4})",
        r"(?P<w>[^\W\d_]+)\.? (?P<d>\d{1,2}),? (?P<y>\d{4})",
    )
)


def date(original: str, pick: Pick) -> str | None:
    """The date so many days later or earlier, written in the same way."""
    match = next((found for form in _FORMS if (found := form.fullmatch(original))), None)
    new = _moved(match, _months(match), pick.days(MAX_DAYS)) if match else None
    return new and pick("date", original, lambda _, n: None if n else new)


def _months(match: re.Match[str]) -> tuple[str, ...]:
    word = match.groupdict().get("w") or ""
    named = (names for names in _MONTHS if word.casefold() in map(str.casefold, names))
    return next(named, ())


def _moved(match: re.Match[str], months: tuple[str, ...], days: int) -> str | None:
    found = match.groupdict()
    if "w" in found and not months:
        return None
    folded = [name.casefold() for name in months]
    month = folded.index(found["w"].casefold()) + 1 if months else int(found["m"])
    try:
        then = Date(int(found["y"]), month, int(found["d"])) + timedelta(days)
    except (ValueError, OverflowError):
        return None
    new = {"y": f"{then.year:04}", "d": f"{then.day:0{_width(found['d'])}}"}
    if months:
        new["w"] = _cased(months[then.month - 1], found["w"])
    else:
        new["m"] = f"{then.month:0{_width(found['m'])}}"
    out: list[str] = []
    done = 0
    for at, name in sorted((match.start(name), name) for name in new):
        out += (match.string[done:at], new[name])
        done = match.end(name)
    return "".join(out) + match.string[done:]


def _width(written: str) -> int:
    """How many digits to write at least: two only if a nought says so, or it cannot be told."""
    return 1 if len(written) == 1 else 2


def _cased(name: str, like: str) -> str:
    if like.isupper():
        return name.upper()
    return name.lower() if like.islower() else name.capitalize()
