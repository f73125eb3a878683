"""What the schema says of `with` is what reading takes, for every action."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import actions
from gateway.core.errors import ConfigError
from gateway.cursor import Cursor
from gateway.documents import Document
from gateway.policy.language import Vocabulary
from gateway.policy.reading_parameters import read_parameters, takes_any
from gateway.policy.schema import schema
from gateway.policy.schema_parameters import parameters_of

ACTIONS = actions.load()
POLICY, _ = schema(Vocabulary(ACTIONS))["anyOf"]
VALIDATOR = jsonschema_rs.Draft202012Validator(
    POLICY["properties"]["spec"]["properties"]["rules"]["items"]
)
RULE = {"id": "a", "when": {"categories": ["PERSON"]}}
ABSENT = object()

# action, what stands under `with`, whether it is fine
CASES = [
    ("allow", ABSENT, True), ("allow", {}, False), ("flag", {"notice": "x"}, False),
    ("block", ABSENT, True), ("block", {}, False), ("block", None, False),
    ("mask", ABSENT, True), ("mask", {"last": 4}, False), ("redact", {}, False),
    ("label", ABSENT, True), ("label", {}, True), ("label", {"notice": "made by a model"}, True),
    ("label", {"notice": "x" * 500}, True), ("label", {"notice": "x" * 501}, False),
    ("label", {"notice": None}, False), ("label", {"note": "x"}, False), ("label", [], False),
    ("pseudonymise", ABSENT, True), ("pseudonymise", {}, True),
    ("pseudonymise", {"style": "realistic"}, True), ("pseudonymise", {"style": "real"}, False),
    ("pseudonymise", {"style": ["realistic"]}, False), ("pseudonymise", {"surrogates": 1}, False),
    ("pseudonymise", {"restore": []}, True), ("pseudonymise", {"restore": None}, False),
    ("pseudonymise", {"restore": ["text", "text"]}, True),
    ("pseudonymise", {"restore": ["tools"]}, False), ("pseudonymise", {"restore": "text"}, False),
    ("pseudonymise", {"restore": ["file"]}, False), ("pseudonymise", {"restore": {}}, True),
    ("pseudonymise", {"restore": {"kinds": []}}, True),
    ("pseudonymise", {"restore": {"tools": []}}, True),
    ("pseudonymise", {"restore": {"tools": ["send_mail", "crm.*"]}}, True),
    ("pseudonymise", {"restore": {"tools": "send_mail"}}, False),
    ("pseudonymise", {"restore": {"tools": ["a[b]"]}}, False),
    ("pseudonymise", {"restore": {"tools": [""]}}, False),
    ("pseudonymise", {"restore": {"tools": ["a" * 128]}}, True),
    ("pseudonymise", {"restore": {"tools": ["a" * 129]}}, False),
    ("pseudonymise", {"restore": {"tools": ["a\n"]}}, False),
    ("pseudonymise", {"restore": {"tool": ["a"]}}, False),
    ("pseudonymise", {"restore": {"kinds": ["text"], "tools": ["a"]}}, False),
    ("pseudonymise", {"restore": {"kinds": [], "tools": []}}, False),
    ("pseudonymise", {"restore": {"kinds": ["text", "tool_arguments"], "tools": ["a"]}}, True),
    ("require_review", ABSENT, True), ("require_review", {}, True),
    ("require_review", {"wait_s": 0, "uses": 1000}, True), ("require_review", {"uses": 0}, False),
    ("require_review", {"wait_s": 601}, False), ("require_review", {"wait_s": True}, False),
    ("require_review", {"wait_s": 1.5}, False), ("require_review", {"valid_s": 59}, False),
    ("require_review", {"expires_s": 2_592_000}, True),
    ("require_review", {"expires_s": 2_592_001}, False),
    ("require_review", {"reviewers": ["dpo"]}, True), ("require_review", {"reviewers": []}, False),
    ("require_review", {"reviewers": [" "]}, False), ("require_review", {"role": "dpo"}, False),
    ("route", ABSENT, False), ("route", {}, False), ("route", {"model": "local"}, True),
    ("route", {"model": ""}, False), ("route", {"model": " x"}, False),
    ("route", {"model": "x" * 128}, True), ("route", {"model": "x" * 129}, False),
    ("route", {"hosting": "self_hosted"}, True), ("route", {"hosting": "cloud"}, False),
    ("route", {"trains": False}, True), ("route", {"trains": True}, False),
    ("route", {"trains": 0}, False), ("route", {"retention_days": 0}, True),
    ("route", {"retention_days": -1}, False), ("route", {"retention_days": False}, False),
    ("route", {"region": "eu", "provider": "mistral"}, True), ("route", {"tier": "x"}, False),
]  # fmt: skip


def reads(action: str, said: object) -> bool:
    document = Document("f.yaml", {}, {})
    rule = Cursor(document, (), {}, "rule")
    under = None if said is ABSENT else Cursor(document, ("with",), said, "with")
    try:
        read_parameters(rule, under, ACTIONS[action])
    except ConfigError:
        return False
    return True


def fits(action: str, said: object) -> bool:
    rule: dict[str, Any] = {**RULE, "then": action}
    return VALIDATOR.is_valid(rule if said is ABSENT else {**rule, "with": said})


@pytest.mark.parametrize(("action", "said", "fine"), CASES)
def test_reading_and_schema_agree_on(action: str, said: object, fine: bool) -> None:
    assert (reads(action, said), fits(action, said)) == (fine, fine)


WORDS = st.sampled_from(["", " ", "a", " a", "send_mail", "crm.*", "a[b]", "x" * 128, "x" * 129])
NAMES = st.sampled_from(
    [name for each in ACTIONS.values() if takes_any(each) for name in each.takes()["properties"]]  # type: ignore[attr-defined]
    + ["kinds", "tools", "other"]
)
KNOWN = st.sampled_from(["placeholder", "realistic", "text", "tool_arguments", "hosted", "notes"])
NUMBERS = st.sampled_from([-1, 0, 1, 59, 60, 600, 601, 1_000, 1_001, 2_592_000, 2_592_001, 0.5])
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS | KNOWN | st.text(max_size=3)
INNER = st.dictionaries(
    st.sampled_from(["kinds", "tools", "kind"]), st.lists(KNOWN | WORDS), max_size=2
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | INNER | st.dictionaries(NAMES, SCALARS)


@given(
    action=st.sampled_from(sorted(ACTIONS)),
    said=st.just(ABSENT) | VALUES | st.dictionaries(NAMES, VALUES, max_size=3),
)
def test_reading_and_schema_agree(action: str, said: object) -> None:
    assert reads(action, said) == fits(action, said)


@pytest.mark.parametrize("action", [each for each in ACTIONS.values() if takes_any(each)])
def test_every_parameter_is_described_and_the_list_is_closed(action: Any) -> None:
    said = action.takes()
    assert said["additionalProperties"] is False
    assert all(each["description"].endswith(".") for each in said["properties"].values())


class Foreign:
    """Takes parameters and does not say which, as an installed package's action may."""

    name = "stamp"

    def settle(self, parameters: Any) -> str:
        return ""


def test_an_action_that_does_not_say_what_it_takes_may_be_given_anything() -> None:
    told: Any = Foreign()
    assert parameters_of("stamp", told)["then"] == {"properties": {"with": {"type": "object"}}}
