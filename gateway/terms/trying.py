"""Runs the examples of a profile as far as they are about states: as if it were approved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.terms.ledger import Acceptance
from gateway.terms.profile import Example, Profile
from gateway.terms.standing import DAY_MS, Asked, InForce, Ways, stand

_APPROVED_MS = DAY_MS
# Long after every grace.
_NOW_MS = 10_000 * DAY_MS


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one example. differs: what was not as expected; empty if all was."""

    profile: str
    example: str
    at: str
    differs: str = ""


def run(profiles: Sequence[Profile]) -> list[Tried]:
    """Try every example of these profiles."""
    return [_try(profile, example) for profile in profiles for example in profile.examples]


def _try(profile: Profile, example: Example) -> Tried:
    if not profile.applies(example.provider, example.model):
        found = frozenset({"no_profile"})
    else:
        asked = Asked(
            example.tier,
            example.modalities,
            example.attested,
            _accepted(profile) if example.accepted else None,
            example.trains,
            example.retention_days,
        )
        _, states = stand(InForce(profile, _APPROVED_MS), asked, now_ms=_NOW_MS, ways=Ways())
        found = frozenset("/".join(filter(None, (s.code, s.clause))) for s in states)
    differs = ""
    if example.states is not None and found != example.states:
        differs = f"expected {_list(example.states)}, found {_list(found)}"
    return Tried(profile.id, example.name, example.at, differs)


def _accepted(profile: Profile) -> Acceptance:
    return Acceptance(
        id="example",
        tenant="default",
        application="",
        key_id="",
        profile=profile.id,
        rev=profile.rev,
        digest=profile.digest,
        accepted_by="example",
        accepted_as="example",
        accepted_ms=_APPROVED_MS,
    )


def _list(states: frozenset[str]) -> str:
    return ", ".join(sorted(states)) or "nothing"
