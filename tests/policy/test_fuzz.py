"""Whatever stands in a policy file, reading it ends in a bundle or a ConfigError.

So does what follows: whatever could be read can be bound, asked and told of.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway import documents
from gateway.core.errors import ConfigError
from gateway.core.judgement import Context, Finding, Subject
from gateway.core.message import Kind
from gateway.policy import conditions
from gateway.policy.bundle import compile_documents
from gateway.policy.checking import Installation, doubts
from gateway.policy.language import Vocabulary
from tests.fuzzing import TRIED, bounded

POLICY = """\
apiVersion: gateway/v1
kind: Policy
metadata: {name: p, version: "1"}
spec:
  match: {tenants: [a, "b*"], kinds: [text]}
  matchConditions: [{name: near, expression: 'region != "mars"'}]
  variables:
    - {name: mine, expression: 'roles.filter(r, r != "x")'}
    - {name: strong, expression: score > 500 && variables.mine.size() < 3}
  onDetectorError: flag
  rules:
    - id: one
      mode: warn
      when: {categories: [PERSON, "US_*"], min_score: 0.5, condition: '"a" in variables.mine'}
      then: label
      with: {notice: Hello}
    - id: two
      when: {categories: ["*"], condition: '!variables.strong'}
      then: block
      message: {en: No., de: Nein.}
      messageExpression: '"Not to " + provider'
  examples:
    - {name: e, text: abc, findings: [{category: PERSON, start: 0, end: 1}],
       principal: {roles: [a]}, expect: {outcome: allow, rules: [one]}}
---
apiVersion: gateway/v1
kind: PolicyBinding
metadata: {name: b}
spec: {policy: p, mode: shadow, match: {teams: [t], kinds: [text, tool_result]}}
"""
TREES = [*yaml.safe_load_all(POLICY)]
PIECES = st.sampled_from(
    ["\n", " ", ":", "- ", "{", "}", "[", "]", '"', "'", "*", "&a ", "!!int ", "\t", "---\n", "|\n"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
SIGNS = (
    """all map filter ( ) . ! == && || "a" 1 [ ] , ? : x in ' // \\ matches true - * { } + 2.5"""
)
WORDS = [*conditions.VARIABLES, "variables", "variables.mine", "variables.strong", "strong"]
EXPRESSIONS = st.lists(st.sampled_from([*WORDS, *SIGNS.split(" ")]), max_size=15).map(" ".join)


def places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value inside."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found += places(value[key])
    return found


def read(text: str, vocabulary: Vocabulary, context: Context) -> None:
    TRIED["policies"] += 1
    try:
        found = documents.parse(text.encode(errors="replace"), "f.yaml")
        bundle = compile_documents(found, vocabulary)
    except ConfigError as err:
        told = str(err)
    else:
        told = ""
    if told:
        assert told.startswith("f.yaml:")
        return
    subject = Subject("user", Kind.TEXT)
    for category in ("PERSON", "REQUEST", "DETECTOR_ERROR"):
        bundle.bind(context).decide([Finding("pii", category, 0, 1, 0.9, "late")], subject)
    doubts(bundle, Installation(vocabulary.detectors, {"regions": frozenset({"eu"})}))


Made = Callable[..., Context]


@bounded
@given(data=st.data())
def test_text_with_pieces_put_in_or_taken_out(
    vocabulary: Vocabulary, context: Made, data: st.DataObject
) -> None:
    text = POLICY
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(PIECES | st.text(max_size=4)) + text[end:]
    read(text, vocabulary, context(tenant="a", team="t"))


@bounded
@given(data=st.data())
def test_values_of_another_kind(vocabulary: Vocabulary, context: Made, data: st.DataObject) -> None:
    trees = copy.deepcopy(TREES)
    for _ in range(data.draw(st.integers(1, 2))):
        container, key = data.draw(st.sampled_from(places(trees)))
        container[key] = data.draw(VALUES)
    read(yaml.safe_dump_all(trees), vocabulary, context(tenant="a", team="t"))


@bounded
@given(condition=EXPRESSIONS, variable=EXPRESSIONS, saying=EXPRESSIONS, here=EXPRESSIONS)
def test_any_expressions(
    vocabulary: Vocabulary, context: Made, condition: str, variable: str, saying: str, here: str
) -> None:
    for change in (condition, variable, saying, here):
        trees = copy.deepcopy(TREES)
        spec = trees[0]["spec"]
        spec["rules"][1]["when"]["condition"] = condition
        if change is variable:
            spec["variables"][0]["expression"] = variable
        if change is saying:
            spec["rules"][1]["messageExpression"] = saying
        if change is here:
            spec["matchConditions"][0]["expression"] = here
        if change is not condition:
            spec["rules"][1]["when"]["condition"] = "score > 1"
        read(yaml.safe_dump_all(trees), vocabulary, context(tenant="a", team="t"))
