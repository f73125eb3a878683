"""The schema for editors takes what reading takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.policy.language import Vocabulary
from gateway.policy.schema import schema

POLICIES = Path(__file__).parents[2] / "policies"
TYPES = {
    "string": str,
    "array": list,
    "object": dict,
    "boolean": bool,
    "integer": int,
    "number": int | float,
    "null": type(None),
}


def fits(value: Any, rule: dict[str, Any]) -> bool:
    """Validates the part of JSON Schema that the schema uses."""
    checks = {
        "$schema": lambda _: True,
        "title": lambda _: True,
        "description": lambda _: True,
        "type": lambda name: _is(value, name),
        "const": lambda only: value == only,
        "enum": lambda known: value in known,
        "anyOf": lambda rules: any(fits(value, each) for each in rules),
        "pattern": lambda pattern: re.search(pattern, value) is not None,
        "minimum": lambda least: value >= least,
        "maximum": lambda most: value <= most,
        "maxLength": lambda most: len(value) <= most,
        "minItems": lambda least: len(value) >= least,
        "items": lambda each: all(fits(item, each) for item in value),
        "required": lambda keys: set(keys) <= set(value),
        "properties": lambda known: all(fits(v, known[k]) for k, v in value.items() if k in known),
        "minProperties": lambda least: len(value) >= least,
        "propertyNames": lambda each: all(fits(name, each) for name in value),
        "additionalProperties": lambda each: all(
            each and fits(v, each) for k, v in value.items() if k not in rule.get("properties", {})
        ),
    }
    if "type" in rule and not _is(value, rule["type"]):
        return False
    return all(checks[key](argument) for key, argument in rule.items())


def _is(value: Any, name: str) -> bool:
    """A truth value is no number in JSON."""
    if isinstance(value, bool) and name in ("integer", "number"):
        return False
    return isinstance(value, TYPES[name])


@pytest.mark.parametrize("name", ["default", "strict"])
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
