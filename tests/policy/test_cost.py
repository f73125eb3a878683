"""What judging costs. Printed with `pytest -s`; nothing is asserted about time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import actions
from gateway.core.judgement import Context, Finding, Subject
from gateway.core.message import Kind
from gateway.policy.bundle import load
from gateway.policy.language import Vocabulary

POLICIES = Path(__file__).parents[2] / "policies"
CATEGORIES = ["EMAIL_ADDRESS", "PERSON", "CREDIT_CARD", "IP_ADDRESS", "US_SSN"]
ROUNDS = 200


@pytest.mark.parametrize("direction", ["request", "response"])
@pytest.mark.parametrize("name", ["default", "strict"])
def test_cost_of_twenty_findings(
    name: str, direction: str, context: Callable[..., Context]
) -> None:
    bundle = load(POLICIES / f"{name}.yaml", Vocabulary(actions.load()))
    found = [Finding("pii", CATEGORIES[i % 5], i, i + 5, 0.85) for i in range(20)]
    exchange, subject = context(direction=direction), Subject("user", Kind.TEXT)
    started = time.process_time()
    for _ in range(ROUNDS):
        verdict = bundle.bind(exchange).decide(found, subject)
    spent_us = (time.process_time() - started) / ROUNDS * 1e6
    print(f"{name}, {direction}: {spent_us:.0f} us of CPU for bind and 20 findings")
    assert verdict.effects
