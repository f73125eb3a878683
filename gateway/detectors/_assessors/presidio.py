"""A Presidio analyzer server: personal data, with the characters where it stands.

Shapes: Microsoft Presidio, API reference of the analyzer's POST /analyze (2.2, 2026). Offsets are
code points.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from gateway.core.calls import Outgoing
from gateway.core.ports import Submission
from gateway.cursor import Cursor
from gateway.detectors._assessors._answers import read
from gateway.detectors._assessors._method import Answered, Claim, Unclear

_ENTITY = r"[A-Z][A-Z0-9_]{0,62}"
# What a server reports that was set up with its defaults (presidio-analyzer 2.2.366).
ENTITIES = (
    "CREDIT_CARD",
    "CRYPTO",
    "DATE_TIME",
    "EMAIL_ADDRESS",
    "IBAN_CODE",
    "IP_ADDRESS",
    "LOCATION",
    "MEDICAL_LICENSE",
    "NRP",
    "PERSON",
    "PHONE_NUMBER",
    "URL",
    "US_BANK_NUMBER",
    "US_DRIVER_LICENSE",
    "US_ITIN",
    "US_PASSPORT",
    "US_SSN",
)


class _Entity(msgspec.Struct):
    entity_type: str
    start: Annotated[int, msgspec.Meta(ge=0)]
    end: Annotated[int, msgspec.Meta(ge=0)]
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]


def build(options: Cursor) -> Presidio:
    """Options: `language`, which the server is asked to read; `entities`, a list."""
    fields = options.fields(("language", "entities"))
    language = (
        fields["language"].text(r"[a-z]{2,3}", "a language") if "language" in fields else "en"
    )
    entities: Sequence[str] = ENTITIES
    if "entities" in fields:
        entities = [item.text(_ENTITY, "an entity type") for item in fields["entities"].items()]
    return Presidio(language, entities)


class Presidio:
    """Follows `Method`."""

    version = "1"
    dialect = ""
    of_model = False
    max_chars = 50_000
    batch = 1

    def __init__(self, language: str, entities: Sequence[str]) -> None:
        self.categories = frozenset(entities)
        self._asked: dict[str, Any] = {"language": language, "entities": [*entities]}

    def calls(self, submissions: Sequence[Submission], model: str) -> Sequence[Outgoing]:
        """One for each text."""
        bodies = [json.dumps({"text": s.text, **self._asked}).encode() for s in submissions]
        return [Outgoing(body, "service", "/analyze") for body in bodies]

    def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> Answered:
        """Raises Unclear for what was not asked for, and for what lies outside the text."""
        pairs = zip(submissions, bodies, strict=True)
        return Answered([self._claims(len(s.text), body) for s, body in pairs])

    def _claims(self, length: int, body: bytes) -> list[Claim]:
        found: list[_Entity] = read(body, list[_Entity])
        for each in found:
            if each.entity_type not in self.categories:
                raise Unclear("unknown_category")
            if not each.start < each.end <= length:
                raise Unclear("outside_the_text")
        return [Claim(e.entity_type, e.start, e.end, e.score) for e in found]
