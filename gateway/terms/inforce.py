"""Which profiles count: the approved one as it was approved, else the draft of the file."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from gateway import documents
from gateway.core.errors import ConfigError
from gateway.terms.ledger import Approval
from gateway.terms.profile import Profile
from gateway.terms.reading import read
from gateway.terms.standing import InForce


def spelt(profile: Profile) -> str:
    """The profile as an approval keeps it."""
    return json.dumps(profile.raw, ensure_ascii=False)


def latest(approvals: Sequence[Approval]) -> dict[str, Approval]:
    """The approval that counts for each profile. approvals: oldest first."""
    return {each.profile: each for each in approvals if each.withdrawn_ms is None}


def in_force(
    drafts: Mapping[str, Profile], approvals: Sequence[Approval], hazards: Collection[str]
) -> dict[str, InForce]:
    """All profiles by id.

    What was approved counts as it was then, whatever the file says now. Raises ConfigError if
    this gateway cannot read it: to let its draft count instead would undo what was decided.
    """
    found = {id_: InForce(draft) for id_, draft in drafts.items()}
    for id_, approval in latest(approvals).items():
        profile = _read(approval, hazards)
        draft = drafts.get(id_)
        newer = draft.rev if draft is not None and draft.digest != approval.digest else ""
        earlier = tuple(
            (past.approved_ms, past.digest)
            for past in approvals
            if past.profile == id_ and past.withdrawn_ms is None and past is not approval
        )
        found[id_] = InForce(profile, approval.approved_ms, newer, earlier)
    return dict(sorted(found.items()))


def _read(approval: Approval, hazards: Collection[str]) -> Profile:
    name = f"approved profile {approval.profile}@{approval.rev}"
    (document,) = documents.parse(approval.document.encode(), name)
    profile = read(document, hazards)
    if profile.digest != approval.digest:
        raise ConfigError(
            f"{name}: the database holds another text than was approved. Its audit entry names "
            f"the digest {approval.digest[:12]}; approve the profile again: gateway terms approve "
            f"{approval.profile}"
        )
    return profile
