"""A closed exchange in one line: what an entry of the log comes to, for tables and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.effects import ANSWER, REQUEST
from gateway.core.exchange import Outcome
from gateway.core.prices import amount

# Raised for every message, so that a rule can fire without a match.
EVENTS = frozenset({REQUEST, ANSWER})
# The strictest first.
_ACTIONS = ("block", "require_review", "route", "redact", "mask", "pseudonymise", "label", "flag")


@dataclass(frozen=True, slots=True)
class Line:
    """Never content: names of categories, rules and actions, counts and times.

    decision: the strictest action that was taken; "allow" if there was none and the
    exchange went through; empty if it did not. trials: rules that would have acted, had they
    been enforced, with their modes. cost: empty where it is not known.
    """

    exchange_id: str
    ts_ms: int
    kind: str
    outcome: str
    decision: str
    model: str
    provider: str
    tenant: str
    application: str
    key_id: str
    findings: Mapping[str, int]
    rules: tuple[str, ...]
    trials: Mapping[str, str]
    status: int
    tokens: int
    cost: str
    total_ms: float
    judging_ms: float
    judged_chars: int
    opaque: int
    restored: int
    refusal: str
    error: str
    policy: str
    hash: str


def line(entry: Mapping[str, Any]) -> Line:
    """The line of an entry as `gateway.audit.query` gives it. What is not there is empty."""
    data = entry.get("data", {})
    sides = [data.get("request", {}), data.get("response", {})]
    effects = [effect for side in sides for effect in side.get("effects", [])]
    findings: Counter[str] = Counter()
    for side in sides:
        for finding in side.get("findings", []):
            if finding["category"] not in EVENTS:
                findings[finding["category"]] += finding["count"]
    latency_us = data.get("latency_us", {})
    done = {effect["action"] for effect in effects}
    through = entry["outcome"] in (Outcome.COMPLETED, Outcome.DISCONNECTED)
    return Line(
        exchange_id=entry["exchange_id"],
        ts_ms=entry["ts_ms"],
        kind=entry["kind"],
        outcome=entry["outcome"],
        decision=next((a for a in _ACTIONS if a in done), "allow" if through else ""),
        model=entry["model"],
        provider=entry["provider"],
        tenant=entry["tenant"],
        application=entry["application"],
        key_id=entry["key_id"],
        findings=dict(findings.most_common()),
        rules=tuple(sorted({effect["rule"] for effect in effects})),
        trials={trial["rule"]: trial["mode"] for side in sides for trial in side.get("trials", [])},
        status=data.get("status", 0),
        tokens=sum(data.get("usage", {}).get(side, 0) for side in ("input", "output")),
        cost=_money(data.get("cost")),
        total_ms=latency_us.get("total", 0) / 1_000,
        judging_ms=latency_us.get("judging", 0) / 1_000,
        judged_chars=sum(side.get("judged_chars", 0) for side in sides),
        opaque=sum(len(side.get("opaque", [])) for side in sides),
        restored=data.get("restored", 0),
        refusal=data.get("refusal", {}).get("code", ""),
        error=data.get("error", ""),
        policy=data.get("policy", {}).get("revision", ""),
        hash=entry.get("hash", ""),
    )


def _money(cost: Mapping[str, Any] | None) -> str:
    """An amount and its currency; a plus sign stands for what was not told of it."""
    if cost is None:
        return ""
    return f"{amount(cost['nanos'])}{'+' if cost.get('at_least') else ''} {cost['currency']}"
