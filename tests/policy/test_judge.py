"""The strictest rule wins, obligations unite, and each finding is decided by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from gateway.core.judgement import Context, Finding, Manner, StreamMode, Subject, Verdict
from gateway.core.message import Kind
from gateway.policy.bundle import PolicyBundle
from gateway.policy.judge import MAX_REMEMBERED

Ask = Callable[..., Verdict]
Build = Callable[..., PolicyBundle]
USER = Subject("user", Kind.TEXT)


def rules(*lines: str) -> str:
    return "rules:\n" + "\n".join(f"  - {{id: r{i}, {line}}}" for i, line in enumerate(lines))


def fired(verdict: Verdict) -> list[tuple[str, str]]:
    return [(effect.rule, effect.action) for effect in verdict.effects]


ANY = "when: {categories: ['*']}"


def test_the_strictest_wins_and_obligations_unite(ask: Ask) -> None:
    verdict = ask(
        rules(
            f"{ANY}, then: flag",
            f"{ANY}, then: mask",
            f"{ANY}, then: redact",
            f"{ANY}, then: pseudonymise",
            f"{ANY}, then: label, with: {{notice: Hello}}",
        )
    )
    assert fired(verdict) == [("r0", "flag"), ("r2", "redact"), ("r4", "label")]
    assert verdict.effects[2].message == "Hello"
    assert not verdict.blocked


PSEUDONYMISE = f"{ANY}, then: pseudonymise, with: "


@pytest.mark.parametrize("apart", [False, True])
def test_no_rule_widens_where_another_has_originals_come_back(ask: Ask, *, apart: bool) -> None:
    lines = (
        f"{PSEUDONYMISE}{{style: realistic}}",
        f"{PSEUDONYMISE}{{restore: [text, reasoning]}}",
        f"{PSEUDONYMISE}{{restore: [text, tool_arguments]}}",
        f"{PSEUDONYMISE}{{restore: []}}, mode: shadow",
    )
    verdict = ask(*map(rules, lines[:3])) if apart else ask(rules(*lines))
    (effect,) = verdict.effects
    assert effect.manner == Manner(realistic=True, restore=frozenset({Kind.TEXT}))


def test_block_overrides_every_change(ask: Ask) -> None:
    verdict = ask(rules(f"{ANY}, then: redact", f"{ANY}, then: block, message: Not this."))
    assert fired(verdict) == [("r1", "block")]
    assert verdict.refusal is not None
    assert (verdict.refusal.message, verdict.refusal.rule) == ("Not this.", "r1")
    assert verdict.refusal.categories == ("PERSON",)


def test_an_exception_hides_the_finding_from_later_rules_only(ask: Ask) -> None:
    before = ask(rules(f"{ANY}, then: allow", f"{ANY}, then: block"))
    after = ask(rules(f"{ANY}, then: flag", f"{ANY}, then: allow", f"{ANY}, then: block"))
    late = ask(rules(f"{ANY}, then: block", f"{ANY}, then: allow"))
    assert fired(before) == [("r0", "allow")]
    assert fired(after) == [("r0", "flag"), ("r1", "allow")]
    assert late.blocked


def test_an_exception_is_for_its_own_policy_only(ask: Ask) -> None:
    assert ask(rules(f"{ANY}, then: allow"), rules(f"{ANY}, then: block")).blocked


def test_the_strictest_policy_wins(ask: Ask) -> None:
    verdict = ask(rules(f"{ANY}, then: mask"), rules(f"{ANY}, then: redact"))
    assert [(e.policy, e.action) for e in verdict.effects] == [("two", "redact")]


# What `when` says, what the exchange and the finding are, and whether the rule applies.
CASES = [
    ("categories: [PERSON]", {}, True),
    ("categories: [US_SSN]", {}, False),
    ("categories: ['US_*']", {"category": "US_SSN"}, True),
    ("categories: [group:gov_id]", {"category": "US_SSN"}, True),
    ("categories: [group:financial]", {"category": "CREDIT_CARD"}, True),
    ("categories: [group:secret]", {"category": "NEW_TOKEN"}, True),
    ("categories: ['*']", {"category": "ANSWER"}, False),
    ("categories: ['*']", {"category": "OPAQUE"}, False),
    ("categories: ['*']", {"category": "NEVER_HEARD_OF"}, True),
    ("categories: [OPAQUE, REQUEST]", {"category": "REQUEST"}, True),
    ("categories: ['*'], min_score: 0.8", {"score": 0.8}, True),
    ("categories: ['*'], min_score: 0.8", {"score": 0.7994}, False),
    ("categories: ['*'], directions: [response]", {}, False),
    ("categories: ['*'], directions: [response]", {"direction": "response"}, True),
    ("categories: ['*'], kinds: [tool_arguments]", {}, False),
    ("categories: ['*'], kinds: [tool_arguments]", {"kind": Kind.TOOL_ARGUMENTS}, True),
    ("categories: ['*'], roles: [system]", {}, False),
    ("categories: ['*'], roles: [system]", {"role": "system"}, True),
    ("categories: ['*'], detectors: [patterns]", {}, False),
    ("categories: ['*'], detectors: ['p*']", {}, True),
    ("categories: ['*'], models: [gpt]", {}, True),
    ("categories: ['*'], models: ['gpt-5*']", {}, True),
    ("categories: ['*'], models: ['claude*']", {}, False),
    ("categories: ['*'], providers: [openai], regions: [eu], hosting: [hosted]", {}, True),
    ("categories: ['*'], regions: [us]", {}, False),
    ("categories: ['*'], endpoints: ['/v1/chat/*']", {}, True),
    ("categories: ['*'], principals: {tenants: [acme]}", {}, True),
    ("categories: ['*'], principals: {tenants: [acme], teams: [x]}", {}, False),
    ("categories: ['*'], principals: {roles: [dpo]}", {"roles": ("user", "dpo")}, True),
    ("categories: ['*'], principals: {roles: ['*']}", {}, False),
    ("categories: ['*'], principals: {keys: [k1], applications: ['']}", {}, True),
    ("categories: ['*'], condition: 'score > 700 && tenant == \"acme\"'", {}, True),
    ("categories: ['*'], condition: 'score > 700'", {"score": 0.7}, False),
    ("categories: ['*'], condition: '\"dpo\" in roles'", {"roles": ("dpo",)}, True),
    ("categories: ['*'], condition: 'kind == \"text\" && role == \"user\"'", {}, True),
    ("categories: [OPAQUE], condition: 'note == \"image/png\"'",
     {"category": "OPAQUE", "note": "image/png"}, True),
    ("categories: ['*'], condition: 'stream && json_mode'", {"stream": True}, False),
]  # fmt: skip


@pytest.mark.parametrize(("when", "about", "applies"), CASES)
def test_when(when: str, about: dict[str, object], applies: bool, ask: Ask) -> None:
    assert bool(ask(rules(f"when: {{{when}}}, then: flag"), **about).effects) is applies


def test_a_policy_outside_its_scope_says_nothing(ask: Ask) -> None:
    spec = "match: {tenants: [other], directions: [request]}\n" + rules(f"{ANY}, then: block")
    assert not ask(spec).effects
    assert ask(spec, tenant="other").blocked


def test_a_detector_that_failed_blocks_unless_said_otherwise(ask: Ask) -> None:
    spec = rules(f"{ANY}, then: flag")
    blocked = ask(spec, category="DETECTOR_ERROR")
    assert blocked.refusal is not None
    assert "could not be checked" in blocked.refusal.message
    assert not ask(f"onDetectorError: flag\n{spec}", category="DETECTOR_ERROR").blocked


@pytest.mark.parametrize("note", ["late", "full", "died", "closed"])
def test_what_detection_had_no_time_for_may_be_tried_again(note: str, ask: Ask) -> None:
    refusal = ask(rules(f"{ANY}, then: flag"), category="DETECTOR_ERROR", note=note).refusal
    assert refusal is not None
    assert (refusal.status, refusal.code) == (503, "detection_unavailable")
    assert refusal.retry_after_s


@pytest.mark.parametrize("note", ["", "nonsense", "raised"])
def test_what_a_detector_fails_on_is_not_to_be_tried_again(note: str, ask: Ask) -> None:
    refusal = ask(rules(f"{ANY}, then: flag"), category="DETECTOR_ERROR", note=note).refusal
    assert refusal is not None
    assert (refusal.status, refusal.retry_after_s) == (400, None)


def test_one_detector_can_be_excused(ask: Ask) -> None:
    spec = rules("when: {categories: [DETECTOR_ERROR], detectors: [pii]}, then: allow")
    assert not ask(spec, category="DETECTOR_ERROR", detector="pii").blocked
    assert ask(spec, category="DETECTOR_ERROR", detector="patterns").blocked


FAILING = "when: {categories: ['*'], condition: '100 / (score - 7) < 1000'}"


@pytest.mark.parametrize(
    ("action", "applies"), [("block", True), ("redact", True), ("flag", False), ("allow", False)]
)
def test_a_condition_that_fails_counts_against_the_text(
    action: str, applies: bool, ask: Ask
) -> None:
    effects = ask(rules(f"{FAILING}, then: {action}"), score=0.007).effects
    assert [e.reason for e in effects] == ["R0_CONDITION_ERROR"] * applies


def test_the_refusal_counts_and_never_quotes(build: Build, context: Callable[..., Context]) -> None:
    judge = build(rules(f"{ANY}, then: block")).bind(context())
    found = [Finding("pii", c, 0, 9, 1.0) for c in ("US_SSN", "PERSON", "US_SSN")]
    refusal = judge.decide(found, USER).refusal
    assert refusal is not None
    assert refusal.message == (
        "Stopped by policy 'one', rule 'r0': the message holds PERSON (1), US_SSN (2). "
        "Remove it and try again."
    )
    assert (refusal.code, refusal.status) == ("policy_violation", 400)


def test_findings_are_decided_each_by_itself(build: Build, context: Callable[..., Context]) -> None:
    judge = build(rules("when: {categories: [PERSON], min_score: 0.5}, then: redact")).bind(
        context()
    )
    found = [Finding("pii", "PERSON", i, i + 1, score) for i, score in enumerate((0.4, 0.5, 0.6))]
    together = judge.decide(found, USER).effects
    apart = [effect for each in found for effect in judge.decide([each], USER).effects]
    assert list(together) == apart
    assert [effect.finding.start for effect in apart] == [1, 2]


def test_what_is_remembered_is_bounded(build: Build, context: Callable[..., Context]) -> None:
    asking = "when: {categories: ['*'], condition: 'note != \"x\"'}"
    judge = build(rules(f"{asking}, then: flag")).bind(context())
    found = [Finding("pii", "PERSON", 0, 1, 1.0, str(i)) for i in range(MAX_REMEMBERED + 9)]
    assert len(judge.decide(found, USER).effects) == len(found)
    assert len(judge._remembered) <= 9


def test_findings_that_rules_cannot_tell_apart_are_decided_on_once(
    build: Build, context: Callable[..., Context]
) -> None:
    judge = build(rules("when: {categories: ['*'], min_score: 0.5}, then: flag")).bind(context())
    for i in range(100):
        who = Subject(f"role-{i}", Kind.TEXT)
        judge.decide([Finding(f"d{i}", "PERSON", i, i + 1, i / 100, f"n{i}")], who)
    assert len(judge._remembered) == 2


def test_what_is_remembered_is_what_would_be_decided_anew(
    build: Build, context: Callable[..., Context]
) -> None:
    bundle = build(
        rules(
            "when: {categories: [PERSON], min_score: 0.5, kinds: [text]}, then: flag",
            "when: {categories: ['US_*', PERSON], roles: [user]}, then: mask",
            "when: {categories: ['*'], detectors: [pii], condition: 'score > 700'}, then: redact",
            "when: {categories: [OPAQUE], condition: 'note == \"a\"'}, then: block",
        )
    )
    judge = bundle.bind(context())
    asked = itertools.product(
        ("pii", "patterns"), ("PERSON", "US_SSN", "OPAQUE", "DETECTOR_ERROR"),
        (0.4995, 0.5, 0.7, 0.9), ("", "a"), ("user", "tool"), (Kind.TEXT, Kind.REASONING),
    )  # fmt: skip
    for detector, category, score, note, role, kind in asked:
        finding, subject = Finding(detector, category, 0, 1, score, note), Subject(role, kind)
        anew = PolicyBundle(bundle.policies).bind(context())
        assert judge.decide([finding], subject) == anew.decide([finding], subject)


DETECTORS = {
    "names": frozenset({"PERSON"}),
    "numbers": frozenset({"US_SSN", "CREDIT_CARD"}),
    "patterns": frozenset({"AWS_ACCESS_KEY"}),
}


def test_only_detectors_that_matter_are_asked(
    build: Build, context: Callable[..., Context]
) -> None:
    bundle = build(
        rules(
            "when: {categories: ['US_*'], directions: [response]}, then: redact",
            "when: {categories: [PERSON]}, then: flag",
            "when: {categories: ['*'], detectors: [patterns], directions: [request]}, then: block",
        )
    )
    request = bundle.bind(context(direction="request"))
    response = bundle.bind(context(direction="response"))
    assert request.concerned(DETECTORS) == ("names", "patterns")
    assert request.enforcing(DETECTORS) == ("patterns",)
    assert response.concerned(DETECTORS) == ("names", "numbers")
    assert response.enforcing(DETECTORS) == ("numbers",)


def test_the_strictest_streaming_mode_of_those_that_apply(
    build: Build, context: Callable[..., Context]
) -> None:
    flag = rules(f"{ANY}, then: flag")
    bundle = build(
        f"streaming: observe\nonDetectorError: flag\n{flag}",
        f"streaming: window\nmatch: {{tenants: [b, c]}}\n{flag}",
        f"streaming: hold\nmatch: {{tenants: [c]}}\n{flag}",
    )
    modes = [bundle.bind(context(tenant=t)).stream_mode for t in "abc"]
    assert modes == [StreamMode.OBSERVE, StreamMode.WINDOW, StreamMode.HOLD]
