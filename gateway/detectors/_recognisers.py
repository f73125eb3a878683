"""All that can find personal data with a form: Presidio's recognisers, our own, and phones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from gateway.detectors._identifiers import LEAD_CHARS, TRIGGERS, Identifier
from gateway.detectors._labels import Vocabulary
from gateway.detectors._national import FORMS
from gateway.detectors._phones import ENTITY as PHONE
from gateway.detectors._phones import LABELS, REGIONS, Phones
from gateway.detectors._presidio import ROWS, wrap
from gateway.detectors._reading import Found, Reading
from gateway.detectors._triggers import trigger

# Whose identifier each entity is; empty for everyone's.
ENTITIES: dict[str, str] = {
    PHONE: "",
    **{entity: row.country for entity, row in ROWS.items()},
    **{form.entity: form.country for form in FORMS},
}
COUNTRIES = tuple(sorted(set(ENTITIES.values()) - {""}))
DEFAULT_COUNTRIES = (
    "at", "au", "be", "br", "ca", "ch", "de", "es", "fi", "fr", "ie", "in", "it", "nl", "pl", "pt",
    "se", "sg", "uk", "us",
)  # fmt: skip


class Recogniser(Protocol):
    """Finds one entity."""

    entity: str

    def find(self, reading: Reading) -> Iterable[Found]:
        """What it finds in a text."""


class Recognisers:
    """Those of some entities, by the hints of their triggers."""

    def __init__(self, entities: Collection[str], countries: Collection[str]) -> None:
        """Imports presidio-analyzer: seconds. countries: whose phone numbers are known."""
        wrapped = wrap(sorted(entities & ROWS.keys()))
        forms = [form for form in FORMS if form.entity in entities]
        self._by_hint: dict[str, list[Recogniser]] = {r.entity: [r] for r in wrapped}
        self.triggers = [trigger for r in wrapped for trigger in r.triggers]
        self.vocabulary = _vocabulary(entities)
        for form in forms:
            self._by_hint.setdefault(form.fires, []).append(Identifier(form))
        if PHONE in entities:
            regions = [REGIONS[country] for country in countries if country in REGIONS]
            self._by_hint.setdefault("number", []).append(Phones(regions))
        self.triggers += [
            trigger(hint, pattern, before_chars=LEAD_CHARS)
            for hint, pattern in TRIGGERS.items()
            if hint in self._by_hint
        ]

    def fired(self, hints: Iterable[str]) -> Iterator[Recogniser]:
        """Those that the triggers call for."""
        for hint in sorted(hints):
            yield from self._by_hint[hint]

    @property
    def hints(self) -> tuple[str, ...]:
        """All hints."""
        return tuple(sorted(self._by_hint))


def _vocabulary(entities: Collection[str]) -> Vocabulary:
    labels: dict[str, list[str]] = {PHONE: [LABELS]}
    for entity, row in ROWS.items():
        labels.setdefault(entity, []).append(row.labels)
    for form in FORMS:
        labels.setdefault(form.entity, []).append(form.labels)
    return Vocabulary({e: "|".join(said) for e, said in labels.items() if e in entities})
