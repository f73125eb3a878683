"""What a model of the catalogue costs, as its operator writes it down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime

from gateway.core.prices import CHARGES, Price
from gateway.cursor import Cursor

PLACES = 6
_UNIT = 1_000_000
_RATE = rf"[0-9]{{1,9}}(\.[0-9]{{1,{PLACES}}})?"
_HINT = (
    f"what a million tokens cost, as a decimal number with at most {PLACES} places in quotes, "
    'such as "0.15"'
)


def read(cursor: Cursor) -> tuple[Price, ...]:
    """One price, or several with the days from which they hold, the first of them first.

    Numbers are texts: what YAML makes of 0.1 is not a tenth, and of 010 is eight. Raises
    ConfigError.
    """
    several = isinstance(cursor.value, list)
    found: dict[str, Price] = {}
    for item in cursor.items() if several else (cursor,):
        price = _price(item)
        if price.since in found:
            at = item.fields(item.value).get("since", item)
            raise at.error("another price holds from the same day; each says its own 'since'.")
        found[price.since] = price
    if not found:
        raise cursor.error("is empty. Leave it out if the price is not known.")
    return tuple(sorted(found.values(), key=lambda price: price.since))


def told(prices: Iterable[Price]) -> Iterator[dict[str, str]]:
    """Prices as they stand in a catalogue: what they are of, and decimal numbers."""
    for price in prices:
        rates = {
            charge: _decimal(price.rates[charge]) for charge in CHARGES if charge in price.rates
        }
        yield {"currency": price.currency, "since": price.since, **rates}


def words(told_: Iterable[Mapping[str, str]]) -> str:
    """The same in one line: EUR 0.15 input, 0.6 output; from 2027-01-01 EUR 0.1 input."""
    lines = []
    for each in told_:
        since = f"from {each['since']} " if each["since"] else ""
        rates = (
            f"{each[charge]} {charge.replace('_', ' ')}" for charge in CHARGES if charge in each
        )
        lines.append(f"{since}{each['currency']} {', '.join(rates)}")
    return "; ".join(lines)


def _price(cursor: Cursor) -> Price:
    fields = cursor.fields(("currency", "since", *CHARGES), required=("currency", "input"))
    currency = fields["currency"].text("[A-Z]{3}", "three capital letters of ISO 4217, such as EUR")
    day = _day(fields["since"]) if "since" in fields else None
    return Price(
        currency,
        {charge: _rate(fields[charge]) for charge in CHARGES if charge in fields},
        since=day.isoformat() if day else "",
        since_ms=int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
        if day
        else 0,
    )


def _rate(cursor: Cursor) -> int:
    whole, _, places = cursor.text(_RATE, _HINT).partition(".")
    return int(whole) * _UNIT + int(places.ljust(PLACES, "0"))


def _day(cursor: Cursor) -> date:
    text = cursor.text(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", "a day as YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError as err:
        raise cursor.error(f"expected a day as YYYY-MM-DD, found {text!r}.") from err


def _decimal(rate: int) -> str:
    whole, rest = divmod(rate, _UNIT)
    return f"{whole}.{rest:0{PLACES}d}".rstrip("0").rstrip(".")
