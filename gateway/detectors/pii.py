"""Personal data that has a form: addresses, numbers and identifiers with check digits.

The definition is presidio-analyzer's: its recognisers, checks and context words. Which of
them, and how, is in `_recognisers`. Names and places are for `names`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from gateway.core.judgement import Finding
from gateway.core.ports import Trigger
from gateway.detectors._options import check_keys, chosen, share, words
from gateway.detectors._recognisers import (
    COUNTRIES,
    DEFAULT_COUNTRIES,
    ENTITIES,
    Recogniser,
    Words,
    recognisers,
    stop_words,
)

OPTIONS = ("entities", "countries", "min_score", "allow")


def build(options: Mapping[str, Any]) -> Pii:
    """entities: only these; countries: whose identifiers; min_score; allow: harmless literals."""
    check_keys("pii", options, OPTIONS)
    wanted = words("pii", options, "countries")
    countries = chosen(
        "pii", "countries", DEFAULT_COUNTRIES if wanted is None else wanted, COUNTRIES
    )
    named = words("pii", options, "entities")
    if named is not None:
        entities = chosen("pii", "entities", named, tuple(ENTITIES))
    else:
        entities = tuple(e for e, row in ENTITIES.items() if row.country in ("", *countries))
    return Pii(
        entities,
        min_score=share("pii", options, "min_score", 0.4),
        allow=words("pii", options, "allow") or (),
    )


class Pii:
    """The detector. allow: texts that are never findings, whatever their case."""

    name = "pii"

    def __init__(self, entities: Sequence[str], *, min_score: float, allow: Sequence[str]) -> None:
        self.version = f"presidio-analyzer {version('presidio-analyzer')}"
        self.categories = frozenset(entities)
        self._min_score = min_score
        self._allow = frozenset(text.casefold() for text in allow)
        self._stop_words: frozenset[str] = frozenset()
        self._recognisers: dict[str, Recogniser] = {}

    def load(self) -> Sequence[Trigger]:
        """Imports presidio-analyzer, which takes seconds."""
        self._stop_words = stop_words()
        self._recognisers = {r.entity: r for r in recognisers(sorted(self.categories))}
        return [trigger for r in self._recognisers.values() for trigger in r.triggers]

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """Runs the recognisers whose hints fired."""
        return [self._one(text, fired) for text, fired in zip(texts, hints, strict=True)]

    def _one(self, text: str, fired: Collection[str]) -> list[Finding]:
        words = Words(text, self._stop_words)
        return [
            Finding(self.name, entity, found.start, found.end, found.score)
            for entity in sorted(fired)
            for found in self._recognisers[entity].find(text, words)
            if found.score >= self._min_score
            and text[found.start : found.end].casefold() not in self._allow
        ]
