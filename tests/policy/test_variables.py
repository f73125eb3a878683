"""Named expressions: typed, evaluated only where they are used, and about what is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.core.errors import ConfigError
from gateway.core.judgement import Context, Finding, Subject, Verdict
from gateway.core.message import Kind
from gateway.policy.bundle import PolicyBundle

Ask = Callable[..., Verdict]
Build = Callable[..., PolicyBundle]
RULES = """
variables:
  - {name: mine, expression: 'roles.filter(r, r.startsWith("d"))'}
  - {name: strong, expression: 'score >= 800 && variables.mine.size() > 0'}
  - {name: broken, expression: '100 / (score - 7) < 1000'}
rules:
  - {id: r0, when: {categories: ["*"], condition: 'CONDITION'}, then: ACTION}
"""


def rules(condition: str, action: str = "block") -> str:
    return RULES.replace("CONDITION", condition).replace("ACTION", action)


@pytest.mark.parametrize(
    ("condition", "about", "applies"),
    [
        ("variables.strong", {"score": 0.9, "roles": ("dpo",)}, True),
        ("variables.strong", {"score": 0.9, "roles": ("user",)}, False),
        ("variables.strong", {"score": 0.7, "roles": ("dpo",)}, False),
        ('"dpo" in variables.mine', {"roles": ("dpo", "user")}, True),
        ("!variables . strong", {"score": 0.1}, True),
        ("variables.mine.exists(v, v == role)", {"roles": ("dx",), "role": "dx"}, True),
        ("variables.mine.exists(v, v == role)", {"roles": ("dx",), "role": "dy"}, False),
    ],
)
def test_conditions_use_variables(
    condition: str, about: dict[str, object], applies: bool, ask: Ask
) -> None:
    assert ask(rules(condition), **about).blocked is applies


@pytest.mark.parametrize(
    ("condition", "action", "reasons"),
    [
        ("variables.broken", "block", ["R0_CONDITION_ERROR"]),
        ("variables.broken", "flag", []),
        ("false && variables.broken", "block", []),
        ("true || variables.broken", "block", ["R0"]),
        ("score == 7", "block", ["R0"]),
    ],
)
def test_a_variable_that_fails_fails_what_needs_it_only(
    condition: str, action: str, reasons: list[str], ask: Ask
) -> None:
    verdict = ask(rules(condition, action), score=0.007)
    assert [effect.reason for effect in verdict.effects] == reasons


DOUBLING = "\n  - ".join(
    f"{{name: {new}, expression: '{old}.map(r, r + r)'}}"
    for old, new in (("roles", "a"), *((f"variables.{a}", b) for a, b in ("ab", "bc", "cd", "de")))
)
MISTAKES = [
    # the list of variables, the condition, the message
    (
        '{name: a, expression: "score >"}',
        "true",
        r"f\.yaml:7: variable 'a', expression: is no expression: it ends too soon \(column 37\)",
    ),
    ("{name: a, expression: 'score > 1.5'}", "true", "'>' cannot be used with"),
    (
        "{name: a, expression: '1.5'}",
        "true",
        r"must be string or true or false or int or list\(string\), not double",
    ),
    ("{name: a, expression: 'score'}", "variables.a", "must be true or false, not int"),
    (
        "{name: a, expression: 'score'}",
        'variables.a == "x"',
        r"'==' cannot be used with \(int, string\)",
    ),
    (
        "{name: a, expression: 'true'}",
        "variables.b",
        r"unknown name 'variables.b'\. Did you mean 'variables.a'\?",
    ),
    ("{name: a, expression: 'variables.a'}", "true", "unknown name 'variables.a'"),
    ("{name: a b, expression: 'true'}", "true", "expected letters, digits and underscores"),
    (
        "{name: a, expression: 'true'}\n  - {name: a, expression: 'true'}",
        "true",
        r"f\.yaml:8: variable, name: the name 'a' is taken",
    ),
    ("{name: a}", "true", "'expression' is missing"),
    ("{name: a, expression: 'text'}", "true", "unknown name 'text'"),
    ("{name: a, expression: 'roles[0]'}", "true", "cannot be evaluated for an empty exchange"),
    (
        "{name: a, expression: 'model + model + model + model'}",
        "true",
        "a very large exchange: its value is too large",
    ),
    (DOUBLING, "true", "variable 'd', expression: .* very large exchange: its value is too large"),
    ("{name: a, expression: 'roles.all(r, roles.all(s, r == s))'}", "true", "a loop inside a loop"),
]


@pytest.mark.parametrize(("variables", "condition", "message"), MISTAKES)
def test_a_mistake_is_named(variables: str, condition: str, message: str, build: Build) -> None:
    spec = f"""\
