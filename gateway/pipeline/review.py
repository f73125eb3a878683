"""A judged request that a rule wants a person to see goes no further until one has decided.

What was approved goes on as it was judged, unless terms have changed meanwhile. What was edited
is judged anew, as if it had come so, so that an edit is no way around a rule that blocks, nor
around reviewers whom nobody has asked yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.core.apis import Dialect
from gateway.core.errors import Refused
from gateway.core.exchange import Exchange
from gateway.core.judgement import Refusal
from gateway.core.message import Edit
from gateway.core.reviews import Decision, Held, ReviewState
from gateway.core.splice import apply
from gateway.pipeline.house import House
from gateway.pipeline.request import Judged, judge, modalities, readable

# Neither 409 nor 429 nor 5xx, which vendors' clients send again by themselves.
STATUS = 403
NOWHERE = Refusal(
    "review_unavailable",
    "A rule wants this request to be reviewed by a person first, and here nothing can wait for "
    "one.",
    STATUS,
)
TOO_MANY = Refusal(
    "review_queue_full",
    "A rule wants this request to be reviewed by a person first, and too many requests of your "
    "tenant's wait for that already. Nothing was sent to the model.",
    STATUS,
)
_LATER = (
    "This request needs the approval of a person first. Review {id} is open; nothing was sent to "
    "the model. GET /v1/reviews/{id} says how it stands. Once it is approved, send the same "
    "request again."
)
_NO = "A reviewer has refused this request (review {id})."


async def hold(exchange: Exchange, dialect: Dialect, judged: Judged, house: House) -> Judged:
    """The request as it may go on: at once, if nobody needs to see it. Raises Refused.

    What a person decided is noted in the exchange.
    """
    if judged.held is None:
        return judged
    if house.reviews is None:
        raise Refused(NOWHERE)
    decision = await house.reviews.hold(judged.held)
    if decision.full:
        raise Refused(TOO_MANY)
    exchange.review = decision
    if decision.state is ReviewState.APPROVED:
        again = await _now(exchange, dialect, judged, house)
    elif decision.state is ReviewState.EDITED:
        again = await _instead(exchange, dialect, judged, decision.texts, house)
    else:
        raise Refused(_refusal(judged.held, decision))
    if _asks_others(again.held, judged.held):
        return await hold(exchange, dialect, again, house)
    return again


def _asks_others(again: Held | None, decided: Held) -> bool:
    """Whether rules want somebody to see it now whom they did not ask for what was decided."""
    return again is not None and not {*again.order.reviewers} <= {*decided.order.reviewers}


async def _now(exchange: Exchange, dialect: Dialect, judged: Judged, house: House) -> Judged:
    """The request as it was judged, or anew if terms have changed while it waited."""
    message, route = judged.message, judged.route
    if house.terms(exchange.principal, route, modalities(message)) == exchange.terms:
        return judged
    return await judge(exchange, dialect, message, judged.candidate, judged.bundle, house)


async def _instead(
    exchange: Exchange, dialect: Dialect, judged: Judged, texts: Mapping[str, str], house: House
) -> Judged:
    """The request with a reviewer's texts in it, judged like any other.

    The reviewer saw placeholders; their originals are put back first, so that they get the same
    ones again, and come back in the answer.
    """
    message, vault = judged.message, judged.vault
    edits = {
        part.path: [Edit(0, len(part.text), apply(text, vault.restore(text)))]
        for part in message.parts
        if (text := texts.get(part.path)) is not None
    }
    # As the client would have sent it: under the model's name for clients.
    as_asked = replace(judged.route, upstream_model=message.model)
    body = dialect.forward(message, edits, as_asked)
    again = readable(dialect, replace(exchange.call, body=body))
    return await judge(exchange, dialect, again, judged.candidate, judged.bundle, house)


def _refusal(held: Held, decision: Decision) -> Refusal:
    first = held.reasons[0]
    if decision.state is ReviewState.REFUSED:
        words = _NO.format(id=decision.review_id)
        return Refusal(
            "review_refused",
            f"{words} {decision.words}".strip(),
            STATUS,
            policy=first.policy,
            rule=first.rule,
            categories=tuple(sorted({reason.category for reason in held.reasons})),
        )
    return Refusal("review_required", _LATER.format(id=decision.review_id), STATUS)
