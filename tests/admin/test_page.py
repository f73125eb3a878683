"""The page, the probes and the metrics, as they leave the house."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from gateway.admin.metrics import exposition
from gateway.audit.line import line
from tests.admin.house import House, Within, closed

FOREIGN = re.compile(r"<script|javascript:|\son\w+=|\sstyle=|@import|url\(")
EVERYWHERE = ["/", "/livez", "/metrics", "/admin/v1/status", "/nothing"]


def test_every_answer_has_the_strict_headers(within: Within) -> None:
    async def test(made: House) -> None:
        for path in EVERYWHERE:
            headers = (await made.client.get(path)).headers
            assert headers["content-security-policy"].startswith("default-src 'none'; ")
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"

    within(test)


def test_pages_hold_everything_they_need(within: Within) -> None:
    async def test(made: House) -> None:
        door = await made.client.get("/")
        await made.sign_in()
        await made.write(closed(1))
        for answer in (door, await made.client.get("/")):
            assert answer.status_code == 200
            assert "://" not in answer.text
            assert not re.search(
                r"<script|javascript:|\son\w+=|\sstyle=|@import|url\(", answer.text
            )
            style = re.search(r"<style>(.*)</style>", answer.text, re.DOTALL)
            assert style is not None
            digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
            assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]

    within(test)


def test_overview_shows_what_happened(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(closed(1), closed(2, outcome="blocked"))
        await made.sign_in()
        text = (await made.client.get("/")).text
        for word in (
            "Ready",
            "default",
            "EMAIL_ADDRESS ×2",
            "redact",
            "00000001-exchange",
            "12 ms",
            "sees up to confidential, health, kept 30 days",
        ):
            assert word in text
        assert "REQUEST" not in text
        blocked = (await made.client.get("/?outcome=blocked")).text
        assert "00000002-exchange" in blocked
        assert "00000001-exchange" not in blocked

    within(test)


def test_a_refusal_says_why(within: Within) -> None:
    async def test(made: House) -> None:
        why = {"refusal": {"code": "model_not_found"}}
        await made.write(replace(closed(1, outcome="refused"), core=why))
        await made.sign_in()
        text = (await made.client.get("/")).text
        assert '<span class="quiet">model_not_found</span>' in text

    within(test)


def test_older_leads_on(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(*(closed(number) for number in range(51)))
        await made.sign_in()
        text = (await made.client.get("/")).text
        assert "00000000-exchange" not in text
        older = re.search(r'href="(/\?after=[^"]+)">Older', text)
        assert older is not None
        text = (await made.client.get(older[1])).text
        assert "00000000-exchange" in text
        assert "Older" not in text

    within(test)


def test_words_from_outside_are_escaped(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(closed(1, model="<log>", application='"><em>'))
        await made.sign_in()
        text = (await made.client.get("/?outcome=<u>")).text + (await made.client.get("/")).text
        for word in ("<b>x", "<log>", '"><em>', "<u>", "<here>", "<auditor>"):
            assert word not in text
        assert "&lt;b&gt;x" in text
        assert "&lt;log&gt;" in text

    within(test, model="<b>x")


def test_problems_are_shown_and_probed(within: Within) -> None:
    async def test(made: House) -> None:
        made.problems["audit"] = "the audit log cannot be written"
        assert (await made.client.get("/readyz")).status_code == 503
        assert "gateway_ready 0\n" in (await made.client.get("/metrics")).text
        await made.sign_in()
        text = (await made.client.get("/")).text
        assert "Not ready" in text
        assert "the audit log cannot be written" in text

    within(test)


def test_status_says_what_runs(within: Within) -> None:
    async def test(made: House) -> None:
        status = (await made.client.get("/admin/v1/status", headers=made.bearer("admin"))).json()
        assert status["ready"] is True
        assert status["bundle"]["revision"] == "default@1"
        assert [model["name"] for model in status["models"]] == ["echo"]
        assert "audit_rows_total" in status["counters"]

    within(test)


def test_metrics_are_prometheus_text() -> None:
    counters = {"a_total": 3, "odd name": 1, 'up{backend="a/b"}': 1, 'up{backend="c"}': 0}
    text = exposition(counters, ready=True, version="1.2", bundle="ab")
    sample = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? -?\d+")
    for row in text.splitlines():
        assert row.startswith("# ") or sample.fullmatch(row), row
    assert "# TYPE gateway_a_total counter\ngateway_a_total 3\n" in text
    assert "gateway_odd_name 1" in text
    rows = 'gateway_up{backend="a/b"} 1\ngateway_up{backend="c"} 0\n'
    assert f"# TYPE gateway_up gauge\n{rows}" in text


@pytest.mark.parametrize(
    ("actions", "outcome", "decision"),
    [
        (["flag", "redact", "label"], "completed", "redact"),
        (["pseudonymise", "mask"], "completed", "mask"),
        (["block", "redact"], "blocked", "block"),
        ([], "completed", "allow"),
        ([], "refused", ""),
    ],
)
def test_decision_is_the_strictest(actions: list[str], outcome: str, decision: str) -> None:
    entry = {"exchange_id": "x", "ts_ms": 0, "kind": "exchange.closed", "outcome": outcome}
    entry |= dict.fromkeys(("model", "provider", "tenant", "application", "key_id"), "")
    effects = [{"action": action, "rule": "p/r", "count": 1} for action in actions]
    assert line({**entry, "data": {"request": {"effects": effects}}}).decision == decision
