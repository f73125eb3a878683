"""Places by their codes of two letters (ISO 3166-1), and the groups of them that terms name."""

from __future__ import annotations

from collections.abc import Iterable

# Treaty on European Union, Article 52, without the United Kingdom since 1 February 2020.
_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU = frozenset(_EU.split())
# Agreement on the European Economic Area: the EU with Iceland, Liechtenstein and Norway.
GROUPS = {"EU": EU, "EEA": EU | {"IS", "LI", "NO"}}
PATTERN = r"[A-Z]{2}|EEA"


def spelt_out(codes: Iterable[str]) -> frozenset[str]:
    """Each code, and each member of a group that is named."""
    return frozenset(member for code in codes for member in GROUPS.get(code, (code,)))
