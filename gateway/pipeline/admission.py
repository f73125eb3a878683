"""The way in: read, recorded, judged for where it is to go first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.core.apis import Candidate, Dialect
from gateway.core.clearance import LEAST, DataClass
from gateway.core.errors import Refused, StickingUnavailable
from gateway.core.exchange import Exchange
from gateway.core.judgement import Refusal
from gateway.core.message import Message, Part
from gateway.core.ports import Bundle, Shelf
from gateway.pipeline import record
from gateway.pipeline.classing import given
from gateway.pipeline.concerned import concerned
from gateway.pipeline.detour import judged
from gateway.pipeline.house import House
from gateway.pipeline.request import Judged, readable, stand

NO_MODEL = Refusal(
    code="model_not_found",
    message="This gateway's catalogue has no such model. GET /v1/models lists what it has.",
    status=404,
)
# The same for what others own and for what nobody does, so that guessing tells nothing.
NOT_FOUND = Refusal(
    code="not_found",
    message="Nothing with this id was made through this gateway with a key of your tenant's.",
    status=404,
)


async def admit(
    exchange: Exchange, dialect: Dialect, house: House
) -> tuple[Judged, Sequence[Candidate]]:
    """Judge the request for its first candidate, or for where a rule sends it instead.

    The others are returned unjudged.

    Its opening entry is durable when this returns or raises Refused. Raises Refused, or
    RecordUnavailable: then nothing was recorded and nothing may go on.
    """
    exchange.request.bytes = len(exchange.call.body)
    parts: Sequence[Part] = ()
    try:
        try:
            message = readable(dialect, exchange.call)
            parts = message.parts
        finally:
            exchange.concerned = concerned(exchange.principal, parts, house.seal)
            bundle = _choose(exchange, parts, house)
        candidates = await _candidates(exchange, message, dialect, house)
    except Exception:
        await house.sink.append(record.opened(exchange))
        raise
    # Queued before judging, awaited after: the entry becomes durable meanwhile.
    durable = house.sink.append(record.opened(exchange))
    try:
        if house.panel is not None:
            # What judges the request elsewhere gets it: no record, no call.
            await durable
        return await judged(exchange, dialect, message, candidates, bundle=bundle, house=house)
    finally:
        await durable


def _choose(exchange: Exchange, parts: Sequence[Part], house: House) -> Bundle:
    """What judges this exchange, from now on until its end."""
    exchange.chosen = house.bundle(exchange.principal, lambda: parts)
    bundle = exchange.chosen.bundle
    exchange.bundle_digest, exchange.bundle_revision = bundle.digest, bundle.revision
    return bundle


async def _candidates(
    exchange: Exchange, message: Message, dialect: Dialect, house: House
) -> Sequence[Candidate]:
    exchange.stream, exchange.json_output = message.stream, message.json_output
    exchange.beside = dialect.beside
    carried = await _carried(exchange, message, house)
    exchange.sensitivity = given(exchange, house.classes(), carried)
    model = await _made_with(message.asks, exchange.principal.tenant, house.shelf)
    asked = message if message.model else replace(message, model=model)
    found = house.route(asked, dialect.wire or dialect.name, exchange.principal)
    if not found:
        raise Refused(NO_MODEL)
    exchange.route = found[0].route
    exchange.asked_model = found[0].route.model
    stand(exchange, message, found[0].route, house)
    return found


async def _carried(exchange: Exchange, message: Message, house: House) -> DataClass | None:
    """The class that sticks to its history; None if that cannot be looked up."""
    if house.sticking is None:
        return LEAST
    try:
        return await house.sticking.carried(exchange.principal.tenant, message.parts, message.asks)
    except StickingUnavailable:
        return None


async def _made_with(ids: Sequence[str], tenant: str, shelf: Shelf) -> str:
    """The model by which the first was made; empty if none is asked for.

    Raises Refused if one of them is not this tenant's.
    """
    models = [await shelf.model(tenant, id_) for id_ in ids]
    if None in models:
        raise Refused(NOT_FOUND)
    return models[0] or "" if models else ""
