"""Rules that want a person to see a request."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway import actions
from gateway.core.errors import ConfigError
from gateway.core.judgement import ReviewOrder, Verdict
from gateway.policy import examples
from gateway.policy.bundle import PolicyBundle

Ask = Callable[..., Verdict]
Build = Callable[..., PolicyBundle]
WHEN = "when: {categories: [PERSON], directions: [request]}"
ACTIONS = actions.load()


def spec(more: str = "", when: str = WHEN) -> str:
    return f"rules:\n  - {{id: a, {when}, then: require_review{more}}}\n"


def test_a_review_is_asked_for_beside_what_becomes_of_the_text(ask: Ask) -> None:
    verdict = ask(spec() + f"  - {{id: b, {WHEN}, then: redact}}\n")
    assert [effect.action for effect in verdict.effects] == ["require_review", "redact"]
    assert (verdict.held, verdict.blocked) == (True, False)


def test_a_block_leaves_nothing_to_review(ask: Ask) -> None:
    verdict = ask(spec() + f"  - {{id: b, {WHEN}, then: block}}\n")
    assert (verdict.held, verdict.blocked) == (False, True)


def test_a_condition_that_cannot_be_evaluated_wants_the_review(ask: Ask) -> None:
    when = WHEN.replace("}", ", condition: 'size(roles) > 2'}")
    assert ask(spec(when=when), roles=("x",) * 300).held
    assert not ask(spec(when=when), roles=("x",)).held


@pytest.mark.parametrize(
    ("more", "order"),
    [
        ("", ReviewOrder()),
        (", with: {wait_s: 0, uses: 5}", ReviewOrder(wait_s=0, uses=5)),
        (", with: {reviewers: [b, a]}", ReviewOrder(reviewers=(("a", "b"),))),
        (", with: {expires_s: 60, valid_s: 90}", ReviewOrder(expires_s=60, valid_s=90)),
    ],
)
def test_how_a_review_is_ordered(ask: Ask, more: str, order: ReviewOrder) -> None:
    (effect,) = ask(spec(more)).effects
    assert effect.order == order


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (spec(", with: {wait: 3}"), r"unknown parameter 'wait'\. Known: wait_s, expires_s"),
        (spec(", with: {wait_s: 601}"), "wait_s must be a whole number from 0 to 600"),
        (spec(", with: {uses: true}"), "uses must be a whole number from 1 to 1000"),
        (spec(", with: {reviewers: []}"), r"must be a list of roles, such as \[reviewer\]"),
        (spec(", with: 3"), "expected the parameters of the action by name"),
        (spec(when="when: {categories: [PERSON]}"), r"rule 'a': .*Say `directions: \[request\]`"),
        ("onDetectorError: require_review\n" + spec(), "onDetectorError: unknown"),
    ],
)
def test_what_is_refused(build: Build, said: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(said)


def test_a_policy_for_requests_need_not_say_so_in_each_rule(build: Build) -> None:
    build("match: {directions: [request]}\n" + spec(when="when: {categories: [PERSON]}"))


def test_how_it_is_ordered_is_part_of_what_a_policy_means(build: Build) -> None:
    said = ["", ", with: {uses: 2}", ", with: {reviewers: [legal]}"]
    assert len({build(spec(more)).digest for more in said}) == 3
    assert build(spec(", with: {uses: 1}")).digest == build(spec()).digest


@pytest.mark.parametrize(("outcome", "passed"), [("review", True), ("allow", False)])
def test_an_example_may_expect_it(build: Build, outcome: str, passed: bool) -> None:
    example = (
        "examples:\n  - {name: n, text: Ann, "
        "findings: [{category: PERSON, start: 0, end: 3}], "
        f"expect: {{outcome: {outcome}}}}}\n"
    )
    (tried,) = examples.run(build(spec() + example), lambda text: [], ACTIONS)
    assert (tried.passed, tried.differs) == (
        passed,
        () if passed else ("expected allow, but it is held for review",),
    )
