"""What a terms profile says, once it has been read: plain values without files and lines.

A profile is a person's reading of documents, clause by clause, in the reader's own words. It is
no legal advice, and it binds nobody before somebody has approved it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.core.canonical import digest

API_VERSION = "gateway/terms/v1"
KIND = "TermsProfile"


class Certainty(StrEnum):
    """How sure the reader is of a clause or document."""

    VERIFIED = "verified"
    REPORTED = "reported"
    UNCLEAR = "unclear"


class Class(StrEnum):
    """What a gateway can do about a clause."""

    ENFORCE = "enforce"
    DETECT = "detect"
    ATTEST = "attest"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Source:
    """A document that was read. sha256: of the text as it was read; empty if not known."""

    title: str
    kind: str
    url: str
    date: str
    certainty: Certainty
    sha256: str = ""
    retrieved: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What must be shown. where: ui (to users), docs, or distribution (with copies of weights)."""

    id: str
    clause: str
    text: str
    where: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that the documents ask for.

    id: in rules and records. reference: where it stands, as the document counts.
    hazards: ids of the taxonomy it is about. domains: of life, as the document names them.
    modalities: it counts only for requests with one of these; empty: for all.
    action, min_score: about texts on the hazards. regions, of: whose place is excluded. min_age,
    tiers: what else excludes. attests: the name of what somebody must attest.
    """

    id: str
    reference: str
    klass: Class
    certainty: Certainty
    summary: str
    hazards: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    modalities: frozenset[str] = frozenset()
    action: str = ""
    min_score: float = 0.0
    regions: frozenset[str] = frozenset()
    of: str = ""
    min_age: int = 0
    tiers: frozenset[str] = frozenset()
    attests: str = ""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Whether somebody must accept before the first call; for how long that holds; 0: for ever.

    grace_days: how long an earlier revision's acceptance still does, and how long what must be
    attested may be missing; None: as the settings say.
    """

    required: bool
    valid_days: int = 0
    grace_days: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. raw: the whole document as values, which is what its digest is of.

    tiers: all those of the vendor's service that its documents know; empty if it does not say.
    """

    id: str
    rev: str
    title: str
    summary: str
    status: str
    certainty: Certainty
    sources: tuple[Source, ...]
    providers: tuple[str, ...]
    models: tuple[str, ...]
    licence: str
    licence_class: str
    acceptance: Acceptance
    clauses: tuple[Clause, ...]
    notices: tuple[Notice, ...] = ()
    disclose_ai: str = "none"
    output_use: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    tiers: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    at: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Id and revision, as in `meta/llama-4-community@2025-04-05.r1`."""
        return f"{self.id}@{self.rev}"

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, as 64 hex digits; not of its examples, nor how it is written."""
        said = {key: value for key, value in self.raw.items() if key != "examples"}
        return digest(_spelt(said))

    @property
    def policy_name(self) -> str:
        """The name of the policy that is made from it."""
        return "terms-" + "".join(c if c.isalnum() else "-" for c in self.id.lower())[:57]

    def applies(self, provider: str, *models: str) -> bool:
        """Whether it is for this provider and for a model by one of its names."""
        return any(fnmatch.fnmatchcase(provider, glob) for glob in self.providers) and any(
            fnmatch.fnmatchcase(name, glob) for name in models for glob in self.models
        )

    def clause(self, id_: str) -> Clause:
        """The clause of this id. Raises KeyError."""
        for clause in self.clauses:
            if clause.id == id_:
                return clause
        raise KeyError(id_)

    def handling(self, tier: str) -> dict[str, Any]:
        """What becomes of data in this tier: what it says of it, and else what it says of all."""
        said = {key: value for key, value in self.data.items() if key != "tiers"}
        here: Mapping[str, Any] = self.data.get("tiers", {}).get(tier, {})
        return {**said, **here}

    def limits(self) -> tuple[str, ...]:
        """What outputs are not simply allowed to be used for, as `compete:forbidden`."""
        uses = ("train_other_models", "compete")
        said = ((use, self.output_use.get(use, "allowed")) for use in uses)
        return tuple(f"{use}:{how}" for use, how in said if how != "allowed")

    def attestations(self) -> list[str]:
        """The names of all that its clauses want attested, in their order."""
        return list(dict.fromkeys(c.attests for c in self.clauses if c.attests))


@dataclass(frozen=True, slots=True)
class Example:
    """One case a profile is tried on, as if it were approved.

    states: those that must be found, as "state" or "state/clause"; None: whichever. rules: the
    clauses of which the rules must have an effect on a finding of `hazard`.
    """

    name: str
    at: str
    provider: str
    model: str
    tier: str
    trains: bool
    retention_days: int
    modalities: frozenset[str]
    accepted: bool
    attested: Mapping[str, str]
    hazard: str
    states: frozenset[str] | None
    rules: frozenset[str]


def _spelt(value: Any) -> Any:
    """Without floats, of which digests know nothing: scores are per mille."""
    if isinstance(value, float):
        return round(value * 1000)
    if isinstance(value, Mapping):
        return {key: _spelt(item) for key, item in value.items()}
    return [_spelt(item) for item in value] if isinstance(value, list) else value
