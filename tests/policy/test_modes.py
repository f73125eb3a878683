"""A rule that is not enforced says what it would do, and nothing comes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway import actions
from gateway.core.judgement import Context, Finding, Mode, StreamMode, Subject, Verdict
from gateway.core.message import Kind
from gateway.policy.bundle import PolicyBundle
from gateway.policy.examples import run
from gateway.policy.explaining import explain

Ask = Callable[..., Verdict]
Build = Callable[..., PolicyBundle]
USER = Subject("user", Kind.TEXT)
ANY = "when: {categories: ['*']}"


def rules(*lines: str) -> str:
    return "rules:\n" + "\n".join(f"  - {{id: r{i}, {line}}}" for i, line in enumerate(lines))


def trials(verdict: Verdict) -> list[tuple[str, str]]:
    return [(effect.rule, effect.mode.value) for effect in verdict.trials]


def fired(verdict: Verdict) -> list[str]:
    return [effect.rule for effect in verdict.effects]


@pytest.mark.parametrize("action", sorted(actions.load()))
@pytest.mark.parametrize("mode", ["warn", "shadow", "off"])
def test_no_action_has_an_effect_unless_it_is_enforced(mode: str, action: str, ask: Ask) -> None:
    asked = ANY.replace("}", ", directions: [request]}")
    how = ", with: {model: m}" if action == "route" else ""
    spec = rules(f"{asked}, mode: {mode}, then: {action}{how}", f"{ANY}, then: flag")
    verdict = ask(spec)
    assert (fired(verdict), verdict.refusal) == (["r1"], None)
    assert trials(verdict) == ([] if mode == "off" else [("r0", mode)])


# What several rules say, and what comes of it: effects, trials.
CASES: list[tuple[tuple[str, ...], list[str], list[tuple[str, str]]]] = [
    # A stricter rule that is enforced leaves nothing for a trial to do.
    ((f"{ANY}, mode: shadow, then: redact", f"{ANY}, then: block"), ["r1"], []),
    ((f"{ANY}, mode: shadow, then: block", f"{ANY}, then: redact"), ["r1"], [("r0", "shadow")]),
    # Obligations unite with what is enforced.
    ((f"{ANY}, mode: warn, then: flag", f"{ANY}, then: redact"), ["r1"], [("r0", "warn")]),
    # Of several on trial only the strictest would win, as far as each goes.
    ((f"{ANY}, mode: shadow, then: redact", f"{ANY}, mode: shadow, then: block"),
     [], [("r1", "shadow")]),
    ((f"{ANY}, mode: warn, then: redact", f"{ANY}, mode: shadow, then: block"),
     [], [("r0", "warn"), ("r1", "shadow")]),
    ((f"{ANY}, mode: warn, then: block", f"{ANY}, mode: shadow, then: redact"),
     [], [("r0", "warn")]),
    # An exception hides from what goes no further than itself.
    ((f"{ANY}, then: allow", f"{ANY}, mode: shadow, then: block"), ["r0"], []),
    ((f"{ANY}, mode: shadow, then: allow", f"{ANY}, then: block"), ["r1"], [("r0", "shadow")]),
    ((f"{ANY}, mode: shadow, then: allow", f"{ANY}, mode: shadow, then: block"),
     [], [("r0", "shadow")]),
    ((f"{ANY}, mode: shadow, then: allow", f"{ANY}, mode: warn, then: block"),
     [], [("r1", "warn"), ("r0", "shadow")]),
    ((f"{ANY}, mode: off, then: allow", f"{ANY}, then: block"), ["r1"], []),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "effects", "tried"), CASES)
def test_what_comes_of_several(
    lines: tuple[str, ...], effects: list[str], tried: list[tuple[str, str]], ask: Ask
) -> None:
    verdict = ask(rules(*lines))
    assert (fired(verdict), trials(verdict)) == (effects, tried)


def test_a_warning_has_the_rules_words_or_names_the_rule(ask: Ask) -> None:
    own = ask(rules(f"{ANY}, mode: warn, then: block, message: {{en: Soon not., de: Bald nicht.}}"))
    none = ask(rules(f"{ANY}, mode: warn, then: block"))
    assert own.trials[0].message == "Soon not."
    assert none.trials[0].message == (
        "Policy 'one', rule 'r0', would act here if it were enforced: block."
    )


DETECTORS = {"pii": frozenset({"PERSON"}), "patterns": frozenset({"NEW_TOKEN"})}


def test_a_trial_is_listened_to_and_holds_nothing_back(
    build: Build, context: Callable[..., Context]
) -> None:
    judge = build(rules("when: {categories: [PERSON]}, mode: shadow, then: block")).bind(context())
    assert judge.concerned(DETECTORS) == ("pii",)
    assert judge.enforcing(DETECTORS) == ()
    off = build(rules("when: {categories: [PERSON]}, mode: off, then: block")).bind(context())
    assert off.concerned(DETECTORS) == ()


@pytest.mark.parametrize(
    ("mode", "expected"), [("shadow", "shadow"), ("warn", "warn"), ("enforce", None)]
)
def test_the_failure_of_a_detector_that_only_trials_listen_to_is_not_felt(
    mode: str, expected: str | None, ask: Ask
) -> None:
    spec = rules(
        f"when: {{categories: [PERSON]}}, mode: {mode}, then: block",
        "when: {categories: [NEW_TOKEN]}, then: flag",
    )
    verdict = ask(spec, category="DETECTOR_ERROR", detector="pii", note="late")
    assert verdict.blocked is (expected is None)
    assert trials(verdict) == ([("on-detector-error", expected)] if expected else [])
    assert ask(spec, category="DETECTOR_ERROR", detector="patterns").blocked
    assert ask(spec, category="DETECTOR_ERROR", detector="another").blocked


def test_a_policy_on_trial_does_not_slow_a_stream(
    build: Build, context: Callable[..., Context]
) -> None:
    spec = "streaming: hold\n" + rules(f"{ANY}, mode: shadow, then: block")
    assert build(spec).bind(context()).stream_mode is StreamMode.WINDOW
    half = spec + f"\n  - {{id: r9, {ANY}, then: flag}}"
    assert build(half).bind(context()).stream_mode is StreamMode.HOLD


def test_observe_allows_a_trial_of_what_it_could_not_enforce(build: Build) -> None:
    assert build(
        "streaming: observe\nonDetectorError: flag\n" + rules(f"{ANY}, mode: shadow, then: block")
    )


def test_a_trial_that_cannot_be_evaluated_would_have_applied(ask: Ask) -> None:
    failing = "when: {categories: ['*'], condition: '100 / (score - 7) < 1000'}"
    verdict = ask(rules(f"{failing}, mode: shadow, then: block"), score=0.007)
    assert [e.reason for e in verdict.trials] == ["R0_CONDITION_ERROR"]


def test_an_example_enforces_the_rules_it_names(build: Build) -> None:
    spec = rules(f"{ANY}, mode: shadow, then: block", f"{ANY}, mode: off, then: redact") + (
        "\nexamples:\n"
        "  - {name: named, text: abc, findings: [{category: X, start: 0, end: 3}],"
        " expect: {outcome: block, rules: [r0]}}\n"
        "  - {name: left out, text: abc, findings: [{category: X, start: 0, end: 3}],"
        " expect: {outcome: allow, text: '[X]', rules: [r1]}}\n"
        "  - {name: as it is, text: abc, findings: [{category: X, start: 0, end: 3}],"
        " expect: {outcome: allow, text: abc, rules: []}}\n"
    )
    outcomes = run(build(spec), lambda text: [], actions.load())
    assert [(o.example, o.differs) for o in outcomes] == [
        ("named", ()),
        ("left out", ()),
        ("as it is", ()),
    ]


def test_explaining_says_how_far_a_rule_goes(build: Build, context: Callable[..., Context]) -> None:
    bundle = build(
        rules(f"{ANY}, mode: shadow, then: block", f"{ANY}, mode: off, then: block",
              f"{ANY}, then: flag")
    )  # fmt: skip
    (found,) = explain(bundle, context(), [Finding("pii", "X", 0, 1, 1.0)], USER).findings
    told = {c.rule: (c.matched, c.effective, c.mode, c.why) for c in found.considered}
    assert told["r0"] == (True, True, "shadow", "not enforced: shadow")
    assert told["r1"] == (False, False, "off", "off")
    assert told["r2"] == (True, True, "enforce", "")


def test_a_mode_goes_as_far_as_the_nearer_of_two() -> None:
    assert Mode.ENFORCE.within(Mode.SHADOW) is Mode.SHADOW
    assert Mode.OFF.within(Mode.WARN) is Mode.OFF
    assert Mode.WARN.within(Mode.WARN) is Mode.WARN
