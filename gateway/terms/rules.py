"""What a profile asks about texts, as a policy: one rule a clause, judged like any other.

While a profile is a draft its rules only flag; once it is approved they do what clauses say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.documents import Document
from gateway.terms.profile import Class, Clause, Example, Profile
from gateway.terms.standing import InForce

_SURE = 0.9


def policy(found: InForce, categories: Mapping[str, frozenset[str]]) -> Document | None:
    """The policy of a profile as a document; None if it asks nothing about texts.

    categories: those of each hazard, its parts included.
    """
    profile = found.profile
    judging = [clause for clause in profile.clauses if clause.hazards]
    judging = [clause for clause in judging if clause.klass in (Class.DETECT, Class.ATTEST)]
    if not judging:
        return None
    spec = {
        "match": _match(profile),
        # What could not be judged, the policies that people wrote decide.
        "onDetectorError": "allow",
        "rules": [_rule(profile, each, categories, approved=found.approved) for each in judging],
        "examples": [_example(profile, each) for each in profile.examples if each.hazard],
    }
    value = {
        "apiVersion": "gateway/v1",
        "kind": "Policy",
        "metadata": {"name": profile.policy_name, "version": profile.rev},
        "spec": spec,
    }
    return Document(f"{profile.at} ({profile.name})", value, {})


def _match(profile: Profile) -> dict[str, list[str]]:
    applies = {"providers": profile.providers, "models": profile.models}
    match = {key: [*globs] for key, globs in applies.items() if "*" not in globs}
    return {"terms": [profile.id], **match}


def _rule(
    profile: Profile, clause: Clause, categories: Mapping[str, frozenset[str]], *, approved: bool
) -> dict[str, Any]:
    named = sorted(frozenset[str]().union(*(categories[hazard] for hazard in clause.hazards)))
    when: dict[str, Any] = {"categories": named}
    if clause.min_score:
        when["min_score"] = clause.min_score
    if clause.klass is Class.ATTEST:
        when["condition"] = f'!("{clause.attests}" in attested)'
    return {
        "id": clause.id,
        "description": clause.summary,
        "when": when,
        "then": (clause.action or "flag") if approved else "flag",
        "reason": ("TERMS_" + clause.id.upper().replace("-", "_"))[:63],
        "message": (
            f"Stopped by the terms of use of this model: {profile.title}, {clause.reference}. "
            f"{clause.summary}"
        ),
    }


def _example(profile: Profile, example: Example) -> dict[str, Any]:
    category = example.hazard.upper()
    blocked = any(profile.clause(id_).action == "block" for id_ in example.rules)
    told = {
        "name": example.name,
        "text": "x",
        "findings": [{"category": category, "start": 0, "end": 1, "score": _SURE}],
        "provider": example.provider,
        "model": example.model,
        "terms": [profile.id],
        "expect": {"outcome": "block" if blocked else "allow", "rules": sorted(example.rules)},
    }
    return told | ({"attested": sorted(example.attested)} if example.attested else {})
