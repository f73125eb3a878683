"""An exchange explained to whoever made it, and to nobody else; by the real gateway."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.clock import SystemClock
from gateway.identity.keytable import KeyTable
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway

MAIL = f"Write to {BY_NAME['email'].value}, card {BY_NAME['card'].value}."


def explain(gateway: Gateway, exchange_id: str, key: str, method: str = "GET") -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return gateway.ask(method, f"/v1/exchanges/{exchange_id}/explain", headers=headers)


@pytest.fixture(scope="module")
def asked(gateway: Gateway) -> str:
    """The id of an exchange in which something was found."""
    answer = gateway.post("up-echo-explained", MAIL)
    gateway.ends("up-echo-explained")
    return answer.headers["gw-request-id"]


def test_its_owner_is_told_what_was_decided(gateway: Gateway, asked: str) -> None:
    answer = explain(gateway, asked, gateway.key)
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["outcome"], told["model"]) == (
        200, "completed", "up-echo-explained",
    )  # fmt: skip
    assert told["categories"]["request"] == {"CREDIT_CARD": 1, "EMAIL_ADDRESS": 1}
    rules = {(r["direction"], r["policy"], r["rule"], r["action"]) for r in told["rules"]}
    assert ("request", "default", "contact", "pseudonymise") in rules
    assert ("request", "default", "cards", "redact") in rules
    assert told["coverage"]["request"]["judged_chars"] >= len(MAIL)
    assert told["policy"]["revision"].startswith("default@")
    assert told["route"]["backend"] == "up"
    for canary in ("email", "card"):
        assert BY_NAME[canary].value not in answer.text


def test_nobody_else_learns_that_it_exists(gateway: Gateway, asked: str) -> None:
    _, other = KeyTable(gateway.engine, SystemClock()).new("other", roles=("admin",))
    theirs = explain(gateway, asked, other)
    nothing = explain(gateway, "00000000-0000-7000-8000-000000000000", gateway.key)
    odd = explain(gateway, "%25 or 1=1", gateway.key)
    told = {(a.status_code, a.json()["error"]["message"]) for a in (theirs, nothing, odd)}
    assert told == {(404, "No exchange with this id was made with this key.")}
    assert explain(gateway, asked[:20], gateway.key).status_code == 404
    assert explain(gateway, asked, "").status_code == 401
    assert explain(gateway, asked, gateway.key, "POST").status_code == 405


def test_a_blocked_one_names_its_rule(gateway: Gateway) -> None:
    answer = gateway.post("up-echo-explained-blocked", BY_NAME["aws"].text)
    gateway.ends("up-echo-explained-blocked")
    told = explain(gateway, answer.headers["gw-request-id"], gateway.key).json()
    refusal = {"code": "policy_violation", "policy": "default", "rule": "secrets-out"}
    assert (told["outcome"], told["refusal"]) == ("blocked", refusal)


def test_the_read_is_on_record(gateway: Gateway, asked: str) -> None:
    before = len(gateway.entries(kind="access.audit_read"))
    assert explain(gateway, asked, gateway.key).status_code == 200
    reads = gateway.entries(kind="access.audit_read")
    assert len(reads) == before + 1
    assert (reads[-1]["exchange_id"], reads[-1]["key_id"]) == (asked, gateway.key_id)
    assert gateway.verify()[0] == 0
