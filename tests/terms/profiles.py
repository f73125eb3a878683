"""Profiles and principals that tests of terms say often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway import documents, taxonomy
from gateway.core.judgement import Principal, Route
from gateway.terms.ledger import Acceptance, Approval, Attestation, Whose
from gateway.terms.profile import Profile
from gateway.terms.reading import read
from gateway.terms.standing import DAY_MS

HAZARDS = taxonomy.load().categories()
WHO = Principal("k1", "carol", tenant="acme", application="shop")
TEXT = frozenset({"text"})
ONE = """\
apiVersion: gateway/terms/v1
kind: TermsProfile
metadata: {id: maker/one, rev: "1", status: draft, title: One, summary: Of one.}
sources:
  - {title: The One Licence, kind: license, date: 2025-04-05, certainty: verified}
applies_to: {providers: ["*"], models: ["one*"]}
license: {class: community}
acceptance: {required: true, grace_days: 10}
clauses:
  - id: eu
    reference: Section 4
    class: enforce
    certainty: verified
    summary: Not in the EU.
    modalities: [image]
    regions: {deny: [EU], of: licensee}
  - id: notice
    reference: Section 1
    class: attest
    certainty: verified
    summary: Shows a notice.
    attests: ui_shows_one
  - id: hate
    reference: Section 2
    class: detect
    certainty: verified
    summary: No hate.
    hazards: [hate]
    action: block
notices:
  - {id: built, clause: notice, text: Built with One, where: ui}
"""


def profile(text: str = ONE, **changes: str) -> Profile:
    """The profile of a text in which words are replaced. A key's `_` stands for a blank."""
    for old, new in changes.items():
        assert old.replace("_", " ") in text, old
        text = text.replace(old.replace("_", " "), new)
    (document,) = documents.parse(text.encode(), "p.yaml")
    return read(document, HAZARDS)


def route(model: str = "one", *terms: str, **facts: Any) -> Route:
    return Route(model, model, "b", "maker", terms=terms or ("maker/one",), **facts)


@dataclass
class Clock:
    """Stands at a day that tests choose."""

    day: float = 1_000

    def now_ms(self) -> int:
        return round(self.day * DAY_MS)

    def monotonic_ms(self) -> float:
        return float(self.now_ms())


def approval(of: Profile, day: int, document: str, id_: str = "") -> Approval:
    name = id_ or f"approval-{of.rev}"
    return Approval(name, of.id, of.rev, of.digest, document, "legal", day * DAY_MS)


def acceptance(of: Profile, whose: Whose, day: int, **more: int) -> Acceptance:
    name = f"accepted-{of.rev}-{whose.level}-{day}"
    facts = (whose.tenant, whose.application, whose.key_id, of.id, of.rev, of.digest)
    return Acceptance(name, *facts, "legal", "head of legal", day * DAY_MS, **more)


def attestation(name: str, whose: Whose, day: int, value: str = "", **more: int) -> Attestation:
    facts = (whose.tenant, whose.application, whose.key_id, name, value)
    id_ = f"attested-{name}-{whose.level}-{day}"
    return Attestation(id_, *facts, "legal", "head of legal", day * DAY_MS, **more)
