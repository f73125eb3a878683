"""Money is exact: each token charged once, one rounding, no cost where something is unknown."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.core.canonical import canonical
from gateway.core.prices import MAX_NANOS, Cost, Price, amount, cost, in_force

# Per million tokens: 3.00 and 15.00; read from a cache for 0.30, written there for 3.75 or 6.00.
RATES = {"input": 3_000_000, "output": 15_000_000}
CACHE = {"cached_input": 300_000, "cache_write": 3_750_000, "cache_write_1h": 6_000_000}
ANTHROPIC = ("cached", "cache_write")
GEMINI = ("reasoning", "tool_input")


def of(
    usage: Mapping[str, int], rates: Mapping[str, int] = RATES, beside: Collection[str] = ()
) -> Cost | None:
    return cost(usage, [Price("EUR", rates)], beside=beside, at_ms=0)


def nanos(
    usage: Mapping[str, int], rates: Mapping[str, int] = RATES, beside: Collection[str] = ()
) -> int | None:
    found = of(usage, rates, beside)
    return found.nanos if found else None


# usage, rates, what stands beside, nanos
COUNTED = [
    ({"input": 12, "output": 34}, RATES, (), 36_000 + 510_000),
    ({"input": 12, "output": 0}, RATES, (), 36_000),
    ({"input": 12}, {"input": 20_000}, (), 240),
    ({"input": 12, "output": 34}, {"input": 0, "output": 0}, (), 0),
    # Contained in the input, as OpenAI counts, and charged as it where there is no other price.
    ({"input": 100, "output": 0, "cached": 60}, RATES | CACHE, (), 40 * 3_000 + 60 * 300),
    ({"input": 100, "output": 0, "cached": 60}, RATES, (), 100 * 3_000),
    ({"input": 9, "output": 30, "reasoning": 20}, RATES, (), 9 * 3_000 + 30 * 15_000),
    (
        {"input": 9, "output": 30, "reasoning": 20},
        RATES | {"reasoning": 1_000_000},
        (),
        9 * 3_000 + 10 * 15_000 + 20 * 1_000,
    ),
    # Beside it, as Anthropic counts; the writing for an hour is a part of all writing.
    (
        {"input": 100, "output": 0, "cached": 60, "cache_write": 50, "cache_write_1h": 20},
        RATES | CACHE,
        ANTHROPIC,
        100 * 3_000 + 60 * 300 + 30 * 3_750 + 20 * 6_000,
    ),
    ({"input": 1, "output": 0, "cached": 2, "cache_write": 3}, RATES, ANTHROPIC, 6 * 3_000),
    # As Gemini counts: thoughts beside the answer, what tools put in beside the request.
    (
        {"input": 10, "output": 5, "reasoning": 7, "cached": 4, "tool_input": 2},
        RATES | CACHE,
        GEMINI,
        6 * 3_000 + 4 * 300 + 2 * 3_000 + 12 * 15_000,
    ),
]


@pytest.mark.parametrize(("usage", "rates", "beside", "expected"), COUNTED)
def test_each_token_is_charged_once(
    usage: dict[str, int], rates: dict[str, int], beside: tuple[str, ...], expected: int
) -> None:
    assert nanos(usage, rates, beside) == expected


UNKNOWN = {
    "no tokens": ({}, RATES),
    "only one side": ({"input": 5}, RATES),
    "the other side": ({"output": 5}, RATES),
    "an answer without a price": ({"input": 5, "output": 5}, {"input": 3}),
    "sound": ({"input": 5, "output": 5, "media": 2}, RATES),
    "more read than there was": ({"input": 5, "output": 5, "cached": 6}, RATES | CACHE),
    "more than anybody pays": ({"input": 1 << 61, "output": 5}, RATES),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_not_known_is_no_cost_at_all(case: str) -> None:
    assert of(*UNKNOWN[case]) is None


def test_no_price_is_no_cost_and_a_price_of_nothing_is_one() -> None:
    assert cost({"input": 5, "output": 5}, [], beside=(), at_ms=0) is None
    assert nanos({"input": 5, "output": 5}, {"input": 0, "output": 0}) == 0


# tokens of one millionth of a currency for a million of them: trillionths
ROUNDED = [(0, 0), (1, 0), (499, 0), (500, 1), (501, 1), (999, 1), (1_499, 1), (1_500, 2)]


@pytest.mark.parametrize(("tokens", "expected"), ROUNDED)
def test_halves_of_a_billionth_are_rounded_up(tokens: int, expected: int) -> None:
    assert nanos({"input": tokens, "output": 0}, {"input": 1, "output": 1}) == expected


tokens = some.integers(0, 10**7)
rates = some.integers(0, 10**9)


@given(tokens, tokens, rates, rates)
def test_a_cost_is_what_paper_says(sent: int, said: int, in_: int, out: int) -> None:
    per_token = [Decimal(rate) / 10**12 for rate in (in_, out)]
    exact = sent * per_token[0] + said * per_token[1]
    expected = int((exact * 10**9).quantize(Decimal(1), ROUND_HALF_UP))
    found = of({"input": sent, "output": said}, {"input": in_, "output": out})
    assert (found.nanos if found else None) == (expected if expected <= MAX_NANOS else None)


@given(
    some.fixed_dictionaries(
        {"input": tokens, "output": tokens},
        optional=dict.fromkeys((*ANTHROPIC, *GEMINI, "cache_write_1h"), tokens),
    ),
    some.sampled_from([(), ANTHROPIC, GEMINI]),
)
def test_a_record_holds_whole_numbers_that_say_it_again(
    usage: dict[str, int], beside: tuple[str, ...]
) -> None:
    found = of(usage, RATES | CACHE, beside)
    if found is None:
        return
    told = json.loads(canonical(found.record()))
    total = sum(part["tokens"] * part["rate"] for part in told["parts"])
    assert told["nanos"] == (total + 500) // 1_000
    counted = {"input", "output", *beside} & usage.keys()
    assert sum(part["tokens"] for part in told["parts"]) == sum(usage[name] for name in counted)


def test_the_price_in_force_counts() -> None:
    first, second = Price("EUR", {"input": 2}), Price("USD", {"input": 3}, "2027-01-01", 1_000)
    assert [in_force([second, first], at) for at in (0, 999, 1_000)] == [first, first, second]
    assert in_force([second], 999) is None
    assert cost({"input": 1}, [second], beside=(), at_ms=999) is None


SHOWN = [(0, "0.00"), (1, "0.000000001"), (1_500_000_000, "1.50"), (10**9, "1.00")]


@pytest.mark.parametrize(("given_", "shown"), SHOWN)
def test_amounts_are_shown_exactly(given_: int, shown: str) -> None:
    assert amount(given_) == shown
