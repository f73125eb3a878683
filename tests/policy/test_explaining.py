"""An explanation names every rule and the first thing that did not fit."""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.judgement import Context, Finding, Subject
from gateway.core.message import Kind
from gateway.policy.bundle import PolicyBundle
from gateway.policy.explaining import explain

SPEC = """\
rules:
  - {id: far, when: {categories: [PERSON], models: [other]}, then: block}
  - {id: other, when: {categories: [US_SSN]}, then: block}
  - {id: weak, when: {categories: [PERSON], min_score: 0.9}, then: block}
  - {id: cond, when: {categories: [PERSON], condition: '"dpo" in roles'}, then: block}
  - {id: mask, when: {categories: [PERSON]}, then: mask}
  - {id: redact, when: {categories: [PERSON]}, then: redact}
  - {id: fine, when: {categories: [PERSON]}, then: allow}
  - {id: late, when: {categories: [PERSON]}, then: block}
"""
ELSEWHERE = "match: {tenants: [x]}\nrules: [{id: a, when: {categories: ['*']}, then: block}]"


def test_every_rule_is_explained(
    build: Callable[..., PolicyBundle], context: Callable[..., Context]
) -> None:
    finding = Finding("pii", "PERSON", 0, 4, 0.8)
    bundle = build(SPEC, ELSEWHERE)
    told = explain(bundle, context(), [finding], Subject("user", Kind.TEXT))
    (explained,) = told.findings
    assert [(c.rule, c.effective, c.why) for c in explained.considered] == [
        ("far", False, "models"),
        ("other", False, "categories"),
        ("weak", False, "min_score"),
        ("cond", False, "condition"),
        ("mask", False, "a stricter rule won"),
        ("redact", True, ""),
        ("fine", True, ""),
        ("late", False, "allowed by fine"),
        ("on-detector-error", False, "allowed by fine"),
        ("a", False, "policy: principals.tenants"),
        ("on-detector-error", False, "policy: principals.tenants"),
    ]
    assert [effect.rule for effect in told.verdict.effects] == ["redact", "fine"]
    assert (told.digest, told.revision) == (bundle.digest, "one@1 two@1")


RESTORING = """\
rules:
  - {id: out, when: {categories: [PERSON]}, then: redact}
  - {id: any, when: {categories: [PERSON]}, then: pseudonymise}
  - {id: none, when: {categories: [PERSON]}, then: pseudonymise, with: {restore: []}}
  - {id: one, when: {categories: [PERSON], models: [x]}, then: pseudonymise,
     with: {restore: {kinds: [tool_arguments, text], tools: [send_mail, "crm.*"]}}}
"""


def test_a_rule_tells_where_originals_come_back(
    build: Callable[..., PolicyBundle], context: Callable[..., Context]
) -> None:
    finding = Finding("pii", "PERSON", 0, 4, 0.8)
    (told,) = explain(build(RESTORING), context(), [finding], Subject("user", Kind.TEXT)).findings
    assert {c.rule: c.restore for c in told.considered[:4]} == {
        "out": None,
        "any": {"kinds": None, "tools": None},
        "none": {"kinds": [], "tools": None},
        "one": {"kinds": ["text", "tool_arguments"], "tools": ["crm.*", "send_mail"]},
    }
