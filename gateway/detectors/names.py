"""Names of people and places, by a small model of our own for eight languages.

A model errs: names are for masking, not a reason to block. What it was trained on, what it
finds and what it misses is in docs/models.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.core.judgement import Finding
from gateway.detectors._options import check_keys, chosen, words
from gateway.detectors._tags import TYPES

WEIGHTS = Path(__file__).parent / "weights" / "names.npz"
SHA256 = "6e49edff71bc415c36ad912c19b1791dba307cecc69a5dfc0ef5b2eaed3af2bd"
DEFAULT_ENTITIES = ("PERSON", "LOCATION", "SEX", "RELATIVE", "OCCUPATION")
# More likely than not; nothing was tuned.
THRESHOLDS: Mapping[str, float] = MappingProxyType(dict.fromkeys(TYPES, 0.5))
_POSTCODE = re.compile(r"(?=(?:\d[- ]?){4,9}$)\d{2,8}(?:[- ]\d{2,4})?")
# How far an e-mail or web address is looked for around a finding.
_ADDRESS_CHARS = 64

Spot = Callable[[Sequence[str]], Sequence[Sequence[Any]]]


def build(options: Mapping[str, Any]) -> Names:
    """entities: some of those that the model knows; allow: harmless literals."""
    check_keys("names", options, ("entities", "allow"))
    named = words("names", options, "entities")
    return Names(
        chosen("names", "entities", DEFAULT_ENTITIES if named is None else named, TYPES),
        allow=words("names", options, "allow") or (),
    )


class Names:
    """The detector. It has no triggers: a name can stand anywhere."""

    name = "names"
    version = f"names {SHA256[:12]}"
    thresholds = THRESHOLDS

    def __init__(self, entities: Sequence[str], *, allow: Sequence[str]) -> None:
        self.categories = frozenset(entities)
        self._allow = frozenset(text.casefold() for text in allow)
        self._spot: Spot = _not_loaded

    def load(self) -> None:
        """Imports numpy and reads the weights: some 10 ms after that."""
        from gateway.detectors import _tagger  # noqa: PLC0415

        weights = _tagger.read(WEIGHTS, sha256=SHA256)
        self._spot = lambda texts: _tagger.spot(weights, texts)

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """Names in each text, also faint ones."""
        return [
            [finding for each in found if (finding := self._finding(text, each))]
            for text, found in zip(texts, self._spot(texts), strict=True)
        ]

    def _finding(self, text: str, spotted: Any) -> Finding | None:
        start, end = _trimmed(text, spotted.start, spotted.end)
        if (
            spotted.type not in self.categories
            or not _possible(text[start:end], spotted.type)
            or text[start:end].casefold() in self._allow
            or _in_address(text, start, end)
        ):
            return None
        return Finding(self.name, spotted.type, start, end, spotted.score)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without marks and spaces at its edges."""
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return start, end


def _possible(words: str, category: str) -> bool:
    """Not one character, but for a sex; and of numbers alone only what could be a postcode."""
    if any(c.isalpha() for c in words):
        return len(words) > 1 or category == "SEX"
    if category == "LOCATION":
        return _POSTCODE.fullmatch(words) is not None
    return bool(words) and category != "PERSON"


def _in_address(text: str, start: int, end: int) -> bool:
    """Whether it is part of an e-mail or web address, which others find as a whole."""
    first, last = start, end
    while first > max(0, start - _ADDRESS_CHARS) and _joins(text[first - 1]):
        first -= 1
    while last < min(len(text), end + _ADDRESS_CHARS) and _joins(text[last]):
        last += 1
    whole = text[first:last]
    return "@" in whole or "://" in whole


def _joins(char: str) -> bool:
    return char.isalnum() or char in "._%+-@/:"


def _not_loaded(texts: Sequence[str]) -> Sequence[Sequence[Any]]:
    raise RuntimeError("load() comes first")
