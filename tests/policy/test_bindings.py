"""A policy with bindings applies where one of them says so, and goes as far as that one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import documents
from gateway.core.errors import ConfigError
from gateway.core.judgement import Context, Finding, StreamMode, Subject, Verdict
from gateway.core.message import Kind
from gateway.policy.bundle import PolicyBundle, compile_documents, load
from gateway.policy.explaining import explain
from gateway.policy.language import Vocabulary

POLICY = """\
apiVersion: gateway/v1
kind: Policy
metadata: {name: p, version: "1"}
spec:
  streaming: hold
  rules:
    - {id: stop, when: {categories: [PERSON]}, then: block}
    - {id: try, mode: shadow, when: {categories: [EMAIL_ADDRESS]}, then: redact}
"""
BINDING = """
---
apiVersion: gateway/v1
kind: PolicyBinding
metadata: {name: NAME}
spec: {policy: p, SPEC}
"""
Context_ = Callable[..., Context]


def bound(vocabulary: Vocabulary, *specs: str) -> PolicyBundle:
    text = POLICY + "".join(
        BINDING.replace("NAME", f"b{i}").replace("SPEC", spec) for i, spec in enumerate(specs)
    )
    return compile_documents(documents.parse(text.encode(), "f.yaml"), vocabulary)


def said(
    bundle: PolicyBundle, context: Context, kind: Kind = Kind.TEXT, category: str = "PERSON"
) -> Verdict:
    finding = Finding("pii", category, 0, 4, 0.9)
    return bundle.bind(context).decide([finding], Subject("user", kind))


# The bindings, the exchange, and how far the blocking rule goes there.
CASES: list[tuple[list[str], dict[str, object], str]] = [
    ([], {}, "enforce"),
    (["match: {tenants: [acme]}"], {}, "enforce"),
    (["match: {tenants: [other]}"], {}, ""),
    (["match: {applications: ['shop-*']}"], {"application": "shop-1"}, "enforce"),
    (["match: {teams: [a]}"], {"team": "b"}, ""),
    (["match: {keys: [k1]}"], {}, "enforce"),
    (["match: {keys: [k2]}"], {}, ""),
    (["match: {roles: [dpo]}"], {"roles": ("user", "dpo")}, "enforce"),
    (["match: {models: ['gpt*'], providers: [openai], regions: [eu]}"], {}, "enforce"),
    (["match: {hosting: [self_hosted]}"], {}, ""),
    (["match: {endpoints: ['/v1/chat/*'], directions: [request]}"], {}, "enforce"),
    (["match: {directions: [response]}"], {}, ""),
    (["mode: warn"], {}, "warn"),
    (["mode: shadow"], {}, "shadow"),
    (["mode: off"], {}, ""),
    (["mode: shadow", "match: {tenants: [acme]}"], {}, "enforce"),
    (["mode: shadow", "match: {tenants: [pilot]}"], {}, "shadow"),
    (["mode: off", "mode: warn"], {}, "warn"),
    (["match: {kinds: [tool_result]}"], {}, ""),
    (["match: {kinds: [tool_result]}", "mode: shadow"], {}, "shadow"),
    (["match: {kinds: [tool_result]}", "mode: shadow"], {"kind": Kind.TOOL_RESULT}, "enforce"),
]  # fmt: skip


@pytest.mark.parametrize(("bindings", "about", "mode"), CASES)
def test_where_and_how_far(
    bindings: list[str],
    about: dict[str, object],
    mode: str,
    vocabulary: Vocabulary,
    context: Context_,
) -> None:
    kind = Kind(about.get("kind", "text"))
    verdict = said(bound(vocabulary, *bindings), context(**about), kind)
    found = [*verdict.effects, *verdict.trials]
    assert [effect.mode.value for effect in found] == ([mode] if mode else [])
    assert verdict.blocked is (mode == "enforce")


def test_a_binding_takes_no_rule_further_than_it_goes(
    vocabulary: Vocabulary, context: Context_
) -> None:
    verdict = said(bound(vocabulary, "mode: enforce"), context(), category="EMAIL_ADDRESS")
    assert [effect.mode.value for effect in verdict.trials] == ["shadow"]


def test_a_policy_that_is_only_tried_here_is_not_felt_here(
    vocabulary: Vocabulary, context: Context_
) -> None:
    bundle = bound(vocabulary, "mode: shadow", "match: {tenants: [pilot]}")
    pilot, others = bundle.bind(context(tenant="pilot")), bundle.bind(context(tenant="acme"))
    assert (pilot.stream_mode, others.stream_mode) == (StreamMode.HOLD, StreamMode.WINDOW)
    detectors = {"pii": frozenset({"PERSON"})}
    assert (pilot.enforcing(detectors), others.enforcing(detectors)) == (("pii",), ())
    failed = Finding("pii", "DETECTOR_ERROR", 0, 4, 1.0, "late")
    assert not others.decide([failed], Subject("user", Kind.TEXT)).blocked


def test_explaining_says_that_no_binding_fits(vocabulary: Vocabulary, context: Context_) -> None:
    bundle = bound(vocabulary, "match: {tenants: [other]}")
    finding = Finding("pii", "PERSON", 0, 4, 0.9)
    (found,) = explain(bundle, context(), [finding], Subject("user", Kind.TEXT)).findings
    assert {each.why for each in found.considered} == {"policy: no binding"}


MISTAKES = [
    ("policy: p", "policy: q", r"f\.yaml:14: spec, policy: unknown name 'q'\. Known: p\."),
    ("mode: warn", "mode: deny", r"f\.yaml:14: spec, mode: unknown name 'deny'\..*Known: enforce"),
    ("mode: warn", "rollout: 3", r"f\.yaml:14: spec: unknown key 'rollout'.*Known: match, mode"),
    ("mode: warn", "match: {colours: [a]}", r"f\.yaml:14: spec, match: unknown key 'colours'"),
    ("mode: warn", "match: {kinds: [txt]}", r"unknown name 'txt'\. Did you mean 'text'"),
    ("name: b0", "name: B0", r"f\.yaml:13: metadata, name: expected small letters"),
    ("PolicyBinding", "PolicyBindin", r"f\.yaml:12: kind: unknown name.*'PolicyBinding'"),
]


@pytest.mark.parametrize(("good", "bad", "message"), MISTAKES)
def test_a_mistake_is_named(good: str, bad: str, message: str, vocabulary: Vocabulary) -> None:
    text = POLICY + BINDING.replace("NAME", "b0").replace("SPEC", "mode: warn")
    assert good in text
    before, _, after = text.rpartition(good)
    with pytest.raises(ConfigError, match=message):
        compile_documents(documents.parse((before + bad + after).encode(), "f.yaml"), vocabulary)


def test_two_bindings_have_two_names(vocabulary: Vocabulary) -> None:
    text = POLICY + 2 * BINDING.replace("NAME", "b").replace("SPEC", "mode: warn")
    with pytest.raises(ConfigError, match=r"f\.yaml:19: there is another binding named 'b'"):
        compile_documents(documents.parse(text.encode(), "f.yaml"), vocabulary)


def test_a_folders_bindings_may_stand_in_files_of_their_own(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    binding = BINDING.replace("NAME", "b").replace("SPEC", "mode: warn")
    (tmp_path / "a.yaml").write_text(binding)
    with pytest.raises(ConfigError, match="holds no policy"):
        load(tmp_path, vocabulary)
    (tmp_path / "b.yaml").write_text(POLICY)
    assert [each.name for each in load(tmp_path, vocabulary).bindings] == ["b"]
    (tmp_path / "c.yaml").write_text(binding.replace("kind: PolicyBinding", "kind: Bindings"))
    with pytest.raises(ConfigError, match=r"c\.yaml:4: .*Known: Policy, PolicyBinding"):
        load(tmp_path, vocabulary)
