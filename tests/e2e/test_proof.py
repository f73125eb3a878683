"""An exchange proved to whoever made it, by the real gateway, and checked without it."""

from __future__ import annotations

import time

import httpx
import pytest

from gateway.audit import verifier
from gateway.clock import SystemClock
from gateway.identity.keytable import KeyTable
from tests.e2e.running import Gateway


def ask(gateway: Gateway, exchange_id: str, key: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    return gateway.ask("GET", f"/v1/audit/{exchange_id}/proof", headers=headers)


@pytest.fixture(scope="module")
def asked(gateway: Gateway) -> str:
    answer = gateway.post("up-echo-proved", "What is the time?")
    gateway.ends("up-echo-proved")
    return answer.headers["gw-request-id"]


def test_its_owner_gets_a_proof_that_holds(gateway: Gateway, asked: str) -> None:
    for _ in range(100):
        answer = ask(gateway, asked, gateway.key)
        if answer.status_code != 503:
            break
        assert answer.headers["retry-after"] == "2"
        time.sleep(0.1)
    assert answer.status_code == 200
    lines = verifier.check(answer.json())
    assert sum(line.startswith("entry ") for line in lines) == 2
    assert gateway.verify()[0] == 0


def test_nobody_else_gets_one(gateway: Gateway, asked: str) -> None:
    _, other = KeyTable(gateway.engine, SystemClock()).new("other", roles=("admin",))
    nothing = ask(gateway, "00000000-0000-7000-8000-000000000000", gateway.key)
    for answer in (ask(gateway, asked, other), nothing):
        assert answer.status_code == 404
