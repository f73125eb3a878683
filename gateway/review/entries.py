"""What the audit log says of reviews: who, when, what was decided. Never what a request says."""

from __future__ import annotations

from typing import Any

from gateway.core.judgement import Principal
from gateway.core.ports import Entry
from gateway.core.reviews import Held
from gateway.review.info import ReviewInfo

OPENED, READ, EXPIRED = "review.opened", "review.read", "review.expired"


def opened(review_id: str, held: Held) -> Entry:
    """A request waits for a person."""
    who, order = held.principal, held.order
    core: dict[str, Any] = {
        "review": review_id,
        "digest": held.digest,
        "reasons": [
            {"rule": f"{r.policy}/{r.rule}", "reason": r.reason, "category": r.category}
            for r in held.reasons
        ],
        "reviewers": [list(roles) for roles in order.reviewers],
        "expires_s": order.expires_s,
        "uses": order.uses,
    }
    return Entry(
        exchange_id=held.exchange_id,
        kind=OPENED,
        core=core,
        tenant=who.tenant,
        application=who.application,
        key_id=who.key_id,
        model=held.route.model,
        provider=held.route.provider,
    )


def done(kind: str, info: ReviewInfo, who: Principal | None, via: str, **more: Any) -> Entry:
    """Somebody read or decided one, or its time was over: then nobody did.

    The entry belongs to the exchange that opened the review, and to the key that did this.
    """
    return Entry(
        exchange_id=info.exchange_id,
        kind=kind,
        core={"review": info.id, "via": via, "asked_by": info.key_id, **more},
        tenant=info.tenant,
        application=info.application,
        key_id=who.key_id if who else "",
        model=info.model,
        provider=info.provider,
    )
