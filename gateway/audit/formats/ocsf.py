"""OCSF 1.8.0 events, one JSON line each (schema.ocsf.io).

A closed exchange is an API Activity (6003) with the profiles `security_control` and
`ai_operation`; each category that was found in it is a finding of its own: Data Security
Finding (2006) for data, Detection Finding (2004) for hazards and attacks. Acts of
administration are API Activities too. That an exchange was opened is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from gateway import __version__, taxonomy
from gateway.audit.chain import CLOSED, OPENED
from gateway.audit.formats import Entry
from gateway.audit.line import EVENTS, Line, line
from gateway.core.exchange import Outcome
from gateway.core.judgement import DETECTOR_ERROR, OPAQUE, STATE

VERSION = "1.8.0"
_API_ACTIVITY, _DATA_FINDING, _DETECTION_FINDING = 6003, 2006, 2004
_CREATE, _OTHER = 1, 99
_SUCCESS, _FAILURE = 1, 2
_INFORMATIONAL, _LOW, _MEDIUM = 1, 2, 3
# (action_id, disposition_id) of the profile security_control, by decision.
_CONTROLS = {
    "block": (2, 2),
    "require_review": (2, 14),
    "route": (1, 7),
    "redact": (1, 11),
    "mask": (1, 11),
    "pseudonymise": (1, 11),
    "label": (1, 18),
    "flag": (1, 17),
    "allow": (1, 1),
}
_FAILED = (0, 27)
# What happened to a message is no finding in it.
_NO_FINDING = EVENTS | {DETECTOR_ERROR, OPAQUE, STATE}
_UNSUCCESSFUL = frozenset(Outcome) - {Outcome.COMPLETED, Outcome.DISCONNECTED}


class Member:
    """Implements `Format`."""

    media_type = "application/x-ndjson"
    head = ""

    def batch(self, entries: Sequence[Entry]) -> str:
        """One line an event."""
        made = (event for entry in entries for event in events(entry))
        return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in made)


def events(entry: Entry) -> Iterator[dict[str, Any]]:
    """The events that an entry comes to."""
    if entry["kind"] == OPENED:
        return
    told = line(entry)
    if entry["kind"] != CLOSED:
        yield _act(entry, told)
        return
    yield _call(entry, told)
    for direction in ("request", "response"):
        for finding in entry["data"][direction]["findings"]:
            if finding["category"] not in _NO_FINDING:
                yield _finding(entry, told, direction, finding)


def _call(entry: Entry, told: Line) -> dict[str, Any]:
    data = entry["data"]
    usage = data.get("usage", {})
    tokens = usage.get("input", 0), usage.get("output", 0)
    failed = told.outcome in _UNSUCCESSFUL
    action_id, disposition_id = _CONTROLS.get(told.decision, _FAILED if failed else (0, 99))
    event = {
        **_head(entry, _API_ACTIVITY, _CREATE, _MEDIUM if failed else _INFORMATIONAL),
        **_activity(entry, told, data.get("endpoint", "")),
        "status_id": _FAILURE if failed else _SUCCESS,
        "status_code": str(told.status),
        "status_detail": told.refusal or told.error,
        "duration": round(told.total_ms),
        "dst_endpoint": {"name": data.get("backend", ""), "svc_name": told.provider},
        "http_response": {"code": told.status},
        "action_id": action_id,
        "disposition_id": disposition_id,
        "is_alert": told.decision == "block",
        "policy": {"name": told.policy, "uid": data["policy"]["digest"], "is_applied": True},
        "ai_model": {
            "name": told.model or "none",
            "ai_provider": told.provider or "none",
            "version": data.get("answer_model", ""),
        },
        "message_context": {
            "ai_role_id": 2,
            "uid": told.exchange_id,
            "service": {"name": told.provider or "none"},
            "application": {"name": told.application or told.key_id or "none"},
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        },
        "unmapped": {"outcome": told.outcome, "rules": ",".join(told.rules), "hash": told.hash},
    }
    if told.rules:
        event["firewall_rule"] = {"uid": told.rules[0], "name": told.rules[0]}
    return event


def _act(entry: Entry, told: Line) -> dict[str, Any]:
    """Something that was done to the gateway or to its log."""
    return {
        **_head(entry, _API_ACTIVITY, _OTHER, _INFORMATIONAL),
        **_activity(entry, told, entry["kind"]),
        "activity_name": entry["kind"],
        "status_id": _SUCCESS,
        "unmapped": {"hash": told.hash},
    }


def _activity(entry: Entry, told: Line, operation: str) -> dict[str, Any]:
    who = told.application or told.key_id or entry["replica"]
    return {
        "actor": {"app_name": who, "app_uid": told.key_id or entry["replica"]},
        "api": {"operation": operation, "request": {"uid": told.exchange_id or entry["id"]}},
        "src_endpoint": {"name": who, "uid": told.key_id or entry["replica"]},
    }


def _finding(
    entry: Entry, told: Line, direction: str, finding: Mapping[str, Any]
) -> dict[str, Any]:
    """One category that was found on one side of an exchange."""
    category = finding["category"]
    attack = _attacks().get(category)
    hazard = attack is not None or category in _hazards()
    class_uid = _DETECTION_FINDING if hazard else _DATA_FINDING
    action_id, disposition_id = _CONTROLS.get(told.decision, (0, 99))
    event = {
        **_head(entry, class_uid, _CREATE, _MEDIUM if told.decision == "block" else _LOW),
        "finding_info": {
            "uid": f"{told.exchange_id}/{direction}/{finding['detector']}/{category}",
            "title": f"{category} in a {direction}",
            "analytic": {"name": finding["detector"], "type_id": 1},
        },
        "count": finding["count"],
        "confidence_score": round(finding["max_pm"] / 10),
        "action_id": action_id,
        "disposition_id": disposition_id,
        "is_alert": told.decision == "block",
    }
    if attack:
        event["attacks"] = [{"technique": {"uid": uid}} for uid in attack]
    if not hazard:
        # An application's own data-loss prevention, of data on its way.
        event["data_security"] = {"detection_system_id": 10, "data_lifecycle_state_id": 2}
    return event


def _head(entry: Entry, class_uid: int, activity_id: int, severity_id: int) -> dict[str, Any]:
    profiles = ["security_control"]
    if entry["kind"] == CLOSED and class_uid == _API_ACTIVITY:
        profiles.append("ai_operation")
    return {
        "category_uid": class_uid // 1000,
        "class_uid": class_uid,
        "activity_id": activity_id,
        "type_uid": class_uid * 100 + activity_id,
        "severity_id": severity_id,
        "time": entry["ts_ms"],
        "metadata": {
            "version": VERSION,
            "profiles": profiles,
            "product": {
                "name": "responsible-use-gateway",
                "vendor_name": "responsible-use-gateway",
                "version": __version__,
            },
            "log_name": "audit",
            "uid": entry["id"],
            "correlation_uid": entry["exchange_id"] or entry["id"],
            "tenant_uid": entry["tenant"] or "none",
        },
    }


@cache
def _attacks() -> dict[str, tuple[str, ...]]:
    """MITRE ATLAS techniques by category."""
    security = taxonomy.load().security.values()
    return {each.category: each.names.get("atlas", ()) for each in security}


@cache
def _hazards() -> frozenset[str]:
    return frozenset({e.category for e in taxonomy.load().hazards.values()} | {taxonomy.UNSAFE})
