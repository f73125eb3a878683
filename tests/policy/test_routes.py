"""Rules that send requests elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway import actions
from gateway.core.errors import ConfigError
from gateway.core.judgement import Verdict
from gateway.core.targets import Target
from gateway.policy import examples
from gateway.policy.bundle import PolicyBundle
from gateway.policy.language import Vocabulary
from gateway.policy.schema import schema

Ask = Callable[..., Verdict]
Build = Callable[..., PolicyBundle]
WHEN = "when: {categories: [PERSON], directions: [request]}"
NEAR = "with: {hosting: self_hosted}"
ACTIONS = actions.load()


def spec(how: str = NEAR, when: str = WHEN, more: str = "") -> str:
    with_ = f", {how}" if how else ""
    return f"rules:\n  - {{id: a, {when}, then: route{with_}{more}}}\n"


def test_it_is_asked_for_beside_what_becomes_of_the_text(ask: Ask) -> None:
    verdict = ask(spec() + f"  - {{id: b, {WHEN}, then: redact}}\n")
    assert [effect.action for effect in verdict.effects] == ["route", "redact"]
    assert verdict.effects[0].target == Target.of({"hosting": "self_hosted"})
    assert (verdict.rerouted, verdict.held, verdict.blocked) == (True, False, False)


def test_a_block_goes_before_it(ask: Ask) -> None:
    verdict = ask(spec() + f"  - {{id: b, {WHEN}, then: block}}\n")
    assert (verdict.rerouted, verdict.blocked) == (False, True)


def test_an_exception_and_a_trial_leave_it_where_it_is(ask: Ask) -> None:
    allowed = f"rules:\n  - {{id: x, {WHEN}, then: allow}}\n" + spec().removeprefix("rules:\n")
    assert not ask(allowed).rerouted
    on_trial = ask(spec(more=", mode: shadow"))
    assert (on_trial.rerouted, [e.action for e in on_trial.trials]) == (False, ["route"])


@pytest.mark.parametrize(
    ("how", "there"),
    [
        ("with: {model: m}", {"model": "m"}),
        ("with: {hosting: self_hosted}", {"hosting": "self_hosted"}),
        ("with: {hosting: self_hosted, region: eu}", {"hosting": "self_hosted", "region": "eu"}),
        ("with: {trains: false}", {"trains": False}),
        ("with: {retention_days: 30}", {"retention_days": 7}),
        ("with: {retention_days: 0}", {"retention_days": 0}),
    ],
)
def test_it_is_not_for_what_goes_there_anyway(ask: Ask, how: str, there: dict[str, object]) -> None:
    assert not ask(spec(how), **there).rerouted
    assert ask(spec(how), trains=True).rerouted


def test_a_place_of_which_nobody_knows_how_long_it_keeps_data_is_not_such(ask: Ask) -> None:
    assert ask(spec("with: {retention_days: 30}"), retention_days=-1).rerouted
    assert ask(spec("with: {retention_days: 30}"), retention_days=31).rerouted


def test_a_condition_that_cannot_be_evaluated_sends_it_elsewhere(ask: Ask) -> None:
    when = WHEN.replace("}", ", condition: 'size(roles) > 2'}")
    assert ask(spec(when=when), roles=("x",) * 300).rerouted
    assert not ask(spec(when=when), roles=("x",)).rerouted


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (spec(""), r"rule 'a': needs to know where to\. Give some of: model, provider, hosting"),
        (spec("with: {}"), "needs to know where to"),
        (spec("with: {runs: here}"), r"unknown parameter 'runs'\. Known: model, provider"),
        (spec("with: {hosting: self-hosted}"), "hosting must be one of hosted, self_hosted"),
        (spec("with: {model: 3}"), "model must be a name as in the catalogue"),
        (spec("with: {trains: true}"), "trains can only be false"),
        (spec("with: {retention_days: -1}"), "must be a whole number of days"),
        (spec("with: here"), "expected the parameters of the action by name"),
        (
            spec(when="when: {categories: [PERSON]}"),
            r"rule 'a': 'route' is for requests: an answer",
        ),
        ("onDetectorError: route\n" + spec(), "onDetectorError: unknown"),
    ],
)
def test_what_is_refused(build: Build, said: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(said)


def test_what_only_requests_raise_need_not_be_said_to_be_for_requests(build: Build) -> None:
    build(spec(when="when: {categories: [REQUEST, DATA_CLASS, TERMS]}"))


def test_where_to_is_part_of_what_a_policy_means(build: Build) -> None:
    said = ["with: {model: a}", "with: {model: b}", "with: {model: a, region: eu}"]
    assert len({build(spec(how)).digest for how in said}) == 3
    turned = "with: {region: eu, model: a}"
    assert build(spec(turned)).digest == build(spec(said[2])).digest


@pytest.mark.parametrize(("outcome", "passed"), [("route", True), ("allow", False)])
def test_an_example_may_expect_it(build: Build, outcome: str, passed: bool) -> None:
    example = (
        "examples:\n  - {name: n, text: Ann, "
        "findings: [{category: PERSON, start: 0, end: 3}], "
        f"expect: {{outcome: {outcome}}}}}\n"
    )
    (tried,) = examples.run(build(spec() + example), lambda text: [], ACTIONS)
    assert (tried.passed, tried.differs) == (
        passed,
        () if passed else ("expected allow, but it is sent elsewhere by 'a'",),
    )


def test_editors_know_it() -> None:
    assert "'route'" in str(schema(Vocabulary(ACTIONS)))
