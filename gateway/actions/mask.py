"""mask: asterisks in place of characters, so that the shape remains readable.

What stays readable, and no more:

- CREDIT_CARD of 13 to 19 digits: the last 4 digits. PCI DSS 4.0.1, requirement 3.4.1,
  would let the first six stay too; keeping them makes guessing the rest easy.
- IBAN_CODE of at least 16 characters: the last 4.
- PHONE_NUMBER of at least 8 digits: the last 2.
- EMAIL_ADDRESS: the domain, and the first letter if at least 4 stand before the "@".
- anything else: white space alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.judgement import Effect
from gateway.core.ports import Vault

_STAR = "*"
_MIN_LOCAL = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """How a value of letters and digits is masked: separators and its last characters stay.

    last: how many letters or digits stay at the end.
    shortest, longest: a value with fewer or more of them is masked whole.
    """

    last: int
    shortest: int
    longest: int


_SHAPES = {
    "CREDIT_CARD": Shape(last=4, shortest=13, longest=19),
    "IBAN_CODE": Shape(last=4, shortest=16, longest=34),
    "PHONE_NUMBER": Shape(last=2, shortest=8, longest=20),
}
_SEPARATORS = frozenset(" -./()+\u00a0")


class Member:
    """Replaces characters by asterisks; what stays depends on the category."""

    name = "mask"
    changes_text = True
    stops = False
    holds = False
    reroutes = False
    strictness = 50

    def replacement(self, text: str, effect: Effect, vault: Vault) -> str:
        """The masked text, as long as the original.

        A stretch that is more than the finding alone holds something else as well: then
        nothing of it stays.
        """
        finding = effect.finding
        if len(text) != finding.end - finding.start:
            return _hide(text)
        if finding.category == "EMAIL_ADDRESS":
            return _email(text)
        shape = _SHAPES.get(finding.category)
        return _shaped(text, shape) if shape else _hide(text)


def _hide(text: str) -> str:
    return "".join(char if char.isspace() else _STAR for char in text)


def _shaped(text: str, shape: Shape) -> str:
    count = sum(char not in _SEPARATORS for char in text)
    if not shape.shortest <= count <= shape.longest:
        return _hide(text)
    hidden = count - shape.last
    out = []
    for char in text:
        if char in _SEPARATORS:
            out.append(char)
            continue
        out.append(_STAR if hidden > 0 else char)
        hidden -= 1
    return "".join(out)


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at:
        return _hide(text)
    first = local[0] if len(local) >= _MIN_LOCAL else ""
    return first + _STAR * (len(local) - len(first)) + at + domain
