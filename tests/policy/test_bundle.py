"""A bundle is known by what it means, and shares judges between like exchanges."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import documents
from gateway.core.errors import ConfigError
from gateway.core.judgement import Context
from gateway.policy import bundle as bundles
from gateway.policy.bundle import PolicyBundle, compile_documents, load
from gateway.policy.language import Vocabulary

POLICY = """\
apiVersion: gateway/v1
kind: Policy
metadata: {name: p, version: "1", description: words, owner: someone}
spec:
  match: {tenants: [a, b], directions: [request], kinds: [text, reasoning, tool_result]}
  matchConditions:
    - {name: near, expression: 'region != "mars"'}
    - {name: known, expression: 'provider != ""'}
  variables:
    - {name: strong, expression: score > 600}
  streaming: hold
  rules:
    - id: one
      description: words
      mode: warn
      when:
        categories: [PERSON, group:contact]
        min_score: 0.5
        kinds: [text, reasoning]
        principals: {roles: [x, y], teams: [t]}
        condition: variables.strong
      then: block
      reason: ONE
      message: No.
    - id: two
      when: {categories: ["*"], models: ["a*", b]}
      then: flag
  examples:
    - {name: e, text: t, expect: {outcome: allow}}
---
apiVersion: gateway/v1
kind: PolicyBinding
metadata: {name: here, description: words}
spec: {policy: p, mode: shadow, match: {teams: [s, t], kinds: [text, reasoning]}}
---
apiVersion: gateway/v1
kind: PolicyBinding
metadata: {name: there, owner: someone}
spec: {policy: p}
"""
ALONE = POLICY.partition("---")[0]
TREES = [*yaml.safe_load_all(POLICY)]


def compiled(text: str, vocabulary: Vocabulary) -> PolicyBundle:
    return compile_documents(documents.parse(text.encode(), "f.yaml"), vocabulary)


def shuffled(value: Any, rng: random.Random, key: str = "") -> Any:
    """The same meaning: keys in another order, and lists of names too, but not rules."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {k: shuffled(value[k], rng, k) for k in keys}
    if isinstance(value, list):
        items = [shuffled(item, rng) for item in value]
        if key != "rules":
            rng.shuffle(items)
        return items
    return value


@settings(deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([None, True, False]), st.integers(1, 8))
def test_formatting_does_not_change_the_digest(
    vocabulary: Vocabulary, rng: random.Random, flow: bool | None, indent: int
) -> None:
    policy, *bindings = shuffled(TREES, rng, "rules")
    rng.shuffle(bindings)
    text = yaml.safe_dump_all(
        [policy, *bindings], sort_keys=False, default_flow_style=flow, indent=indent
    )
    remarked = "# a remark\n" + text.replace("\n", "\n\n" if flow is False else "\n")
    assert compiled(remarked, vocabulary).digest == compiled(POLICY, vocabulary).digest


SAME = [
    ("      description: words\n", ""),
    (", description: words", ""),
    ("{name: here, description: words}", "{name: here}"),
    ("spec: {policy: p}", "spec: {policy: p, mode: enforce}"),
    (", owner: someone", ", owner: another"),
    ("text: t,", "text: u,"),
    ("min_score: 0.5", "min_score: 0.50"),
    ("group:contact", "EMAIL_ADDRESS, PHONE_NUMBER, ZA_MOBILE_NUMBER, ZA_TELEPHONE_NUMBER"),
    ("  streaming", "  onDetectorError: block\n  streaming"),
    ("then: flag", "then: flag\n      reason: TWO"),
]
OTHER = [
    ('version: "1"', 'version: "2"'),
    ("tenants: [a, b]", "tenants: [a]"),
    ("[request]", "[request, response]"),
    ("hold", "window"),
    ("id: one", "id: uno"),
    ("PERSON, ", ""),
    ("min_score: 0.5", "min_score: 0.6"),
    ("[text, reasoning]", "[text]"),
    ("roles: [x, y]", "roles: [x]"),
    ("score > 600", "score > 601"),
    ("condition: variables.strong", "condition: '!variables.strong'"),
    ("variables.strong", "score > 600"),
    ("name: near", "name: far"),
    ('"mars"', '"venus"'),
    ("mode: warn", "mode: shadow"),
    ("      mode: warn\n", ""),
    ("mode: shadow", "mode: off"),
    ("name: here", "name: elsewhere"),
    ("teams: [s, t]", "teams: [s]"),
    ("t], kinds: [text, reasoning]", "t], kinds: [text]"),
    ("reasoning, tool_result]", "reasoning]"),
    ("message: No.", "message: No.\n      messageExpression: provider"),
    ("then: block", "then: redact"),
    ("reason: ONE", "reason: UNO"),
    ("message: No.", "message: Nope."),
    ("models: [", "providers: ["),
    ("  streaming", "  onDetectorError: flag\n  streaming"),
]


