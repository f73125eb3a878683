"""Telephone numbers from ranges that no subscriber will ever have.

Where an authority has set numbers aside for films, a surrogate is one of these:

- North America: 555-0100 to 555-0199 in every area code (NANPA, "555 line numbers").
- United Kingdom: 07700 900000-900999, 020 7946 0000-0999, 01632 960000-960999 (Ofcom,
  "Telephone numbers for use in TV and radio drama programmes").
- Germany: 1,000 numbers in each of five cities, and 200 of mobile telephones
  (Bundesnetzagentur, Mitteilung 148/2021, "Drama Numbers").
- France: 01 99 00, 02 61 91, 03 53 01, 04 65 71, 05 36 49 and 06 39 98, each with four digits
  more (ARCEP, décision 2018-0881).

For any other country, or if the country cannot be told, there is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.actions._surrogates.drawing import Draw, Pick

_MOST = 100
_SIGNS = re.compile(r"[+0-9 ()./\u00a0-]+")


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers of one form. national: as dialled within the country, "#" for any digit.

    fits: which originals of this country it stands for, by their national digits.
    """

    national: str
    fits: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A country's: its code, its trunk prefix, and what is set aside in it.

    alone: what the digits of a number look like that names no country, so that it is this one's.
    """

    code: str
    trunk: str
    alone: str
    ranges: Sequence[Range]


_AREAS = ["212", "303", "312", "404", "415", "503", "602", "617", "702", "713", "808", "919"]
PLANS = (
    Plan("1", "", r"[2-9]\d{2}[2-9]\d{6}", [Range(f"{a}-555-01##", r"\d{10}") for a in _AREAS]),
    Plan(
        "44",
        "0",
        r"07\d{9}|020\d{8}|01[1-36-9]\d{8}",
        [
            Range("07700 900###", r"07\d{9}"),
            Range("020 7946 0###", r"020\d+"),
            Range("01632 960###", r"01\d+|02[1-9]\d+|03\d+"),
        ],
    ),
    Plan(
        "33",
        "0",
        r"0[1-9](?P<pairs>\d{8})",
        [
            Range("06 39 98 ## ##", r"0[67]\d{8}"),
            *(
                Range(f"{start} ## ##", rf"{start[:2]}\d{{8}}")
                for start in ("01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49")
            ),
        ],
    ),
    Plan(
        "49",
        "0",
        r"0(?:1[567]\d{8,9}|30\d{5,8}|40\d{5,8}|69\d{5,8}|89\d{5,8}|221\d{5,8})",
        [
            Range("0171 39200##", r"01[567]\d+"),
            Range("0176 040690##", r"01[567]\d+"),
            *(
                Range(f"{start}###", r"0[2-9]\d+")
                for start in ("030 23125", "069 90009", "040 66969", "0221 4710", "089 99998")
            ),
        ],
    ),
)
# French numbers are written in pairs; ten digits in another way may be of several countries.
_PAIRS = re.compile(r"0\d(?:[ .-]\d\d){4}|0\d{9}")


def phone_number(original: str, pick: Pick) -> str | None:
    """Another number of the same country, of the same kind of line where that can be told."""
    if not _SIGNS.fullmatch(original):
        return None
    digits = re.sub(r"\D", "", original)
    abroad = original.strip().startswith("+") or digits.startswith("00")
    plan, national = _plan(original, digits.removeprefix("00") if abroad else digits, abroad=abroad)
    ranges = [r for r in plan.ranges if re.fullmatch(r.fits, national)] if plan else []
    if plan is None or not ranges:
        return None

    def candidate(draw: Draw, n: int) -> str | None:
        form = ranges[(draw.below(len(ranges)) + n) % len(ranges)].national
        number = re.sub("#", lambda _: str((draw.below(10) + n) % 10), form)
        return _written(number, plan, original, abroad=abroad) if n < _MOST else None

    return pick("phone", original, candidate, like=f"{plan.code} {national}")


def _plan(original: str, digits: str, *, abroad: bool) -> tuple[Plan | None, str]:
    """The country's plan, and the number as it is dialled there."""
    if abroad:
        plan = next((p for p in PLANS if digits.startswith(p.code)), None)
        rest = digits[len(plan.code) :] if plan else ""
        return plan, (plan.trunk + rest.removeprefix(plan.trunk) if plan and plan.trunk else rest)
    for plan in PLANS:
        if re.fullmatch(plan.alone, digits) and (
            plan.code != "33" or _PAIRS.fullmatch(original.strip())
        ):
            return plan, digits
    return None, digits


def _written(national: str, plan: Plan, original: str, *, abroad: bool) -> str:
    number = national
    if abroad:
        sign = "+" if original.strip().startswith("+") else "00"
        number = f"{sign}{plan.code} {national.removeprefix(plan.trunk)}"
    return number if re.search(r"\d[^\d+]+\d", original) else re.sub(r"[^\d+]", "", number)
