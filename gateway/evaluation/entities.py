"""Types of personal data as they are counted: which are one, which are not counted, which group.

Data sets and detectors cut the world differently. Where the gateway does the same with a city
and a street, they are one type here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LOCATION = "LOCATION"
_ONE: Mapping[str, str] = {
    **dict.fromkeys(
        ("GPE", "LOC", "FAC", "CITY", "STATE", "COUNTRY", "STREET", "STREET_ADDRESS", "ADDRESS"),
        LOCATION,
    ),
    **dict.fromkeys(
        ("ZIP", "ZIP_CODE", "POSTCODE", "UK_POSTCODE", "DE_PLZ", "CA_POSTAL_CODE"), LOCATION
    ),
    "ABA_ROUTING": "ABA_ROUTING_NUMBER",
    "DOMAIN_NAME": "URL",
}
# Neither rewarded nor punished: whether they are personal is a matter of taste, and data sets
# differ in what they mark.
NEUTRAL = frozenset(
    {
        "ORGANIZATION",
        "DATE_TIME",
        "AGE",
        "NRP",
        "URL",
        "PROFESSIONAL_ID",
        "MEDICAL_ID",
        "MEDICAL_LICENSE",
        "US_NPI",
    }
)
NAMES = frozenset({"PERSON", LOCATION})
# Words about a person that no pattern and no model of names looks for.
_WORDS = frozenset({"SEX", "RELATIVE", "OCCUPATION", "TITLE", "OTHER"})
ALL, WITH_A_FORM, NAMES_AND_PLACES = "all", "with a form", "names and places"

GAP_CHARS = 3
_GAP = re.compile(r"\W*")


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """The characters [start, end) of a text, and the type that they are counted as."""

    start: int
    end: int
    type: str


def coarse(type_: str) -> str:
    """The type that this one is counted as."""
    return _ONE.get(type_, type_)


def groups(type_: str) -> tuple[str, ...]:
    """The groups of types that a coarse type belongs to."""
    if type_ in NAMES:
        return ALL, NAMES_AND_PLACES
    return (ALL,) if type_ in _WORDS else (ALL, WITH_A_FORM)


def counted(entities: Iterable[Entity]) -> list[Entity]:
    """Those that count, under their coarse types, in order of place."""
    coarsened = (Entity(e.start, e.end, coarse(e.type)) for e in entities)
    return sorted(e for e in coarsened if e.type not in NEUTRAL)


def merged(text: str, entities: Iterable[Entity]) -> list[Entity]:
    """Neighbours of one type made one: at most three characters apart, none of a word.

    A first name and a surname, a street and a town: found in two pieces, they are found.
    """
    out: list[Entity] = []
    last: dict[str, int] = {}
    for entity in sorted(entities):
        at = last.get(entity.type)
        if at is not None and _adjacent(text, out[at].end, entity.start):
            out[at] = Entity(out[at].start, max(out[at].end, entity.end), entity.type)
        else:
            last[entity.type] = len(out)
            out.append(entity)
    return out


def _adjacent(text: str, end: int, start: int) -> bool:
    return start - end <= GAP_CHARS and (
        start <= end or _GAP.fullmatch(text, end, start) is not None
    )


def trimmed(text: str, entity: Entity) -> Entity:
    """Without white space and punctuation (Unicode's categories P) at its edges."""
    start, end = entity.start, entity.end
    while start < end and _edge(text[start]):
        start += 1
    while end > start and _edge(text[end - 1]):
        end -= 1
    return Entity(start, end, entity.type)


def _edge(char: str) -> bool:
    return char.isspace() or unicodedata.category(char).startswith("P")
