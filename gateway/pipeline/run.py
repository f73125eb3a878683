"""One exchange from its first byte to its record: the order of things, in one page.

    admit: read -> open the record -> judge the request
    hold: wait for a person, if a rule wants one to see it
    reach: send, again or elsewhere if that fails
    deliver: judge the answer -> restore, label
    close the record

No stage calls back to an earlier one. The answer is always a stream; a unary answer is a
stream with one frame, so there is no second way that could be forgotten. A session over a
socket is an answer that goes on while the client goes on asking.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from gateway.core.apis import Answer, Dialect, SessionDialect, Socket
from gateway.core.errors import GatewayError, RecordUnavailable, Refused, UpstreamError
from gateway.core.exchange import Exchange, Outcome
from gateway.core.judgement import Refusal
from gateway.pipeline import record
from gateway.pipeline.admission import admit
from gateway.pipeline.house import House
from gateway.pipeline.reach import reach
from gateway.pipeline.request import Judged
from gateway.pipeline.response import UPSTREAM_WORDS, Head, deliver, refused, reply
from gateway.pipeline.review import hold
from gateway.pipeline.session import Line, converse
from gateway.pipeline.shadow import compare

NO_RECORD = Refusal(
    code="record_unavailable",
    message="The call cannot be recorded now, so it was not made. Try again shortly.",
    status=503,
    retry_after_s=5,
)
WITHHELD = Refusal(
    code="record_unavailable",
    message="The model has answered, but that cannot be recorded now, so the answer is withheld.",
    status=503,
)
OUR_FAULT = Refusal(
    code="internal_error",
    message="The gateway failed on this request. Quote the request id to its operator.",
    status=500,
)


async def run(
    exchange: Exchange, dialect: Dialect, house: House, line: Line | None = None
) -> AsyncGenerator[Head | bytes, None]:
    """The answer to an exchange: its Head, then its body in pieces.

    line: the client's end of a socket, if it asks for one; a piece is then one message. The
    caller must close the iterator, also when the client has left: that ends the upstream call
    and writes the closing entry. Raises nothing but CancelledError.
    """
    began = house.clock.monotonic_ms()
    exchange.started_ms = house.clock.now_ms()
    answer: Answer | None = None
    headed = recorded = False
    refusal: Refusal | None = None
    held: list[Head | bytes] = []
    try:
        judged, others = await admit(exchange, dialect, house)
        judged = await hold(exchange, dialect, judged, house)
        judged, answer = await reach(exchange, dialect, judged, others, house)
        exchange.upstream_status = answer.status
        exchange.first_byte_ms = house.clock.monotonic_ms() - began
        async with aclosing(_told(exchange, judged, answer, dialect, house, line)) as pieces:
            async for piece in pieces:
                if house.ends_recorded and exchange.ends:
                    held.append(piece)
                else:
                    headed = True
                    yield piece
    except (GeneratorExit, asyncio.CancelledError):
        exchange.outcome = Outcome.DISCONNECTED
        await _close(exchange, answer, house, began)
        raise
    except Exception as err:  # noqa: BLE001 - the outermost door: a bug of ours is no way through
        refusal = _failed(exchange, err, house)
        held = []
    try:
        if refusal is not None and not headed:
            held = reply(exchange, dialect.refuse(refusal, exchange.id), house)
        if house.ends_recorded and refusal is not NO_RECORD:
            recorded = True
            if not await _close(exchange, answer, house, began):
                held = _withheld(exchange, dialect, house, headed=headed)
        for piece in held:
            yield piece
    finally:
        if refusal is not NO_RECORD and not recorded:
            await _close(exchange, answer, house, began)


def _told(
    exchange: Exchange,
    judged: Judged,
    answer: Answer,
    dialect: Dialect,
    house: House,
    line: Line | None,
) -> AsyncGenerator[Head | bytes, None]:
    if line is not None and isinstance(answer, Socket) and isinstance(dialect, SessionDialect):
        return converse(exchange, judged, answer, dialect, house, line)
    return deliver(exchange, judged, answer, dialect, house)


def _failed(exchange: Exchange, err: Exception, house: House) -> Refusal:
    """Note how the exchange failed; what its caller is told."""
    if isinstance(err, RecordUnavailable):
        house.counters.add("record_unavailable_total")
        exchange.outcome = Outcome.REFUSED
        return NO_RECORD
    if isinstance(err, Refused):
        refused(exchange, err.refusal)
        return err.refusal
    if isinstance(err, UpstreamError):
        exchange.outcome, exchange.error = Outcome.UPSTREAM_ERROR, err.code
        words, wait_s = UPSTREAM_WORDS[err.code], err.retry_after_s
        return Refusal(err.code, words, err.status, retry_after_s=wait_s)
    house.counters.add("failed_total")
    exchange.outcome, exchange.error = Outcome.FAILED, type(err).__name__
    return OUR_FAULT


def _withheld(
    exchange: Exchange, dialect: Dialect, house: House, *, headed: bool
) -> list[Head | bytes]:
    """What a client is told instead of an end that could not be recorded, and a note of it."""
    with contextlib.suppress(GatewayError):
        # Queued behind the closing entry, which tells of the end that was to come.
        house.sink.append(record.withheld(exchange)).add_done_callback(_seen)
    if headed:
        exchange.cut_off = True
        return []
    return reply(exchange, dialect.refuse(WITHHELD, exchange.id), house)


def _seen(durable: asyncio.Future[None]) -> None:
    """Nobody waits for this one: it is kept, and written when that can be done."""
    if not durable.cancelled():
        durable.exception()


async def _close(exchange: Exchange, answer: Answer | None, house: House, began: float) -> bool:
    """End the upstream call and write the closing entry, whatever happens to our caller.

    If judging goes on, the entry is written when that is over, and nobody waits for it here
    unless ends are recorded before they are told. Whether it is durable.
    """
    took_ms = house.clock.monotonic_ms() - began
    pending = [*exchange.request.pending, *exchange.response.pending]
    durable = None
    if pending and not house.ends_recorded:
        house.later.start(_afterwards(pending, exchange, took_ms, house))
    elif pending:
        await _judged(pending, exchange, house)
        durable = _closed(exchange, took_ms, house)
    else:
        durable = _closed(exchange, took_ms, house)
    if answer is not None:
        await answer.aclose()
    return durable is not None and await _durable(durable, house)


async def _durable(entry: asyncio.Future[None], house: House) -> bool:
    try:
        await asyncio.shield(entry)
    except GatewayError:
        house.counters.add("record_unavailable_total")
        return False
    return True


def _closed(exchange: Exchange, took_ms: float, house: House) -> asyncio.Future[None] | None:
    _counted(exchange, house)
    try:
        return house.sink.append(record.closed(exchange, took_ms=took_ms))
    except GatewayError:
        house.counters.add("record_unavailable_total")
        return None


def _counted(exchange: Exchange, house: House) -> None:
    """Count what rules on trial and a shadow bundle say, and what a rollout is judged by."""
    for side in (exchange.request, exchange.response):
        for (mode, action, _, _), count in side.trials.items():
            house.counters.add(f'trial_effects_total{{mode="{mode}",action="{action}"}}', count)
    chosen = exchange.chosen
    if chosen is not None and chosen.told is not None and exchange.request.activation:
        chosen.told(exchange.outcome is Outcome.BLOCKED)
    try:
        compare(exchange, house)
    except Exception:  # noqa: BLE001 - of the same door: a candidate's failure costs no record
        house.counters.add("shadow_failed_total")


async def _afterwards(
    pending: Sequence[asyncio.Task[None]], exchange: Exchange, took_ms: float, house: House
) -> None:
    """Write the closing entry once all is judged."""
    await _judged(pending, exchange, house)
    durable = _closed(exchange, took_ms, house)
    if durable is not None:
        await _durable(durable, house)


async def _judged(pending: Sequence[asyncio.Task[None]], exchange: Exchange, house: House) -> None:
    """Wait for the judging that goes on. It has a deadline of its own."""
    for ended in await asyncio.gather(*pending, return_exceptions=True):
        if isinstance(ended, Exception):
            exchange.error = type(ended).__name__
            house.counters.add("failed_total")
