"""How a call stands with the terms of use that its model is under."""

from __future__ import annotations

from dataclasses import dataclass

# In a catalogue, in place of the id of a profile: the operator says that nobody's terms apply.
NO_TERMS = "none"

NO_PROFILE = "no_profile"
DRAFT = "draft"
NOT_ACCEPTED = "not_accepted"
ACCEPTANCE_EXPIRED = "acceptance_expired"
ACCEPTANCE_WITHDRAWN = "acceptance_withdrawn"
REVISION_PENDING = "revision_pending"
REVISION_LAPSED = "revision_lapsed"
REGION_EXCLUDED = "region_excluded"
AGE_EXCLUDED = "age_excluded"
TIER_EXCLUDED = "tier_excluded"
TIER_UNKNOWN = "tier_unknown"
HANDLING_CONTRADICTED = "handling_contradicted"
ATTESTATION_PENDING = "attestation_pending"
ATTESTATION_MISSING = "attestation_missing"

# All that a finding of the category TERMS may say as its note.
STATES = (
    NO_PROFILE,
    DRAFT,
    NOT_ACCEPTED,
    ACCEPTANCE_EXPIRED,
    ACCEPTANCE_WITHDRAWN,
    REVISION_PENDING,
    REVISION_LAPSED,
    REGION_EXCLUDED,
    AGE_EXCLUDED,
    TIER_EXCLUDED,
    TIER_UNKNOWN,
    HANDLING_CONTRADICTED,
    ATTESTATION_PENDING,
    ATTESTATION_MISSING,
)


@dataclass(frozen=True, slots=True)
class State:
    """Something about the terms that is not as they ask.

    code: one of STATES. clause: of the profile; empty if it is about the profile itself.
    words: what a caller who is stopped for it is told, and how to mend it.
    """

    code: str
    profile: str
    clause: str
    words: str


@dataclass(frozen=True, slots=True)
class Under:
    """One profile that a call is under. acceptance: the id of what counts; empty if nothing.

    output_use: what outputs are not simply allowed to be used for.
    """

    profile: str
    rev: str
    acceptance: str = ""
    output_use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the terms say to one call.

    attested: names of what holds for whoever asks. warnings: what will stop calls before long,
    by who warns. notices: what users of the answer must be shown, in as few words.
    """

    under: tuple[Under, ...] = ()
    states: tuple[State, ...] = ()
    attested: tuple[str, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()


NOTHING = Standing()
