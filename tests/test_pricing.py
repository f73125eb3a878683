"""Prices in a catalogue: decimal texts, read without a float, each with the day it holds from."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway import catalogue, pricing
from gateway.core.errors import ConfigError
from gateway.core.prices import Price
from gateway.cursor import Cursor
from gateway.documents import Document, parse

ENTRY = """apiVersion: gateway/v1
kind: Catalogue
backends:
  - {name: echo, kind: echo}
models:
  - name: small
    backend: echo
    price:
      currency: EUR
      input: "0.15"
      output: "0.6"
      cached_input: "0.075"
      since: 2026-11-01
"""


def prices(tmp_path: Path, text: str = ENTRY) -> tuple[Price, ...]:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    model = catalogue.read(path, ("echo",), {}).find("small")
    assert model
    return model.route("small").prices


def test_a_price_is_read_exactly(tmp_path: Path) -> None:
    (price,) = prices(tmp_path)
    assert price.rates == {"input": 150_000, "output": 600_000, "cached_input": 75_000}
    assert (price.currency, price.since, price.since_ms) == (
        "EUR", "2026-11-01", 1_793_491_200_000,
    )  # fmt: skip


def test_a_model_without_a_price_has_none(tmp_path: Path) -> None:
    assert prices(tmp_path, ENTRY[: ENTRY.index("    price")]) == ()


def test_several_prices_hold_one_after_the_other(tmp_path: Path) -> None:
    later = '{currency: EUR, input: "2", since: 2027-01-01}'
    first = '{currency: USD, input: "1"}'
    text = ENTRY[: ENTRY.index("    price")] + f"    price: [{later}, {first}]\n"
    assert [(p.currency, p.since) for p in prices(tmp_path, text)] == [
        ("USD", ""), ("EUR", "2027-01-01"),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="holds from the same day"):
        prices(tmp_path, text.replace(later, first))


def test_a_price_makes_no_other_place(tmp_path: Path) -> None:
    model = catalogue.read(_written(tmp_path), ("echo",), {}).find("small")
    assert model
    dear = model.route("small")
    cheap = replace(dear, prices=(Price("EUR", {"input": 1}),))
    assert (cheap, repr(cheap)) == (dear, repr(dear))
    assert cheap.prices != dear.prices


def _written(tmp_path: Path) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text(ENTRY)
    return path


# (what is replaced, by what, what the operator is told)
ERRORS = [
    ('"0.15"', "0.15", r":10: .*expected text, found 0.15. Put it in quotes"),
    ('"0.15"', "3", "Put it in quotes"),
    ('"0.15"', '"-1"', "what a million tokens cost"),
    ('"0.15"', '"1e3"', "what a million tokens cost"),
    ('"0.15"', '"0,15"', "what a million tokens cost"),
    ('"0.15"', '"0.1234567"', "at most 6 places"),
    ('"0.15"', '"1234567890"', "what a million tokens cost"),
    ('"0.15"', '".5"', "what a million tokens cost"),
    ('"0.15"', '"\u0661"', "what a million tokens cost"),
    ('      input: "0.15"\n', "", "'input' is missing"),
    ("      currency: EUR\n", "", "'currency' is missing"),
    ("EUR", "euro", "ISO 4217"),
    ("EUR", "EURO", "ISO 4217"),
    ("2026-11-01", '"2026-02-30"', ":13: .*a day as YYYY-MM-DD"),
    ("2026-11-01", "01.11.2026", "a day as YYYY-MM-DD"),
    ("2026-11-01", "20261101", "Put it in quotes"),
    ("cached_input", "cached", "Did you mean 'cached_input'"),
    ("price:", "prices:", "Did you mean 'price'"),
]


@pytest.mark.parametrize(("old", "new", "told"), ERRORS)
def test_errors_name_the_line_and_what_is_expected(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        prices(tmp_path, ENTRY.replace(old, new, 1))
    assert str(tmp_path / "c.yaml") in str(caught.value)


def test_no_prices_are_an_error(tmp_path: Path) -> None:
    text = ENTRY[: ENTRY.index("    price")] + "    price: []\n"
    with pytest.raises(ConfigError, match="Leave it out"):
        prices(tmp_path, text)


@given(some.decimals(0, 999_999_999, allow_nan=False, places=6))
def test_every_decimal_is_read_and_told_as_it_is(rate: Decimal) -> None:
    text = f"{rate:f}"
    (price,) = pricing.read(_cursor({"currency": "EUR", "input": text}))
    assert Decimal(price.rates["input"]).scaleb(-6) == rate
    (told,) = pricing.told([price])
    assert Decimal(told["input"]) == rate


def test_a_price_is_told_in_one_line(tmp_path: Path) -> None:
    assert pricing.words(pricing.told(prices(tmp_path))) == (
        "from 2026-11-01 EUR 0.15 input, 0.6 output, 0.075 cached input"
    )


def _cursor(value: Any) -> Cursor:
    document: Document = parse(b"{}", "c.yaml")[0]
    return Cursor(document, (), value, "price")
