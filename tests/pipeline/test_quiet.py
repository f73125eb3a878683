"""False hits that somebody has marked are no findings, and the record says so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.core.exchange import Outcome
from gateway.pipeline.house import House
from tests.pipeline.fakes import Asked, Backend, Bundle, Inspector, ask, chat, house

KEY, OTHER = "key-0a1b2c3d", "key-99999999"
RULES = {"KEY": "block", "EMAIL_ADDRESS": "redact"}


def marked(made: House, *, tenant: str = "acme") -> House:
    def quiet(category: str, value: str) -> str:
        return "mark-1" if (category, value) == ("KEY", KEY) else ""

    return replace(made, quiet=lambda whose: quiet if whose == tenant else None)


def closed(asked: Asked) -> dict[str, object]:
    return asked.sink.entries[-1].core["request"]


@pytest.mark.parametrize("model", [False, True])
def test_a_marked_value_is_let_through_and_counted(model: bool) -> None:
    backend = Backend(b"{}")
    made = house(backend, Bundle(RULES), inspector=Inspector(model=model))
    asked = ask(marked(made), chat(f"use {KEY} or {KEY}"))
    assert asked.exchange.outcome is not Outcome.BLOCKED
    assert KEY.encode() in backend.bodies[0]
    assert asked.exchange.request.quieted == {("KEY", "mark-1"): 2}
    assert asked.exchange.request.findings == {}


def test_it_counts_for_its_tenant_alone() -> None:
    asked = ask(marked(house(Backend(b"{}"), Bundle(RULES)), tenant="other"), chat(f"use {KEY}"))
    assert asked.exchange.outcome is Outcome.BLOCKED


def test_other_values_are_found_beside_it() -> None:
    backend = Backend(b"{}")
    asked = ask(marked(house(backend, Bundle(RULES))), chat(f"use {KEY}, not {OTHER}"))
    assert asked.exchange.outcome is Outcome.BLOCKED
    assert backend.bodies == []


def test_what_was_remembered_is_found_again_when_a_mark_ends() -> None:
    made = house(Backend(b"{}"), Bundle(RULES))
    assert ask(marked(made), chat(f"use {KEY}")).exchange.outcome is not Outcome.BLOCKED
    assert ask(made, chat(f"use {KEY}")).exchange.outcome is Outcome.BLOCKED


def test_answers_too() -> None:
    answer = json.dumps(
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": f"It is {KEY}."}}]}
    ).encode()
    asked = ask(marked(house(Backend(answer), Bundle(RULES))), chat("which key?"))
    assert KEY.encode() in asked.body
    assert asked.exchange.response.quieted == {("KEY", "mark-1"): 1}
