"""What waits for a person: how long, what the person sees, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.core.judgement import Principal, ReviewOrder, Route


class ReviewState(StrEnum):
    """How far a review has come. What is not waiting is decided, or was not decided in time."""

    WAITING = "waiting"
    APPROVED = "approved"
    EDITED = "edited"
    REFUSED = "refused"
    EXPIRED = "expired"


def united(orders: Iterable[ReviewOrder]) -> ReviewOrder:
    """What several rules want together: the shortest times, and a reviewer who suits them all."""
    found = list(orders)
    return ReviewOrder(
        wait_s=min(order.wait_s for order in found),
        expires_s=min(order.expires_s for order in found),
        valid_s=min(order.valid_s for order in found),
        uses=min(order.uses for order in found),
        reviewers=tuple(sorted({roles for order in found for roles in order.reviewers})),
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """Which rule wants the review, and what it was that it applied to."""

    policy: str
    rule: str
    reason: str
    category: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One text of a held request as it would leave, with what was found in it.

    path, role, kind: as in a Part. fixed: it cannot be edited. marks: in order of their places.
    """

    path: str
    role: str
    kind: str
    text: str
    fixed: bool = False
    marks: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A finding where it stands in a text that was edited: characters [start, end).

    score_pm: per mille. actions: what became of it, by policy/rule; empty if no rule applied.
    """

    start: int
    end: int
    category: str
    detector: str
    score_pm: int
    actions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attached:
    """Something in a held request that is no text, so that a reviewer cannot see it here."""

    path: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """A judged request that must not go on unless a person says so.

    digest: keyed, of who asks, where to, and the body as it would leave: the same request has
    the same one.
    """

    exchange_id: str
    principal: Principal
    endpoint: str
    route: Route
    digest: str
    order: ReviewOrder
    reasons: Sequence[Reason]
    texts: Sequence[Shown]
    attached: Sequence[Attached] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a held request so far.

    waited_ms: how long its caller waited. words: the reviewer's, to the caller. texts: what is to
    stand in place of others, by path. full: no review could be opened, for too many are.
    """

    review_id: str
    state: ReviewState
    waited_ms: int = 0
    words: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    full: bool = False
