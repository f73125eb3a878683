"""What an exchange leaves behind is enough to judge it again, and holds no text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.activation import MAX_KINDS, MAX_NOTE_CHARS, Activation
from gateway.core.differing import Flip, differ
from gateway.core.judgement import Finding, Subject
from gateway.core.message import Kind
from gateway.core.ports import Entry
from gateway.core.rejudging import Past, past, recorded, rejudge
from tests.pipeline.fakes import (
    ACTIONS,
    SAMPLES,
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
