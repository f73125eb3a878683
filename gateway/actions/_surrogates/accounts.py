"""Bank accounts that no bank has: their check digits are such as no account's can be.

ISO 13616-1 makes the check digits of an IBAN by ISO/IEC 7064, MOD 97-10, which gives 02 to 98;
00 is never right.
"""

from __future__ import annotations

import re

from gateway.actions._surrogates.drawing import Draw, Pick

_FORM = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9 \u00a0-]{10,}", re.IGNORECASE)
_NEVER = "00"
_MOST = 16


def iban(original: str, pick: Pick) -> str | None:
    """Another account of the same country and length, in the same groups."""
    if not _FORM.fullmatch(original):
        return None

    def candidate(draw: Draw, n: int) -> str | None:
        if n >= _MOST:
            return None
        rest = "".join(_like(char, draw, n) for char in original[4:])
        return original[:2] + _NEVER + rest

    return pick("iban", original, candidate)


def _like(char: str, draw: Draw, n: int) -> str:
    if char.isdigit():
        return str((draw.below(10) + n) % 10)
    if not char.isalpha():
        return char
    letter = chr(ord("A") + (draw.below(26) + n) % 26)
    return letter if char.isupper() else letter.lower()
