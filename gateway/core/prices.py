"""What a model costs: its prices, and the cost of one exchange by them.

Whole numbers only, for the record has no others. Prices are of millionths of a currency for a
million tokens, so a token costs whole trillionths; a cost is rounded once, to billionths. Finer
than a millionth, for a short text costs less than that to embed, and there are many of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NANOS = 10**9
# Beyond this JSON readers are not exact, and no exchange costs nine million.
MAX_NANOS = 2**53 - 1
_SIDES = ("input", "output")
# What may be charged apart, what it is a part of, and charged as where it has no own price.
APART: Mapping[str, str] = {
    "cached_input": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "tool_input": "input",
    "reasoning": "output",
}
CHARGES = (*_SIDES, *APART)
# Under which name it is counted, if that is another one.
_COUNTED = {"cached_input": "cached"}
# Tokens of sound and pictures where they have a price of their own, which a Price has not.
MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs from a day on.

    currency: ISO 4217. rates: by `CHARGES`, in millionths of the currency for a million
    tokens; 0 costs nothing. since: the first day, as YYYY-MM-DD in UTC; empty: from ever.
    """

    currency: str
    rates: Mapping[str, int]
    since: str = ""
    since_ms: int = 0

    def rate(self, charge: str) -> int | None:
        """Of this, or of what it is charged as; None if that has no price."""
        while charge not in self.rates and charge in APART:
            charge = APART[charge]
        return self.rates.get(charge)


@dataclass(frozen=True, slots=True)
class Cost:
    """What an exchange cost. parts: (what is charged, tokens, rate). nanos: all of it, rounded."""

    price: Price
    nanos: int
    parts: tuple[tuple[str, int, int], ...]

    def record(self) -> dict[str, Any]:
        """As it goes on record: enough to compute it again."""
        return {
            "currency": self.price.currency,
            "nanos": self.nanos,
            "since": self.price.since,
            "parts": [
                {"charge": charge, "tokens": tokens, "rate": rate}
                for charge, tokens, rate in self.parts
            ],
        }


def in_force(prices: Sequence[Price], at_ms: int) -> Price | None:
    """The latest of them that has begun; None if none has."""
    begun = [price for price in prices if price.since_ms <= at_ms]
    return max(begun, key=lambda price: price.since_ms, default=None)


def cost(
    usage: Mapping[str, int], prices: Sequence[Price], *, beside: Collection[str], at_ms: int
) -> Cost | None:
    """What so many tokens cost at that time. None if that cannot be said; never 0 for that.

    beside: the counts that are not contained in that of what they are a part of, but come on top.
    Halves of a billionth are rounded up.
    """
    price = in_force(prices, at_ms) if usage else None
    if price is None or usage.get(MEDIA):
        return None
    tokens = _split(usage, beside)
    parts = []
    for charge, count in tokens.items():
        rate = price.rate(charge)
        if count is None and rate:
            return None
        if not count:
            continue
        if rate is None or count < 0:
            return None
        parts.append((charge, count, rate))
    nanos = (sum(count * rate for _, count, rate in parts) + 500) // 1_000
    return Cost(price, nanos, tuple(parts)) if nanos <= MAX_NANOS else None


def amount(nanos: int) -> str:
    """Billionths as a decimal number, with as many places as it takes but two at least."""
    whole, rest = divmod(nanos, NANOS)
    places = f"{rest:09d}".rstrip("0")
    return f"{whole}.{places:0<2}"


def _split(usage: Mapping[str, int], beside: Collection[str]) -> dict[str, int | None]:
    """Tokens by what is charged, each counted once; None for a side that was not told.

    Below zero if the counts contradict each other.
    """
    split: dict[str, int | None] = {side: usage.get(side) for side in _SIDES}
    for charge, part_of in APART.items():
        name = _COUNTED.get(charge, charge)
        count = usage.get(name, 0)
        if not count:
            continue
        split[charge] = count
        if name not in beside:
            split[part_of] = (split.get(part_of) or 0) - count
    return split
