"""Whatever stands in a policy file, reading it ends in a bundle or a ConfigError."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import documents
from gateway.core.errors import ConfigError
from gateway.policy.bundle import compile_documents
from gateway.policy.language import Vocabulary

POLICY = """\
apiVersion: gateway/v1
kind: Policy
metadata: {name: p, version: "1"}
spec:
  match: {tenants: [a, "b*"]}
  onDetectorError: flag
  rules:
    - id: one
      when: {categories: [PERSON, "US_*"], min_score: 0.5, condition: '"a" in roles'}
      then: label
      with: {notice: Hello}
  examples:
    - {name: e, text: abc, findings: [{category: PERSON, start: 0, end: 1}],
       principal: {roles: [a]}, expect: {outcome: allow, rules: [one]}}
"""
TREE = yaml.safe_load(POLICY)
PIECES = st.sampled_from(
    ["\n", " ", ":", "- ", "{", "}", "[", "]", '"', "*", "&a ", "!!int ", "\t"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value inside."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


def read(text: str, vocabulary: Vocabulary) -> None:
    with contextlib.suppress(ConfigError):
        compile_documents(documents.parse(text.encode(errors="replace"), "f.yaml"), vocabulary)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_text_with_pieces_put_in_or_taken_out(vocabulary: Vocabulary, data: st.DataObject) -> None:
    text = POLICY
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(PIECES | st.text(max_size=4)) + text[end:]
    read(text, vocabulary)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_values_of_another_kind(vocabulary: Vocabulary, data: st.DataObject) -> None:
    tree = copy.deepcopy(TREE)
    container, key = data.draw(st.sampled_from(places(tree)))
    container[key] = data.draw(VALUES)
    read(yaml.safe_dump(tree), vocabulary)
