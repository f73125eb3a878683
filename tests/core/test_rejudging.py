"""What an exchange leaves behind is enough to judge it again, and holds no text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from gateway.core.activation import MAX_KINDS, MAX_NOTE_CHARS, Activation
from gateway.core.apis import Candidate
from gateway.core.clearance import Clearance, DataClass
from gateway.core.differing import Flip, differ
from gateway.core.judgement import Context, Finding, Route, Subject
from gateway.core.message import Kind
from gateway.core.past import Past, past, recorded
from gateway.core.ports import Entry
from gateway.core.rejudging import rejudge
from tests.pipeline.fakes import (
    ACTIONS,
    SAMPLES,
    WHOLES,
    Asked,
    Backend,
    Bundle,
    Inspector,
    Sink,
    ask,
    chat,
    house,
)

KNOWN = (Inspector.detectors,)
TEXT = Subject("user", Kind.TEXT)
RULES: list[dict[str, str]] = [
    {},
    {"EMAIL_ADDRESS": "redact"},
    {"EMAIL_ADDRESS": "flag", "KEY": "block"},
    {"EMAIL_ADDRESS": "block", "ANSWER": "flag", "REQUEST": "flag"},
    {"REQUEST": "block"},
]


class BundleBy(Bundle):
    """Other rules for each hosting."""

    def __init__(self, rules: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__({})
        self.by = {hosting: Bundle(each) for hosting, each in rules.items()}

    def bind(self, context: object) -> Bundle:
        assert isinstance(context, Context)
        return self.by[context.route.hosting]


def exchanged(
    data: bytes, kind: str, rules: dict[str, str], said: str = ""
) -> tuple[Asked, dict[str, Any]]:
    """One exchange, and its closing entry as the log has it."""
    sink = Sink()
    asked = ask(house(Backend(data, kind=kind), Bundle(rules), sink=sink), chat(said or "hi"))
    (entry,) = [e for e in sink.entries if e.kind == "exchange.closed"]
    return asked, read_back(entry)


def read_back(entry: Entry) -> dict[str, Any]:
    columns = ("tenant", "application", "key_id", "model", "provider", "outcome")
    core = {name: getattr(entry, name) for name in columns}
    told: dict[str, Any] = json.loads(json.dumps({**core, "data": entry.core}))
    return told


def known(was: Past | None) -> Past:
    assert was is not None
    return was


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_bundle_that_judged_says_the_same_again(sample: str, rules: dict[str, str]) -> None:
    for said in ("hi", "to bob@example.com", "key-0a1b2c3d for bob@example.com"):
        _, entry = exchanged(*SAMPLES[sample], rules, said)
        was = known(recorded(entry))
        again = rejudge(Bundle(rules), was, ACTIONS, KNOWN)
        assert (again.blocked, again.effects) == (was.blocked, was.effects)
        assert not again.unheard


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_log_tells_what_the_exchange_told(sample: str) -> None:
    asked, entry = exchanged(*SAMPLES[sample], RULES[2], "bob@example.com")
    there, here = known(recorded(entry)), past(asked.exchange)
    assert there.activations == here.activations
    assert (there.effects, there.blocked, there.application) == (
        here.effects, here.blocked, here.application,
    )  # fmt: skip
    for direction, context in here.contexts.items():
        told = there.contexts[direction]
        assert (told.route, told.endpoint, told.stream) == (
            context.route, context.endpoint, context.stream,
        )  # fmt: skip
        assert told.principal.tenant == context.principal.tenant


def test_another_bundle_says_what_it_would_have_done() -> None:
    data, kind = next(iter(SAMPLES.values()))
    _, entry = exchanged(data, kind, {"EMAIL_ADDRESS": "flag"}, "to bob@example.com, eve@b.com")
    was = known(recorded(entry))
    strict = rejudge(Bundle({"EMAIL_ADDRESS": "block"}), was, ACTIONS, KNOWN)
    assert strict.blocked == "test/r"
    assert strict.effects == {("request", "block", "test/r"): 2}
    lax = rejudge(Bundle({}), was, ACTIONS, KNOWN)
    assert (lax.blocked, lax.effects) == ("", {})


def test_no_bundle_lets_through_what_the_catalogue_stopped() -> None:
    data, kind = next(iter(SAMPLES.values()))
    _, entry = exchanged(data, kind, {"EMAIL_ADDRESS": "flag"}, "to bob@example.com, eve@b.com")
    entry["data"]["refusal"] = {"code": "x", "policy": "catalogue", "rule": "classes"}
    was = known(recorded({**entry, "outcome": "blocked"}))
    assert differ(was, rejudge(Bundle({}), was, ACTIONS, KNOWN)).flip is Flip.SAME
    stricter = rejudge(Bundle({"EMAIL_ADDRESS": "block"}), was, ACTIONS, KNOWN)
    assert stricter.blocked == "test/r"


HOSTED = {"KEY": "route", "EMAIL_ADDRESS": "redact"}


def rerouted(text: str, there: Mapping[str, str] = MappingProxyType({})) -> Past:
    """An exchange that a rule sent to a self-hosted model, as the log tells of it."""
    sink, backend = Sink(), Backend(WHOLES["openai_text"])
    near = Candidate(Route("near", "near", "b2", "p2", "self_hosted"), backend)
    by = BundleBy({"self_hosted": there, "hosted": HOSTED})
    rooms = house(backend, by, sink=sink, elsewhere=lambda *asked: [near])  # type: ignore[arg-type]
    ask(rooms, chat(text))
    (entry,) = [e for e in sink.entries if e.kind == "exchange.closed"]
    return known(recorded(read_back(entry)))


BOTH = "use key-0123abcd, bob@example.com"


@pytest.mark.parametrize("there", [{}, {"EMAIL_ADDRESS": "flag"}, {"EMAIL_ADDRESS": "block"}])
@pytest.mark.parametrize("text", [BOTH, "nothing", "key-0123abcd"])
def test_of_a_request_that_was_sent_elsewhere_the_same_is_said_again(
    there: dict[str, str], text: str
) -> None:
    was = rerouted(text, there)
    by = BundleBy({"self_hosted": there, "hosted": HOSTED})
    again = rejudge(by, was, ACTIONS, KNOWN)
    assert (was.turned is not None) == ("key" in text)
    assert (again.blocked, again.effects) == (was.blocked, was.effects)
    assert differ(was, again).flip is Flip.SAME


@pytest.mark.parametrize(
    ("hosted", "blocked", "effects"),
    [
        ({}, "", {}),
        ({"KEY": "flag"}, "", {("request", "flag", "test/r"): 1}),
        ({"EMAIL_ADDRESS": "block"}, "test/r", {("request", "block", "test/r"): 1}),
        ({"ANSWER": "block"}, "test/r", {("response", "block", "test/r"): 1}),
    ],
)
def test_a_rule_that_sends_nothing_elsewhere_leaves_it_where_it_was_to_go(
    hosted: dict[str, str], blocked: str, effects: dict[tuple[str, str, str], int]
) -> None:
    by = BundleBy({"self_hosted": {"EMAIL_ADDRESS": "redact"}, "hosted": hosted})
    again = rejudge(by, rerouted(BOTH), ACTIONS, KNOWN)
    assert (again.blocked, again.effects) == (blocked, effects)


def test_what_may_not_go_where_it_was_to_go_would_be_stopped_there() -> None:
    was = rerouted(BOTH)
    assert was.turned is not None
    route = replace(was.turned.context.route, clearance=Clearance.of(["internal"]))
    turned = replace(
        was.turned,
        context=replace(was.turned.context, route=route),
        sent=DataClass.of("restricted"),
    )
    by = BundleBy({"self_hosted": {}, "hosted": {}})
    again = rejudge(by, replace(was, turned=turned), ACTIONS, KNOWN)
    assert again.blocked == "catalogue/classes"


def test_a_request_that_found_no_place_is_stopped_by_the_same_rule_again() -> None:
    data, kind = next(iter(SAMPLES.values()))
    _, entry = exchanged(data, kind, {"KEY": "route"}, "key-0123abcd")
    was = known(recorded(entry))
    assert was.blocked == "test/r"
    assert differ(was, rejudge(Bundle({"KEY": "route"}), was, ACTIONS, KNOWN)).flip is Flip.SAME


def test_a_detector_that_did_not_look_is_told() -> None:
    data, kind = next(iter(SAMPLES.values()))
    _, entry = exchanged(data, kind, {})
    was = known(recorded(entry))
    opinion = rejudge(Bundle({"KEY": "flag"}), was, ACTIONS, KNOWN)
    assert opinion.unheard == {"fake"}


def test_a_role_that_a_client_made_up_is_not_kept() -> None:
    activation = Activation()
    activation.add(Finding("d", "C", 0, 1, 1.0), Subject("Anna Lind", Kind.TEXT))
    assert [seen.role for seen in activation.seen] == ["other"]


def test_what_is_kept_is_bounded_and_says_so() -> None:
    activation = Activation()
    for number in range(MAX_KINDS + 10):
        for _ in range(2):
            activation.add(Finding("d", "C", 0, 1, 1.0, note=str(number)), TEXT)
    activation.add(Finding("d", "C", 0, 1, 1.0, note="x" * (MAX_NOTE_CHARS + 1)), TEXT)
    told = activation.record()
    assert (len(told["seen"]), told["cut"]) == (MAX_KINDS, 21)
    assert Activation.of(json.loads(json.dumps(told))) == activation


def test_an_exchange_that_nobody_judged_leaves_nothing() -> None:
    sink = Sink()
    ask(house(Backend(b"{}"), Bundle({}), sink=sink), b"{")
    (entry,) = [e for e in sink.entries if e.kind == "exchange.closed"]
    assert recorded(read_back(entry)) is None
    assert "activation" not in entry.core["request"]
