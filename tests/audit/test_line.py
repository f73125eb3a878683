"""What an entry comes to in one line."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.audit.line import line
from tests.audit.conftest import make_closed

COSTS: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"cost": {"currency": "EUR", "nanos": 0}}, "0.00 EUR"),
    ({"cost": {"currency": "EUR", "nanos": 1_230_000_000}}, "1.23 EUR"),
    ({"cost": {"currency": "JPY", "nanos": 5, "at_least": True}}, "0.000000005+ JPY"),
]


@pytest.mark.parametrize(("told", "shown"), COSTS)
def test_a_cost_is_shown_with_its_currency_or_not_at_all(told: dict[str, Any], shown: str) -> None:
    made = make_closed(1)
    columns = ("exchange_id", "kind", "outcome", "model", "provider", "tenant", "application")
    entry = {name: getattr(made, name) for name in (*columns, "key_id")}
    assert line({**entry, "ts_ms": 1, "data": {**made.core, **told}}).cost == shown
