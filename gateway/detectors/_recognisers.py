"""All that can find personal data with a form: Presidio's recognisers, our own, and phones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from gateway.core.ports import Trigger
from gateway.detectors._identifiers import Form, Identifier
from gateway.detectors._labels import Vocabulary
from gateway.detectors._national import FORMS
from gateway.detectors._phones import ENTITY as PHONE
from gateway.detectors._phones import LABELS, MIN_DIGITS, REGIONS, Phones
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

# All forms that hold at least seven digits share one trigger, which fires on the seventh.
NUMBER = "number"
# Letters of a form, or brackets and plus signs, that may stand before its first digit.
NUMBER_LEAD_CHARS = 12
_BETWEEN = r"[-x./~()\[\]\s+]{0,4}"


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
        phones = [Phones([REGIONS[c] for c in countries if c in REGIONS])]
        self._by_hint: dict[str, list[Recogniser]] = {r.entity: [r] for r in wrapped}
        self.triggers = [trigger for r in wrapped for trigger in r.triggers]
        self.vocabulary = _vocabulary(entities)
        for form in forms:
            self._add(form)
        if PHONE in entities:
            self._by_hint.setdefault(NUMBER, []).extend(phones)
        if NUMBER in self._by_hint:
            self.triggers.append(_number_trigger())

    def fired(self, hints: Iterable[str]) -> Iterator[Recogniser]:
        """Those that the triggers call for."""
        for hint in sorted(hints):
            yield from self._by_hint[hint]

    @property
    def hints(self) -> tuple[str, ...]:
        """All hints."""
        return tuple(sorted(self._by_hint))

    def _add(self, form: Form) -> None:
        identifier = Identifier(form)
        if form.few_digits:
            self.triggers.append(trigger(form.entity, identifier.pattern, identifier.flags))
        hint = form.entity if form.few_digits else NUMBER
        self._by_hint.setdefault(hint, []).append(identifier)


def _vocabulary(entities: Collection[str]) -> Vocabulary:
    labels: dict[str, list[str]] = {PHONE: [LABELS]}
    for entity, row in ROWS.items():
        labels.setdefault(entity, []).append(row.labels)
    for form in FORMS:
        labels.setdefault(form.entity, []).append(form.labels)
    return Vocabulary({e: "|".join(said) for e, said in labels.items() if e in entities})


def _number_trigger() -> Trigger:
    """Fires on the seventh digit, with at most four marks between two digits."""
    pattern = rf"[0-9](?:{_BETWEEN}[0-9]){{{MIN_DIGITS - 1}}}"
    return trigger(NUMBER, pattern, re.IGNORECASE, before_chars=NUMBER_LEAD_CHARS)
