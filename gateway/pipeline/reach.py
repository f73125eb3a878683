"""Reach one of the candidates: call, call again, call another. Every call is on the record.

All of this happens before the client has got a byte; what it gets is one upstream's answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from gateway.core import patience
from gateway.core.apis import Answer, Candidate, Dialect, SocketBackend
from gateway.core.errors import CircuitOpen, Refused, UpstreamError, UpstreamTimeout
from gateway.core.exchange import Attempt, Exchange
from gateway.core.patience import Result
from gateway.pipeline.house import House
from gateway.pipeline.request import Judged, judge


async def reach(
    exchange: Exchange, dialect: Dialect, judged: Judged, others: Sequence[Candidate], house: House
) -> tuple[Judged, Answer]:
    """The answer, and the request as it was judged for whoever gave it.

    others: asked in order if the first choice fails, each after the request has been judged
    anew for it. If none does better, the first one's failure stands. Raises UpstreamError.
    """
    first = await _ask(exchange, judged, house)
    if others and patience.failed(first):
        route, side, terms = exchange.route, exchange.request, exchange.terms
        sensitivity = replace(exchange.sensitivity)
        async with AsyncExitStack() as stack:
            if isinstance(first, Answer):
                stack.push_async_callback(first.aclose)
            for candidate in others:
                found = await _instead(exchange, dialect, judged, candidate, house)
                if found is not None:
                    return found
            stack.pop_all()
        exchange.route, exchange.request, exchange.terms = route, side, terms
        exchange.sensitivity = sensitivity
    if isinstance(first, UpstreamError):
        raise first
    return judged, first


async def _instead(
    exchange: Exchange, dialect: Dialect, first: Judged, candidate: Candidate, house: House
) -> tuple[Judged, Answer] | None:
    """What this candidate says, if policy lets it have the request and it does not fail."""
    route = candidate.route
    try:
        judged = await judge(exchange, dialect, first.message, candidate, first.bundle, house)
    except Refused as err:
        why = err.refusal
        rule = f"{why.policy}/{why.rule}" if why.rule else ""
        exchange.attempts.append(Attempt(route.backend, route.model, error=why.code, rule=rule))
        return None
    if judged.held is not None:
        # What a person has approved holds for where it was to go, and for nowhere else.
        exchange.attempts.append(Attempt(route.backend, route.model, error="review_required"))
        return None
    try:
        result = await _ask(exchange, judged, house)
    except Refused:
        return None
    if isinstance(result, UpstreamError):
        return None
    # Its complaint about a request that was not meant for it would only puzzle the client.
    if result.status >= 400:
        await result.aclose()
        return None
    house.counters.add(_of("fallbacks_total", route.backend))
    return judged, result


async def _ask(exchange: Exchange, judged: Judged, house: House) -> Result:
    """Call one upstream, again if it is worth it and there is time."""
    candidate = judged.candidate
    retries = 0 if patience.client_repeats(exchange.headers) else candidate.retries
    began_ms = house.clock.monotonic_ms()
    left_s = candidate.total_s
    n = 0
    while True:
        result = await _call(exchange, judged, left_s, house)
        if n >= retries or not patience.worth_another(result):
            return result
        now_ms = house.clock.now_ms()
        wait_s = patience.wait_s(result, n, now_ms=now_ms, chance=house.chance())
        left_s = candidate.total_s - (house.clock.monotonic_ms() - began_ms) / 1000
        if wait_s is None or wait_s >= left_s:
            return result
        if isinstance(result, Answer):
            await result.aclose()
        house.counters.add(_of("upstream_retries_total", candidate.route.backend))
        await house.sleep(wait_s)
        left_s -= wait_s
        n += 1


async def _call(exchange: Exchange, judged: Judged, limit_s: float, house: House) -> Result:
    """One call, on the record before it is made and whatever becomes of it."""
    route = judged.route
    attempt = Attempt(route.backend, route.model, digest=exchange.request.digest)
    exchange.attempts.append(attempt)
    called_before, exchange.upstream_called = exchange.upstream_called, True
    began_ms = house.clock.monotonic_ms()
    try:
        async with asyncio.timeout(limit_s):
            answer = await _send(judged)
    except TimeoutError:
        attempt.error = UpstreamTimeout.code
        return UpstreamTimeout("no head within the total time")
    except CircuitOpen as err:
        attempt.error, attempt.digest = err.code, ""
        exchange.upstream_called = called_before
        return err
    except Refused as err:
        # By a backend that finds, before it sends, that it cannot ask this there.
        attempt.error, attempt.digest = err.refusal.code, ""
        exchange.upstream_called = called_before
        raise
    except UpstreamError as err:
        attempt.error = err.code
        return err
    except asyncio.CancelledError:
        attempt.error = "disconnected"
        raise
    except Exception as err:
        attempt.error = type(err).__name__
        raise
    finally:
        attempt.took_ms = house.clock.monotonic_ms() - began_ms
    attempt.status = answer.status
    return answer


async def _send(judged: Judged) -> Answer:
    backend = judged.candidate.backend
    if not judged.message.socket:
        return await backend.send(judged.call)
    if not isinstance(backend, SocketBackend):
        raise UpstreamError("this kind of backend opens no sockets")
    return await backend.connect(judged.call)


def _of(name: str, backend: str) -> str:
    return f'{name}{{backend="{backend}"}}'
