"""Entries as the log has them, for tests of formats."""

from __future__ import annotations

from typing import Any

HEAD: dict[str, Any] = {
    "v": 1,
    "replica": "gw-1",
    "epoch": 1_763_800_000_000,
    "tenant": "acme",
    "application": "shop",
    "key_id": "abcdefghij",
    "hash": "ab" * 32,
}
ROUTE = {
    "backend": "openai",
    "hosting": "hosted",
    "region": "eu",
    "terms": [{"profile": "openai/usage", "rev": "r1", "acceptance": ""}],
}


def opened(index: int = 0) -> dict[str, Any]:
    data = {"endpoint": "/v1/chat/completions", "team": "web", **ROUTE}
    return _entry(index, "exchange.opened", data, outcome="")


def closed(
    index: int = 1, *, action: str = "redact", outcome: str = "completed", **changes: Any
) -> dict[str, Any]:
    findings = [
        _finding("pii", "EMAIL_ADDRESS", 2, 1000),
        _finding("injection", "PROMPT_INJECTION_DIRECT", 1, 870),
        _finding("content", "WEAPONS_CBRNE", 1, 700),
        _finding("gateway", "REQUEST", 1, 1000),
        _finding("gateway", "OPAQUE", 1, 1000),
    ]
    effects = [{"action": action, "rule": "default/contact", "reason": "CONTACT", "count": 2}]
    data = {
        "endpoint": "/v1/chat/completions",
        "status": 200,
        "team": "web",
        "policy": {"digest": "d" * 64, "revision": "default@7"},
        "request": {"bytes": 120, "findings": findings, "effects": effects},
        "response": {"bytes": 340, "findings": [], "effects": []},
        "usage": {"input": 12, "output": 34},
        "answer_model": "gpt-5-2026",
        "error": "",
        "latency_us": {"total": 81_400},
        **ROUTE,
        **changes,
    }
    return _entry(index, "exchange.closed", data, outcome=outcome)


def act(index: int = 2) -> dict[str, Any]:
    data = {"via": "cli", "work": "the|novel=1\n", "words": 1_000}
    return _entry(index, "works.added", data, outcome="") | {"exchange_id": "", "model": ""}


def _entry(index: int, kind: str, data: dict[str, Any], *, outcome: str) -> dict[str, Any]:
    return {
        **HEAD,
        "index": index,
        "id": f"0193-{index}",
        "n": index,
        "ts_ms": 1_763_800_000_000 + index,
        "kind": kind,
        "exchange_id": "0193-exchange",
        "model": "gpt-5",
        "provider": "openai",
        "outcome": outcome,
        "data": data,
    }


def _finding(detector: str, category: str, count: int, max_pm: int) -> dict[str, Any]:
    return {"detector": detector, "category": category, "count": count, "max_pm": max_pm}