@pytest.mark.parametrize(("old", "new"), SAME)
def test_remarks_and_defaults_do_not_change_the_digest(
    old: str, new: str, vocabulary: Vocabulary
) -> None:
    assert old in POLICY
    loose = Vocabulary(vocabulary.actions)
    changed = compiled(POLICY.replace(old, new, 1), loose)
    assert changed.digest == compiled(POLICY, loose).digest


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_meaning_changes_the_digest(old: str, new: str, vocabulary: Vocabulary) -> None:
    assert old in POLICY
    changed = compiled(POLICY.replace(old, new, 1), vocabulary)
    assert changed.digest != compiled(POLICY, vocabulary).digest


def test_a_policys_name_is_meaning(vocabulary: Vocabulary) -> None:
    renamed = compiled(ALONE.replace("name: p", "name: q"), vocabulary)
    assert renamed.digest != compiled(ALONE, vocabulary).digest


def test_a_binding_is_meaning(vocabulary: Vocabulary) -> None:
    digests = {compiled("---".join(POLICY.split("---")[:n]), vocabulary).digest for n in (1, 2, 3)}
    assert len(digests) == 3


def test_the_order_of_rules_is_meaning(vocabulary: Vocabulary) -> None:
    tree = copy.deepcopy(TREES)
    tree[0]["spec"]["rules"].reverse()
    changed = compiled(yaml.safe_dump_all(tree), vocabulary)
    assert changed.digest != compiled(POLICY, vocabulary).digest


def test_a_group_that_means_something_else_changes_the_digest(vocabulary: Vocabulary) -> None:
    wider = Vocabulary(vocabulary.actions, {}, {"contact": frozenset({"FAX"})})
    assert compiled(POLICY, wider).digest != compiled(POLICY, vocabulary).digest


def test_a_folder_is_one_bundle(tmp_path: Path, vocabulary: Vocabulary) -> None:
    (tmp_path / "b.yaml").write_text(ALONE.replace("name: p", "name: b"))
    (tmp_path / "a.yaml").write_text(ALONE.replace("name: p", "name: a") + "\n---\n")
    (tmp_path / "catalogue.yaml").write_text("apiVersion: gateway/v1\nkind: Catalogue\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.yaml").write_text("not: read")
    assert load(tmp_path, vocabulary).revision == "a@1 b@1"
    assert load(tmp_path / "a.yaml", vocabulary).revision == "a@1"


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_a_place_without_policies_is_refused(
    text: str, tmp_path: Path, vocabulary: Vocabulary
) -> None:
    (tmp_path / "a.yaml").write_text(text)
    for path in (tmp_path, tmp_path / "a.yaml"):
        with pytest.raises(ConfigError, match="holds no policy"):
            load(path, vocabulary)


def test_a_policy_of_a_misspelt_kind_is_not_passed_over(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    (tmp_path / "a.yaml").write_text(POLICY.replace("kind: Policy", "kind: Polciy"))
    with pytest.raises(ConfigError, match=r"a\.yaml:2: .*Did you mean 'Policy'"):
        load(tmp_path, vocabulary)


def test_exchanges_that_differ_in_nothing_asked_share_a_judge(
    vocabulary: Vocabulary, context: Callable[..., Context]
) -> None:
    bundle = compiled(POLICY, vocabulary)
    judge = bundle.bind(context(tenant="a", key_id="1", endpoint="/a"))
    assert bundle.bind(context(tenant="a", key_id="2", endpoint="/b")) is judge
    assert bundle.bind(context(tenant="b")) is not judge
    assert bundle.bind(context(tenant="a", direction="response")) is not judge


def test_judges_kept_are_bounded(
    vocabulary: Vocabulary, context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "MAX_BOUND", 2)
    bundle = compiled(POLICY, vocabulary)
    judge = bundle.bind(context(tenant="a"))
    for tenant in ("b", "a", "c", "a", "d"):
        bundle.bind(context(tenant=tenant))
    assert len(bundle._bound) == 2
    assert bundle.bind(context(tenant="a")) is judge
