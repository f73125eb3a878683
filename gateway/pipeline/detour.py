"""Rules may send a request elsewhere: it is judged anew for there, once, and goes on from there.

Nothing has gone upstream by then, and nothing of how it was judged for the first place is
carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from gateway.core.apis import Candidate, Dialect
from gateway.core.errors import Detoured, Refused
from gateway.core.exchange import Detour, Exchange
from gateway.core.judgement import Refusal
from gateway.core.message import Message
from gateway.core.ports import Bundle
from gateway.core.targets import Target
from gateway.pipeline.house import House
from gateway.pipeline.request import Judged, judge

NO_PLACE = "no_fitting_model"


async def judged(
    exchange: Exchange,
    dialect: Dialect,
    message: Message,
    candidates: Sequence[Candidate],
    *,
    bundle: Bundle,
    house: House,
) -> tuple[Judged, Sequence[Candidate]]:
    """The request as it was judged for the first of these, or for where it goes instead.

    The second is what may stand in for that. Raises Refused: also if it would have to go on from
    there again, for then rules send it to and fro.
    """
    first, *others = candidates
    try:
        return await judge(exchange, dialect, message, first, bundle, house), others
    except Detoured as err:
        detoured = err
    first, *others = await _elsewhere(exchange, dialect, message, detoured, house)
    exchange.detour = _detour(exchange, candidates[0], detoured.target, house)
    house.counters.add(f'detours_total{{backend="{first.route.backend}"}}')
    return await judge(exchange, dialect, message, first, bundle, house), others


async def _elsewhere(
    exchange: Exchange, dialect: Dialect, message: Message, detoured: Detoured, house: House
) -> Sequence[Candidate]:
    """Where it may go instead, the first choice first. Raises Refused if there is no such place."""
    target = detoured.target
    for id_ in message.asks:
        # What was made at one upstream is not to be had from another.
        made_with = await house.shelf.model(exchange.principal.tenant, id_)
        target = target.also(Target.of({"model": made_with or ""}))
    data = exchange.sensitivity.shown
    found = house.elsewhere(message, dialect.wire or dialect.name, target, data)
    if not found:
        raise Refused(_nowhere(detoured.refusal, target))
    return found


def _detour(exchange: Exchange, first: Candidate, target: Target, house: House) -> Detour:
    side = exchange.request
    effects = Counter(
        {key: count for key, count in side.effects.items() if house.actions[key[0]].reroutes}
    )
    return Detour(first.route, target, side, effects, exchange.sensitivity.sent)


def _nowhere(refusal: Refusal, target: Target) -> Refusal:
    words = (
        f"Policy {refusal.policy!r}, rule {refusal.rule!r}, lets this request go only to a model "
        f"that is such: {target}. The catalogue has none that can be asked in this way."
    )
    return replace(refusal, code=NO_PLACE, message=words)
