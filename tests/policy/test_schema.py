"""The schema for editors takes what reading takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from gateway.policy.language import Vocabulary
from gateway.policy.schema import schema

POLICIES = Path(__file__).parents[2] / "policies"


def fits(value: Any, rule: dict[str, Any]) -> bool:
    return jsonschema_rs.Draft202012Validator(rule).is_valid(value)


SHIPPED = sorted(
    path.stem for path in POLICIES.glob("*.yaml") if path.stem not in ("catalogue", "classes")
)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_policies_fit(name: str, vocabulary: Vocabulary) -> None:
    policy = yaml.safe_load((POLICIES / f"{name}.yaml").read_text())
    assert fits(policy, schema(vocabulary))


WRONG = [
    ("kind",), ("metadata", "name"), ("spec", "rules"), ("spec", "rules", 0, "then"),
    ("spec", "rules", 0, "when", "categories"),
]  # fmt: skip


@pytest.mark.parametrize("path", WRONG)
def test_what_reading_refuses_does_not_fit(path: tuple[Any, ...], vocabulary: Vocabulary) -> None:
    policy = yaml.safe_load((POLICIES / "default.yaml").read_text())
    inner = policy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "Not This"
    assert not fits(policy, schema(vocabulary))
    del inner[path[-1]]
    assert not fits(policy, schema(vocabulary))


def test_names_of_this_installation_are_offered(vocabulary: Vocabulary) -> None:
    policy, _ = schema(vocabulary)["anyOf"]
    spec = policy["properties"]["spec"]["properties"]
    when = spec["rules"]["items"]["properties"]["when"]["properties"]
    offered = when["categories"]["items"]["anyOf"][0]["enum"]
    assert {"NEW_TOKEN", "group:financial", "OPAQUE"} <= set(offered)
    able = {"allow", "flag", "label", "pseudonymise", "mask", "redact", "block"}
    assert set(spec["onDetectorError"]["enum"]) == able
