"""Personal data that has a form: addresses, numbers and identifiers with check digits.

presidio-analyzer's recognisers with their checks and context words (`_presidio`), and beside
them our own for identifiers that it does not know or often misses (`_national`, `_phones`).
Names and places are for `names`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from gateway.core.judgement import Finding
from gateway.core.ports import Trigger
from gateway.detectors._options import check_keys, chosen, share, words
from gateway.detectors._overlaps import settled
from gateway.detectors._presidio import stop_words
from gateway.detectors._reading import Reading
from gateway.detectors._recognisers import COUNTRIES, DEFAULT_COUNTRIES, ENTITIES, Recognisers

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
        entities = tuple(e for e, country in ENTITIES.items() if country in ("", *countries))
    return Pii(
        entities,
        countries,
        min_score=share("pii", options, "min_score", 0.4),
        allow=words("pii", options, "allow") or (),
    )


class Pii:
    """The detector. allow: texts that are never findings, whatever their case.

    thresholds: `min_score`, for each category.
    """

    name = "pii"

    def __init__(
        self,
        entities: Sequence[str],
        countries: Sequence[str],
        *,
        min_score: float,
        allow: Sequence[str],
    ) -> None:
        self.version = f"presidio-analyzer {version('presidio-analyzer')}"
        self.categories = frozenset(entities)
        self._countries = tuple(countries)
        self.thresholds = dict.fromkeys(entities, min_score)
        self._allow = frozenset(text.casefold() for text in allow)
        self._stop_words: frozenset[str] = frozenset()
        self._recognisers: Recognisers | None = None

    def load(self) -> Sequence[Trigger]:
        """Imports presidio-analyzer, which takes seconds."""
        self._stop_words = stop_words()
        self._recognisers = Recognisers(self.categories, self._countries)
        return self._recognisers.triggers

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """Runs the recognisers whose hints fired; also what is faint is told."""
        if self._recognisers is None:
            raise RuntimeError("the detector is not loaded")
        return [
            self._one(text, self._recognisers, fired)
            for text, fired in zip(texts, hints, strict=True)
        ]

    def _one(self, text: str, recognisers: Recognisers, fired: Collection[str]) -> list[Finding]:
        if not fired:
            return []
        reading = Reading(text, recognisers.vocabulary, self._stop_words)
        claims = (
            (recogniser.entity, found)
            for recogniser in recognisers.fired(fired)
            for found in recogniser.find(reading)
        )
        return [
            Finding(self.name, entity, found.start, found.end, found.score)
            for entity, found in settled(claims)
            if text[found.start : found.end].casefold() not in self._allow
        ]
