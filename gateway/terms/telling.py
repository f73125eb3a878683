"""Profiles and acts as JSON-ready values, for commands, the admin API and clients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from gateway.terms.ledger import Act, Approval
from gateway.terms.profile import Clause, Profile
from gateway.terms.standing import InForce


def brief(found: InForce) -> dict[str, Any]:
    """One line of a list."""
    profile = found.profile
    return {
        "id": profile.id,
        "rev": profile.rev,
        "title": profile.title,
        "status": "approved" if found.approved else "draft",
        "approved_ms": found.approved_ms,
        "newer": found.newer,
        "certainty": profile.certainty.value,
        "class": profile.licence_class,
        "acceptance": profile.acceptance.required,
        "clauses": len(profile.clauses),
        "digest": profile.digest,
    }


def whole(found: InForce) -> dict[str, Any]:
    """All that a profile says."""
    profile = found.profile
    return {
        **brief(found),
        "summary": profile.summary,
        "license": {"spdx": profile.licence, "class": profile.licence_class},
        "sources": [
            {**asdict(each), "certainty": each.certainty.value} for each in profile.sources
        ],
        "applies_to": {"providers": list(profile.providers), "models": list(profile.models)},
        "acceptance": asdict(profile.acceptance),
        "clauses": [_clause(each) for each in profile.clauses],
        "attestations": profile.attestations(),
        "notices": [asdict(each) for each in profile.notices],
        "disclose_ai": profile.disclose_ai,
        "output_use": dict(profile.output_use),
        "data": dict(profile.data),
        "tiers": list(profile.tiers),
    }


def notices(model: str, profiles: Iterable[InForce]) -> dict[str, Any]:
    """What users of a model must be shown, and how sure that is."""
    found = list(profiles)
    return {
        "object": "model.notices",
        "model": model,
        "notices": [
            {
                "profile": each.profile.id,
                "rev": each.profile.rev,
                "status": "approved" if each.approved else "draft",
                "clause": notice.clause,
                "where": notice.where,
                "text": notice.text,
            }
            for each in found
            for notice in each.profile.notices
        ],
        "disclose_ai": [
            {"profile": each.profile.id, "at": each.profile.disclose_ai}
            for each in found
            if each.profile.disclose_ai != "none"
        ],
        "output_use": [
            {"profile": each.profile.id, **each.profile.output_use}
            for each in found
            if each.profile.limits()
        ],
        "terms": [
            {
                "profile": each.profile.id,
                "title": source.title,
                "url": source.url or None,
                "date": source.date or None,
            }
            for each in found
            for source in each.profile.sources
        ],
    }


def act(done: Act) -> dict[str, Any]:
    """An approval, acceptance or attestation."""
    found = {"what": type(done).__name__.lower(), **asdict(done)}
    if isinstance(done, Approval):
        del found["document"]
    return found


def _clause(clause: Clause) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": clause.id,
        "reference": clause.reference,
        "class": clause.klass.value,
        "certainty": clause.certainty.value,
        "summary": clause.summary,
    }
    more = {
        "hazards": list(clause.hazards),
        "domains": list(clause.domains),
        "modalities": sorted(clause.modalities),
        "action": clause.action,
        "min_score_pm": round(clause.min_score * 1000),
        "regions": sorted(clause.regions),
        "of": clause.of,
        "min_age": clause.min_age,
        "tiers": sorted(clause.tiers),
        "attests": clause.attests,
    }
    return told | {key: value for key, value in more.items() if value}


def said(profile: Profile) -> dict[str, Any]:
    """A draft as if it counted, for who is to approve it."""
    return whole(InForce(profile))
