"""What is not enforced leaves the message alone; a warning is told while its head can tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gateway.core.apis import Candidate
from gateway.core.exchange import MAX_WARNINGS, Exchange, Side
from gateway.core.judgement import Effect, Finding, Mode, Route, Subject, Verdict
from gateway.labels.headers import headers
from gateway.pipeline.house import House
from tests.pipeline.fakes import (
    SSE,
    STREAMS,
    WHOLES,
    Asked,
    Backend,
    Bundle,
    Sink,
    ask,
    chat,
    house,
)

MAIL = "to bob@example.com"
ANSWER = WHOLES["openai_text"].replace(b"key-", b"kex-")


class Trying(Bundle):
    """A bundle all of whose rules are in one mode."""

    def __init__(self, rules: Mapping[str, str], mode: Mode) -> None:
        super().__init__(rules)
        self.how = mode

    def enforcing(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        return ()

    def decide(self, findings: Sequence[Finding], subject: Subject) -> Verdict:
        return Verdict(
            trials=tuple(
                Effect(self.rules[f.category], f, "test", "r", "R", "Mind.", self.how)
                for f in findings
                if f.category in self.rules
            )
        )


def told(exchange: Exchange) -> Mapping[str, str]:
    return headers(exchange, now_s=0, policy="test", revision="1")


def tried(backend: Backend, bundle: Bundle, body: bytes, **parts: object) -> tuple[Asked, Sink]:
    sink = Sink()
    made: House = house(backend, bundle, sink=sink, labels=told, **parts)
    return ask(made, body), sink


@pytest.mark.parametrize("action", ["block", "redact", "pseudonymise", "label", "flag"])
@pytest.mark.parametrize("mode", [Mode.WARN, Mode.SHADOW])
def test_a_trial_changes_no_byte_of_either_side(mode: Mode, action: str) -> None:
    backend = Backend(ANSWER)
    asked, sink = tried(backend, Trying({"EMAIL_ADDRESS": action}, mode), chat(MAIL))
    assert (asked.status, asked.body) == (200, ANSWER)
    assert b"bob@example.com" in backend.bodies[0]
    assert asked.headers["gw-decision"].startswith("allow;")
    (trial,) = sink.closed["request"]["trials"]
    assert trial == {
        "mode": mode.value, "action": action, "rule": "test/r", "reason": "R", "count": 1,
    }  # fmt: skip
    assert sink.closed["request"]["effects"] == []


def test_a_caller_is_warned_and_sees_nothing_of_a_shadow() -> None:
    rules = {"EMAIL_ADDRESS": "block"}
    warned, _ = tried(Backend(ANSWER), Trying(rules, Mode.WARN), chat(MAIL))
    shadowed, _ = tried(Backend(ANSWER), Trying(rules, Mode.SHADOW), chat(MAIL))
    plain, sink = tried(Backend(ANSWER), Trying({}, Mode.SHADOW), chat(MAIL))
    assert warned.headers["gw-warning"] == '"test/r";message=%"Mind."'
    assert shadowed.headers == plain.headers
    assert "trials" not in sink.closed["request"]


def test_a_whole_answer_is_warned_of_and_a_stream_only_on_record() -> None:
    bundle = Trying({"EMAIL_ADDRESS": "block"}, Mode.WARN)
    whole, _ = tried(Backend(ANSWER), bundle, chat())
    stream = STREAMS["openai_text"]
    late, sink = tried(
        Backend(*(stream[i : i + 40] for i in range(0, len(stream), 40)), kind=SSE),
        bundle,
        chat(stream=True),
    )
    assert "gw-warning" in whole.headers
    assert "gw-warning" not in late.headers
    assert late.body == stream
    assert sink.closed["response"]["trials"]


def test_trials_are_counted_by_mode_and_action() -> None:
    made = house(Backend(ANSWER), Trying({"EMAIL_ADDRESS": "block"}, Mode.SHADOW))
    ask(made, chat(f"{MAIL}, then to eve@example.com"))
    counted = made.counters.values['trial_effects_total{mode="shadow",action="block"}']
    assert counted == 2 + ANSWER.count(b"@")


def test_what_a_fallback_is_not_warned_of_is_not_told() -> None:
    class Once(Trying):
        def bind(self, context: object) -> Bundle:
            return self if context.route.model == "m" else Trying({}, Mode.WARN)  # type: ignore[attr-defined]

    there = Backend(ANSWER)
    routes = [
        Candidate(Route("m", "m", "b", "p"), Backend(fail="head")),
        Candidate(Route("spare", "spare", "c", "p"), there),
    ]
    asked, _ = tried(
        Backend(),
        Once({"EMAIL_ADDRESS": "block"}, Mode.WARN),
        chat(MAIL),
        route=lambda message, dialect, who: routes,
    )
    assert (asked.status, len(there.bodies)) == (200, 1)
    assert "gw-warning" not in asked.headers


def test_each_source_warns_once_and_not_too_many_do() -> None:
    side = Side()
    for i in range(3 * MAX_WARNINGS):
        side.warn(f"p/r{i // 2}", f"words {i}")
    assert len(side.warnings) == MAX_WARNINGS
    assert side.warnings["p/r0"] == "words 0"