streaming: window
variables:
  - {variables}
rules:
  - {{id: r, when: {{categories: ["*"], condition: '{condition}'}}, then: flag}}
"""
    with pytest.raises(ConfigError, match=message):
        build(spec)


@pytest.mark.parametrize(
    ("expression", "applies"),
    [
        ('region in ["eu", "ch"]', True),
        ('region == "us"', False),
        ("100 / (roles.size() - 1) < 1000", True),
    ],
)
def test_a_policy_applies_where_its_match_conditions_hold(
    expression: str, applies: bool, ask: Ask
) -> None:
    """One that cannot be evaluated holds, for the more policies apply, the stricter."""
    spec = (
        f"matchConditions: [{{name: here, expression: '{expression}'}},"
        " {name: also, expression: 'provider == \"openai\"'}]\n"
        "rules: [{id: r, when: {categories: ['*']}, then: block}]"
    )
    verdict = ask(spec, region="eu", roles=("one",))
    failing = "100" in expression
    assert [e.reason for e in verdict.effects] == ["R" + "_CONDITION_ERROR" * failing] * applies


def test_a_match_condition_knows_no_finding(build: Build) -> None:
    with pytest.raises(ConfigError, match=r"match condition 'x', expression: unknown name 'score'"):
        build("matchConditions: [{name: x, expression: 'score > 1'}]\nrules: []")


def test_a_fact_asked_about_by_a_variable_tells_judges_apart(
    build: Build, context: Callable[..., Context]
) -> None:
    bundle = build(
        "variables: [{name: home, expression: 'region == \"eu\"'}]\n"
        "rules: [{id: r, when: {categories: ['*'], condition: variables.home}, then: block}]"
    )
    found = [Finding("pii", "PERSON", 0, 1, 0.9)]
    blocked = [
        bundle.bind(context(region=region)).decide(found, Subject("user", Kind.TEXT)).blocked
        for region in ("eu", "us", "eu")
    ]
    assert blocked == [True, False, True]


SAYING = """rules:
  - {id: r, when: {categories: ["*"]}, then: block, message: No., messageExpression: 'EXPR'}"""


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ('"Not to " + provider + "."', "Not to openai."),
        ('score > 900 ? "Surely." : "Perhaps."', "Perhaps."),
        ('""', "No."),
        ('["a", "b"][score / 800]', "b"),
        ('100 / (score - 7) > 0 ? "x" : "y"', "y"),
    ],
)
def test_a_message_may_say_what_is_known(expression: str, told: str, ask: Ask) -> None:
    refusal = ask(SAYING.replace("EXPR", expression), score=0.8).refusal
    assert refusal is not None
    assert refusal.message == told


def test_a_message_that_cannot_be_made_gives_way_to_the_other(ask: Ask) -> None:
    refusal = ask(SAYING.replace("EXPR", "string(100 / (score - 7))"), score=0.007).refusal
    assert refusal is not None
    assert refusal.message == "No."


@pytest.mark.parametrize("name", ["note", "role", "endpoint"])
def test_no_message_tells_what_callers_wrote(name: str, build: Build) -> None:
    spec = f"variables: [{{name: v, expression: {name}}}]\n{SAYING}"
    for expression in (name, "variables.v", f'"x" + {name}'):
        with pytest.raises(ConfigError, match=f"would tell the caller {name}"):
            build(spec.replace("EXPR", expression))


def test_an_expression_is_evaluated_once_for_what_it_rests_on(
    build: Build, context: Callable[..., Context]
) -> None:
    bundle = build(
        "variables: [{name: here, expression: 'region == \"eu\"'}]\n"
        "rules: [{id: r, when: {categories: ['*'], condition: variables.here}, then: flag},"
        " {id: s, when: {categories: ['*'], condition: 'variables.here && score > 5'}, then: flag}]"
    )
    judge = bundle.bind(context())
    for i in range(50):
        found = [Finding("pii", f"KIND_{i}", 0, 1, 0.1 + i % 2 / 10)]
        assert len(judge.decide(found, Subject("user", Kind.TEXT)).effects) == 2
    # The variable, the first condition, and the second one for each of two scores.
    assert len(judge._evaluator._values) == 4
