"""What is likely to be a mistake is told with its line; what may be meant is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.policy.bundle import PolicyBundle
from gateway.policy.checking import Installation, doubts, silent

Build = Callable[..., PolicyBundle]
HERE = Installation(
    {"pii": frozenset({"PERSON", "EMAIL_ADDRESS"})},
    {
        "models": frozenset({"gpt-*", "local-1"}),
        "providers": frozenset({"openai", "mine"}),
        "hosting": frozenset({"hosted"}),
        "regions": frozenset({"eu"}),
    },
)
EXAMPLES = """
examples:
  - {name: hit, text: a, findings: [], expect: {outcome: allow, rules: [RULES]}}
  - {name: miss, text: a, findings: [], expect: {outcome: allow, rules: []}}
"""


def told(build: Build, *lines: str, spec: str = "") -> list[str]:
    rules = "".join(f"\n  - {{id: r{i}, {line}}}" for i, line in enumerate(lines))
    named = ", ".join(f"r{i}" for i in range(len(lines)))
    bundle = build(f"{spec}rules:{rules}" + EXAMPLES.replace("RULES", named))
    return [f"{doubt.where}: {doubt.message}" for doubt in doubts(bundle, HERE)]


ANY = "when: {categories: ['*']}"
# Two rules, and whether the first, or the second, can never act.
HIDDEN = [
    (f"{ANY}, then: allow", "when: {categories: [PERSON]}, then: block", "r1"),
    (f"{ANY}, then: block", "when: {categories: [PERSON]}, then: redact", "r1"),
    ("when: {categories: [PERSON]}, then: redact", f"{ANY}, then: block", "r0"),
    ("when: {categories: [PERSON]}, then: redact", f"{ANY}, then: redact", ""),
    (f"{ANY}, then: redact", "when: {categories: [PERSON]}, then: redact", "r1"),
    (f"{ANY}, then: block", "when: {categories: [PERSON]}, then: flag", ""),
    (f"{ANY}, then: flag", "when: {categories: [PERSON]}, then: block", ""),
    ("when: {categories: [PERSON]}, then: block", f"{ANY}, then: allow", ""),
    (f"{ANY}, mode: shadow, then: allow", "when: {categories: [PERSON]}, then: block", ""),
    (f"{ANY}, mode: off, then: allow", "when: {categories: [PERSON]}, then: block", ""),
    (f"{ANY}, then: allow", f"{ANY}, mode: shadow, then: block", "r1"),
    ("when: {categories: ['*'], min_score: 0.5}, then: allow", f"{ANY}, then: block", ""),
    (f"{ANY}, then: allow", "when: {categories: ['*'], min_score: 0.5}, then: block", "r1"),
    ("when: {categories: ['*'], condition: stream}, then: allow", f"{ANY}, then: block", ""),
    ("when: {categories: ['*'], kinds: [text]}, then: allow", f"{ANY}, then: block", ""),
    ("when: {categories: ['*'], kinds: [text, reasoning]}, then: allow",
     "when: {categories: ['*'], kinds: [text]}, then: block", "r1"),
    ("when: {categories: ['*'], roles: [user]}, then: allow", f"{ANY}, then: block", ""),
    ("when: {categories: ['*'], detectors: [pii]}, then: allow", f"{ANY}, then: block", ""),
    ("when: {categories: ['*'], directions: [request]}, then: allow", f"{ANY}, then: block", ""),
    (f"{ANY}, then: allow", "when: {categories: ['*'], directions: [request]}, then: block", "r1"),
    ("when: {categories: ['*'], principals: {teams: ['a*']}}, then: allow",
     "when: {categories: ['*'], principals: {teams: [ab]}}, then: block", "r1"),
    (f"{ANY}, then: block", "when: {categories: [OPAQUE]}, then: block", ""),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "hidden"), HIDDEN)
def test_a_rule_that_another_one_hides(first: str, second: str, hidden: str, build: Build) -> None:
    found = [line for line in told(build, first, second) if "never has an effect" in line]
    assert [line.partition(":")[0] for line in found] == ([f"one/{hidden}"] if hidden else [])


NOTHING: list[tuple[str, str]] = [
    ("regions: [mars]", "regions: 'mars' fits nothing in the catalogue. It has: eu."),
    ("providers: [openai, acme]", "providers: 'acme' fits nothing in the catalogue."),
    ("hosting: [self_hosted]", "hosting: 'self_hosted' fits nothing in the catalogue."),
    ("models: ['claude-*']", "models: 'claude-*' fits nothing in the catalogue."),
    ("models: ['gpt-5*', local-1]", ""),
    ("models: ['*'], regions: ['e?']", ""),
]


@pytest.mark.parametrize(("scope", "message"), NOTHING)
def test_a_place_that_is_not_in_the_catalogue(scope: str, message: str, build: Build) -> None:
    rule = told(build, f"when: {{categories: [PERSON], {scope}}}, then: flag")
    policy = told(build, "when: {categories: [PERSON]}, then: flag", spec=f"match: {{{scope}}}\n")
    assert [line.startswith(f"one/r0: {message}") for line in rule] == [True] * bool(message)
    assert [line.startswith(f"one: {message}") for line in policy] == [True] * bool(message)


@pytest.mark.parametrize(
    ("when", "doubtful"),
    [
        ("categories: [CREDIT_CARD]", True),
        ("categories: [CREDIT_CARD, PERSON]", False),
        ("categories: ['US_*']", True),
        ("categories: [PERSON], detectors: [patterns]", True),
        ("categories: [OPAQUE]", False),
    ],
)
def test_a_rule_for_what_nobody_reports(when: str, doubtful: bool, build: Build) -> None:
    found = told(build, f"when: {{{when}}}, then: flag")
    assert [line.startswith("one/r0: no detector") for line in found] == [True] * doubtful


OFF = replace(
    HERE, off={"patterns": frozenset({"NEW_TOKEN"})}, known=frozenset({"NEW_TOKEN", "US_SSN"})
)


@pytest.mark.parametrize(
    ("when", "silence"),
    [
        ("categories: [NEW_TOKEN]", "NEW_TOKEN; patterns would, and is switched off."),
        ("categories: [US_SSN]", "US_SSN; an assessor might."),
        ("categories: [NEW_TOKEN, PERSON]", ""),
        ("categories: [OPAQUE]", ""),
        ("categories: [NEW_TOKEN], detectors: [patterns]", "patterns would, and is switched off."),
    ],
)
def test_a_rule_for_what_nobody_looks_for_here_is_no_mistake(
    when: str, silence: str, build: Build
) -> None:
    rules = f"rules:\n  - {{id: r0, when: {{{when}}}, then: flag}}"
    bundle = build(rules + EXAMPLES.replace("RULES", "r0"))
    assert doubts(bundle, OFF) == []
    found = [each.message for each in silent(bundle, OFF)]
    assert [message.endswith(silence) for message in found] == [True] * bool(silence)


@pytest.mark.parametrize(
    "when", ["categories: [CREDIT_CARD]", "categories: [US_SSN], detectors: [patterns]"]
)
def test_a_rule_that_nobody_could_ever_serve_is_doubtful(when: str, build: Build) -> None:
    rules = f"rules:\n  - {{id: r0, when: {{{when}}}, then: flag}}"
    bundle = build(rules + EXAMPLES.replace("RULES", "r0"))
    (found,) = doubts(bundle, OFF)
    assert found.message.startswith("no detector reports")
    assert silent(bundle, OFF) == []


def test_a_rule_without_examples_on_either_side(build: Build) -> None:
    bundle = build("rules: [{id: r, when: {categories: [PERSON]}, then: flag}]")
    assert [(d.at, d.message) for d in doubts(bundle, HERE)] == [
        ("f.yaml:5", "no example expects it to have an effect."),
        ("f.yaml:5", "no example expects it to have none."),
    ]
