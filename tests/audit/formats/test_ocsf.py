"""Events by OCSF's own schema: classes and objects of 1.7.0, which 1.8.0 keeps, from the
package pydantic-ocsf; what 1.8.0 has beside them, from its profiles as published."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ocsf.v1_7_0.events import ApiActivity, DataSecurityFinding, DetectionFinding
from pydantic import BaseModel

from gateway.audit import formats
from tests.audit.formats.events import act, closed, opened

CLASSES = {6003: ApiActivity, 2006: DataSecurityFinding, 2004: DetectionFinding}
# ocsf-schema, profiles/security_control.json and profiles/ai_operation.json (2026).
PROFILES = {
    "security_control": {
        "action", "action_id", "attacks", "authorizations", "confidence", "confidence_id",
        "confidence_score", "disposition", "disposition_id", "firewall_rule", "is_alert",
        "malware", "policy", "risk_details", "risk_level", "risk_level_id", "risk_score",
    },
    "ai_operation": {"ai_agent", "ai_model", "message_context"},
}  # fmt: skip
ACTIONS, DISPOSITIONS = {0, 1, 2}, {*range(28), 99}


def events(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in formats.named("ocsf").batch(entries).splitlines()]


def unknown(read: BaseModel) -> Iterator[str]:
    """Attributes of the objects in an event that their class does not have."""
    for name in type(read).model_fields:
        value = getattr(read, name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, BaseModel):
                yield from (f"{name}.{extra}" for extra in each.model_extra or ())
                yield from unknown(each)


CASES = [
    act(),
    closed(),
    closed(action="block", outcome="blocked", refusal={"code": "policy_violation"}),
    closed(action="flag"),
    closed(action="label"),
    closed(action="pseudonymise"),
    closed(outcome="failed", error="ValueError"),
    closed(outcome="disconnected"),
    closed() | {"application": "", "key_id": "", "model": "", "provider": "", "tenant": ""},
]


@pytest.mark.parametrize("entry", CASES)
def test_events_hold_by_the_published_schema(entry: dict[str, Any]) -> None:
    found = events(entry)
    assert found
    for event in found:
        kind = CLASSES[event["class_uid"]]
        kind.model_validate(event)
        allowed = set(kind.model_fields).union(
            *(PROFILES[p] for p in event["metadata"]["profiles"])
        )
        assert set(event) <= allowed
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["category_uid"] == event["class_uid"] // 1000
        if "action_id" in event:
            assert event["action_id"] in ACTIONS
            assert event["disposition_id"] in DISPOSITIONS


@pytest.mark.parametrize("entry", CASES)
def test_objects_of_ai_operations_have_what_they_need(entry: dict[str, Any]) -> None:
    for event in events(entry):
        if "ai_operation" in event["metadata"]["profiles"]:
            assert all(event["ai_model"][name] for name in ("name", "ai_provider"))
            context = event["message_context"]
            assert context["ai_role_id"] == 2
            assert context["application"]["name"]
            assert context["service"]["name"]
            assert "prompt_text" not in context


def test_what_was_found_is_an_event_of_its_own() -> None:
    call, mail, injection, weapons = events(closed())
    assert (call["class_uid"], call["disposition_id"]) == (6003, 11)
    assert mail["class_uid"] == 2006
    assert mail["data_security"]["detection_system_id"] == 10
    assert injection["class_uid"] == 2004
    assert injection["attacks"][0]["technique"]["uid"].startswith("AML.T")
    assert (weapons["class_uid"], "attacks" in weapons) == (2004, False)
    assert {event["metadata"]["correlation_uid"] for event in (call, mail)} == {"0193-exchange"}


def test_a_block_is_an_alert_and_denied() -> None:
    call = events(closed(action="block", outcome="blocked"))[0]
    assert (call["action_id"], call["disposition_id"], call["is_alert"]) == (2, 2, True)
    assert call["status_id"] == 2


def test_openings_are_left_out() -> None:
    assert events(opened()) == []
