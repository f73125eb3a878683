"""What an exchange has cost, as it goes on record: its answer, and apart from it the judging."""

from __future__ import annotations

from typing import Any

from gateway.core.exchange import Consulted, Exchange
from gateway.core.prices import cost


def of_answer(exchange: Exchange) -> dict[str, Any]:
    """By the price of the model that gave it; nothing if price or tokens are not known."""
    route = exchange.route
    if route is None or not route.prices:
        return {}
    found = cost(exchange.usage, route.prices, beside=exchange.beside, at_ms=exchange.started_ms)
    if found is None:
        return {}
    return {"cost": found.record() | ({} if exchange.counted else {"at_least": True})}


def of_judging(consulted: Consulted, at_ms: int) -> dict[str, Any]:
    """The same of one assessor's calls. Whoever counts no tokens at all has told none."""
    usage = {"input": consulted.prompt_tokens, "output": consulted.completion_tokens}
    if not consulted.prices or not any(usage.values()):
        return {}
    found = cost(usage, consulted.prices, beside=(), at_ms=at_ms)
    return {} if found is None else {"cost": found.record()}
