"""E-mail addresses, under a domain that is reserved for examples (RFC 2606, section 3)."""

from __future__ import annotations

import re

from gateway.actions._surrogates.drawing import Draw, Pick
from gateway.actions._surrogates.names import FAMILY, GIVEN

RESERVED = "example.com"
_MOST = 64


def mail_address(original: str, pick: Pick) -> str | None:
    """Another address; who shared a domain still does, and a name is still one or two words."""
    local, at, domain = original.rpartition("@")
    if not local or not at or not domain:
        return None
    house = pick("domain", domain, _domain, like=domain.casefold())
    separator = re.search(r"[._+-]", local)

    def candidate(draw: Draw, n: int) -> str | None:
        given = GIVEN[(draw.below(len(GIVEN)) + n) % len(GIVEN)].lower()
        family = FAMILY[(draw.below(len(FAMILY)) + n) % len(FAMILY)].lower()
        name = f"{given}{separator.group()}{family}" if separator else f"{given[0]}{family}"
        digits = draw.digits(2) if local[-1].isdigit() else ""
        return f"{name}{digits}@{house}" if n < _MOST else None

    return None if house is None else pick("mail", original, candidate, like=original.casefold())


def _domain(draw: Draw, n: int) -> str | None:
    label = FAMILY[(draw.below(len(FAMILY)) + n) % len(FAMILY)].lower()
    return f"{label}.{RESERVED}" if n < len(FAMILY) else None
