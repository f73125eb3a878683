"""What a reviewer gets to see of a request: its texts as they would leave, and what was found.

What policy takes out of a text is not shown; where it stood is, and what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.core.canonical import canonical
from gateway.core.exchange import Exchange
from gateway.core.judgement import Effect, Finding
from gateway.core.message import Edit, Message
from gateway.core.reviews import Attached, Found, Held, Reason, Shown, united
from gateway.core.splice import apply, destination
from gateway.pipeline.house import House
from gateway.pipeline.passage import Passage


class Notes:
    """What a guard notes down of a request, should it have to wait for a person.

    holding: the effects by which it must.
    """

    def __init__(self) -> None:
        self.holding: list[Effect] = []
        self._marks: dict[Passage, list[tuple[Finding, Sequence[Effect]]]] = {}

    def add(self, finding: Finding, effects: Sequence[Effect], passage: Passage | None) -> None:
        """A finding that was decided on; passage: where, if it has a place."""
        self.holding += [effect for effect in effects if effect.order is not None]
        if passage is not None:
            self._marks.setdefault(passage, []).append((finding, effects))

    def marks(self, passage: Passage) -> tuple[Found, ...]:
        """What was found in a text, at its places in the text as it would leave."""
        found = [
            _mark(finding, effects, passage.edits)
            for finding, effects in self._marks.get(passage, ())
        ]
        return tuple(sorted(found, key=lambda mark: (mark.start, mark.end)))


def held(
    exchange: Exchange,
    message: Message,
    passages: Sequence[Passage],
    notes: Notes,
    house: House,
) -> Held | None:
    """The judged request as it waits for a person; None if it need not.

    The exchange has its route and the digest of the body as it would leave by now.
    """
    orders = [effect.order for effect in notes.holding if effect.order is not None]
    if not orders or exchange.route is None:
        return None
    reasons = dict.fromkeys(
        Reason(effect.policy, effect.rule, effect.reason, effect.finding.category)
        for effect in notes.holding
    )
    order = united(orders)
    rules = sorted({f"{reason.policy}/{reason.rule}" for reason in reasons})
    return Held(
        exchange_id=exchange.id,
        principal=exchange.principal,
        endpoint=exchange.path,
        route=exchange.route,
        digest=_digest(exchange, message, [rules, [[*roles] for roles in order.reviewers]], house),
        order=order,
        reasons=tuple(reasons),
        texts=[
            Shown(
                path=part.path,
                role=part.role,
                kind=part.kind.value,
                text=apply(part.text, passage.edits),
                fixed=part.fixed or part.sealed,
                marks=notes.marks(passage),
            )
            for part, passage in zip(message.parts, passages, strict=True)
        ],
        attached=[Attached(o.path, o.media_type, o.size_bytes) for o in message.opaque],
    )


def _digest(exchange: Exchange, message: Message, asked: Sequence[object], house: House) -> str:
    """Equal for the same request by the same key to the same place, for the same reviewers."""
    who, route = exchange.principal, exchange.route
    about = [
        "review",
        [who.key_id, who.application],
        [exchange.endpoint, message.method, message.path],
        [route.model, route.backend, route.upstream_model] if route else [],
        exchange.request.digest,
        asked,
    ]
    return house.seal(who.tenant, canonical(about).encode())


def _mark(finding: Finding, effects: Sequence[Effect], edits: Sequence[Edit]) -> Found:
    start, end = destination(edits, finding.start, finding.end)
    actions: Mapping[str, str] = {f"{e.policy}/{e.rule}": e.action for e in effects}
    score_pm = round(finding.score * 1000)
    return Found(start, end, finding.category, finding.detector, score_pm, actions)
