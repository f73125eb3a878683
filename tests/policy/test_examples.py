"""Examples in policies are run, and tell what differs; those of the shipped policies hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import actions
from gateway.core.judgement import Finding
from gateway.policy import examples
from gateway.policy.bundle import PolicyBundle, load
from gateway.policy.language import Vocabulary

POLICIES = Path(__file__).parents[2] / "policies"
ACTIONS = actions.load()
PATTERNS = {
    "CREDIT_CARD": r"\b4\d{3}(?: \d{4}){3}\b",
    "IBAN_CODE": r"\bDE\d{20}\b",
}
RULE = """\
rules:
  - {id: out, when: {categories: [CREDIT_CARD]}, then: redact}
  - {id: stop, when: {categories: [US_SSN]}, then: block}
examples:
"""


def scan(text: str) -> list[Finding]:
    return [
        Finding("pii", category, match.start(), match.end(), 1.0)
        for category, pattern in PATTERNS.items()
        for match in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize("name", ["default", "strict"])
def test_the_examples_of_shipped_policies_hold(name: str) -> None:
    bundle = load(POLICIES / f"{name}.yaml", Vocabulary(ACTIONS))
    outcomes = examples.run(bundle, scan, ACTIONS)
    assert [(o.example, o.differs) for o in outcomes if not o.passed] == []
    assert examples.untried(bundle, outcomes) == []


CASES = [
    ("text: 4111 1111 1111 1111, expect: {outcome: allow, text: '[CREDIT_CARD]'}", ""),
    ("text: 4111 1111 1111 1111, expect: {outcome: allow, rules: [out]}", ""),
    ("text: 4111 1111 1111 1111, expect: {outcome: block}", "expected block, but it is not block"),
    ("text: 4111 1111 1111 1111, expect: {outcome: allow, text: x}", "the text 'x', found '[CRED"),
    ("text: 4111 1111 1111 1111, expect: {outcome: allow, rules: []}", "expected the rules none"),
    ("text: none, expect: {outcome: allow, rules: [out]}", "those with an effect are none"),
    (
        "text: abc, findings: [{category: US_SSN, start: 0, end: 3}], expect: {outcome: allow}",
        "expected allow, but it is blocked by 'stop'",
    ),
]


@pytest.mark.parametrize(("example", "differs"), CASES)
def test_what_differs_is_told(
    example: str, differs: str, build: Callable[..., PolicyBundle]
) -> None:
    bundle = build(f"{RULE}  - {{name: e, {example}}}")
    (outcome,) = examples.run(bundle, scan, ACTIONS)
    assert outcome.passed is not bool(differs)
    assert differs in " ".join(outcome.differs)
    assert outcome.at == "f.yaml:9"


def test_an_example_is_tried_on_its_own_policy_alone(build: Callable[..., PolicyBundle]) -> None:
    passes = "  - {name: e, text: 4111 1111 1111 1111, expect: {outcome: allow}}"
    block = "rules: [{id: a, when: {categories: ['*']}, then: block}]"
    assert all(o.passed for o in examples.run(build(RULE + passes, block), scan, ACTIONS))


def test_rules_without_an_example_on_both_sides_are_named(
    build: Callable[..., PolicyBundle],
) -> None:
    bundle = build(f"{RULE}  - {{name: e, text: 4111 1111 1111 1111, expect: {{outcome: allow}}}}")
    outcomes = examples.run(bundle, scan, ACTIONS)
    assert examples.untried(bundle, outcomes) == [
        ("one", "out", "no example where it does not"),
        ("one", "stop", "no example where it fires"),
        ("one", "on-detector-error", "no example where it fires"),
    ]


def test_what_is_known_of_the_exchange_reaches_the_rules(
    build: Callable[..., PolicyBundle],
) -> None:
    bundle = build(
        "rules:\n  - id: a\n    when:\n      categories: [REQUEST]\n"
        "      condition: hosting == 'own' && 'dpo' in roles && stream && team == 't'\n"
        "    then: flag\nexamples:\n"
        "  - {name: e, hosting: own, stream: true, principal: {roles: [dpo], team: t},"
        " expect: {outcome: allow, rules: [a]}}"
    )
    assert [o.differs for o in examples.run(bundle, scan, ACTIONS)] == [()]
