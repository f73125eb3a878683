"""A review as the table tells of it: everything but what the request says."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row

from gateway.core.judgement import Principal
from gateway.core.reviews import Held, Reason, ReviewState
from gateway.review.tables import DECIDING, OPENING

_OPEN = frozenset({OPENING, DECIDING, ReviewState.WAITING.value})


@dataclass(frozen=True, slots=True)
class ReviewInfo:
    """Who asked for what, why a person must see it, and how far that has come.

    expires_ms: until when it may be decided; once it is, until when that counts. uses: how often
    the request may still go through. decided_by: the id of the reviewer's key.
    """

    id: str
    state: ReviewState
    tenant: str
    application: str
    key_id: str
    key_name: str
    exchange_id: str
    endpoint: str
    model: str
    provider: str
    backend: str
    reasons: tuple[Reason, ...]
    reviewers: tuple[tuple[str, ...], ...]
    valid_s: int
    uses: int
    created_ms: int
    expires_ms: int
    decided_ms: int | None
    decided_by: str | None

    def fits(self, who: Principal) -> bool:
        """Whether somebody has the roles, in the right tenant. An admin has every tenant."""
        near = self.tenant == who.tenant or "admin" in who.roles
        return near and all(set(roles) & set(who.roles) for roles in self.reviewers)


def state_of(word: str) -> ReviewState:
    """How far a review has come, by the table's word for it."""
    return ReviewState.WAITING if word in _OPEN else ReviewState(word)


def of_row(row: Row[Any]) -> ReviewInfo:
    """What a row of `review` says."""
    return ReviewInfo(
        id=row.id,
        state=state_of(row.state),
        tenant=row.tenant,
        application=row.application,
        key_id=row.key_id,
        key_name=row.key_name,
        exchange_id=row.exchange_id,
        endpoint=row.endpoint,
        model=row.model,
        provider=row.provider,
        backend=row.backend,
        reasons=tuple(Reason(*each) for each in json.loads(row.reasons)),
        reviewers=tuple(tuple(roles) for roles in json.loads(row.reviewers)),
        valid_s=row.valid_s,
        uses=row.uses,
        created_ms=row.created_ms,
        expires_ms=row.expires_ms,
        decided_ms=row.decided_ms,
        decided_by=row.decided_by,
    )


def facts(info: ReviewInfo) -> dict[str, Any]:
    """All of it, JSON-ready."""
    return {**asdict(info), "state": info.state.value}


def values(id_: str, held: Held, now_ms: int) -> dict[str, Any]:
    """The row of a review that is about to be opened."""
    who, route, order = held.principal, held.route, held.order
    return {
        "id": id_,
        "digest": held.digest,
        "state": OPENING,
        "tenant": who.tenant,
        "application": who.application,
        "key_id": who.key_id,
        "key_name": who.name,
        "exchange_id": held.exchange_id,
        "endpoint": held.endpoint,
        "model": route.model,
        "provider": route.provider,
        "backend": route.backend,
        "reasons": json.dumps([[r.policy, r.rule, r.reason, r.category] for r in held.reasons]),
        "reviewers": json.dumps(order.reviewers),
        "valid_s": order.valid_s,
        "uses": order.uses,
        "created_ms": now_ms,
        "expires_ms": now_ms + order.expires_s * 1_000,
        "touched_ms": now_ms,
    }
