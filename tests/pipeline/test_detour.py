"""A request that a rule sends elsewhere goes there and nowhere else, judged for there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.core.apis import Candidate
from gateway.core.calls import Call
from gateway.core.clearance import Clearance, DataClass
from gateway.core.judgement import Route
from gateway.core.message import Message
from gateway.core.targets import Target
from gateway.labels.headers import headers
from gateway.pipeline.house import House
from tests.pipeline.fakes import STREAMS, Asked, Backend, Shelf, Sink, ask, chat
from tests.pipeline.test_classing import KEY, MAIL, at, backend, labelled, policies
from tests.pipeline.test_kept import Keeping

RULES = """
  rules:
    - id: keys-stay
      when: {categories: [KEY], directions: [request]}
      then: route
      with: {hosting: self_hosted}
    - id: far
      when: {categories: [KEY], directions: [request], hosting: [hosted]}
      then: redact
    - id: mail
      when: {categories: [EMAIL_ADDRESS], directions: [request], hosting: [self_hosted]}
      then: redact
    - id: local
      when: {categories: [REQUEST], models: [closed]}
      then: block
"""
BY_CLASS = """
  rules:
    - id: restricted
      when: {categories: [DATA_CLASS], data_classes: [restricted]}
      then: route
      with: {hosting: self_hosted}
"""


def place(model: str, to: Backend, hosting: str = "hosted", **facts: Any) -> Candidate:
    limit = Clearance() if hosting == "self_hosted" else Clearance.of(["confidential"])
    return Candidate(Route(model, f"{model}-up", model, "p", hosting, clearance=limit, **facts), to)


class Shop:
    """A hosted model that is asked for, and others that rules may send requests to."""

    def __init__(self, rules: str = RULES, *others: Candidate, **parts: Any) -> None:
        self.far, self.near, self.sink = backend(), backend(), Sink()
        self.others = others or (place("near", self.near, "self_hosted"),)
        self.asked: list[tuple[Target, DataClass]] = []
        first = parts.pop("first", [place("m", self.far)])
        self.house: House = at(
            *first,
            bundle=policies(rules),
            sink=self.sink,
            elsewhere=self.elsewhere,
            labels=lambda e: headers(e, now_s=0, policy="p", revision="1"),
            **parts,
        )

    def elsewhere(
        self, message: Message, dialect: str, target: Target, data: DataClass
    ) -> list[Candidate]:
        self.asked.append((target, data))
        facts = ("model", "provider", "hosting", "region", "trains", "retention_days")
        return [
            each
            for each in self.others
            if target.met({name: getattr(each.route, name) for name in facts})
        ]

    def ask(self, text: str, **fields: object) -> Asked:
        return ask(self.house, chat(text, **fields))

    @property
    def closed(self) -> Mapping[str, Any]:
        """The last closing entry."""
        found: Mapping[str, Any] = self.sink.entries[-1].core
        return found


def test_it_goes_elsewhere_and_nothing_to_where_it_was_to_go() -> None:
    shop = Shop()
    asked = shop.ask(f"{KEY}, {MAIL}")
    assert (asked.status, shop.far.bodies, len(shop.near.bodies)) == (200, [], 1)
    # Judged by the rules for there: the key stays, the address goes.
    assert b"key-0123abcd, to [EMAIL_ADDRESS]" in shop.near.bodies[0]
    assert b'"near-up"' in shop.near.bodies[0]


def test_the_answer_and_the_record_say_so() -> None:
    shop = Shop()
    asked = shop.ask(KEY)
    assert asked.headers["gw-decision"].startswith("route;")
    assert asked.headers["gw-model"] == '"near"'
    assert asked.headers["gw-asked-model"] == '"m"'
    opened, closed = shop.sink.entries
    assert (opened.model, closed.model) == ("m", "near")
    told = shop.closed
    assert (told["asked_model"], told["backend"], told["hosting"]) == ("m", "near", "self_hosted")
    effects = told["request"]["effects"]
    assert [(e["action"], e["rule"], e["count"]) for e in effects] == [("route", "p/keys-stay", 1)]
    detour = told["detour"]
    assert (detour["rules"], detour["target"]) == (["p/keys-stay"], [["hosting", "self_hosted"]])
    assert (detour["asked"]["model"], detour["asked"]["hosting"]) == ("m", "hosted")
    assert shop.house.counters.values['detours_total{backend="near"}'] == 1


def test_who_goes_there_anyway_is_not_sent() -> None:
    shop = Shop(first=[place("near", near := backend(), "self_hosted")])
    asked = shop.ask(KEY)
    assert (asked.status, len(near.bodies), shop.asked) == (200, 1, [])
    assert asked.headers["gw-decision"].startswith("allow;")
    assert "gw-asked-model" not in asked.headers


def test_a_stream_goes_there_as_well() -> None:
    near = Backend(STREAMS["openai_text"], kind="text/event-stream")
    shop = Shop(RULES, place("near", near, "self_hosted"))
    asked = shop.ask(KEY, stream=True)
    assert (asked.status, shop.far.bodies, len(near.bodies)) == (200, [], 1)
    assert asked.body == STREAMS["openai_text"]


@pytest.mark.parametrize("rules", [RULES, BY_CLASS], ids=["by finding", "by class"])
def test_without_such_a_place_it_goes_nowhere(rules: str) -> None:
    shop = Shop(rules, place("other", other := backend()))
    asked = shop.ask(KEY)
    assert (asked.status, shop.far.bodies, other.bodies) == (400, [], [])
    assert asked.error["code"] == "no_fitting_model"
    assert "hosting self_hosted" in asked.error["message"]
    assert shop.closed["refusal"]["rule"] in ("keys-stay", "restricted")
    assert (shop.sink.closed["outcome"], "detour" in shop.closed) == ("blocked", False)


def test_what_would_leave_decides_where_a_rule_asks_for_that() -> None:
    shop = Shop(BY_CLASS)
    assert shop.ask(MAIL).status == 200
    assert (len(shop.far.bodies), shop.near.bodies) == (1, [])
    assert shop.ask(KEY).status == 200
    assert (len(shop.far.bodies), len(shop.near.bodies)) == (1, 1)
    told = shop.closed["data_class"]
    assert (told["shown"], told["sent"]) == (["restricted", "keys"], ["restricted", "keys"])


def test_the_class_that_sent_it_elsewhere_is_known_there_although_no_rule_asks() -> None:
    rule = RULES[: RULES.index("    - id: far")]
    shop = Shop(rule)
    assert shop.ask(KEY).status == 200
    assert shop.closed["data_class"]["sent"] == ["restricted", "keys"]


def test_a_label_is_enough() -> None:
    shop = Shop(BY_CLASS)
    assert labelled(shop.house, "hello", "restricted").status == 200
    assert (shop.far.bodies, len(shop.near.bodies)) == ([], 1)


def test_it_is_sent_on_once_and_not_again() -> None:
    rules = RULES + (
        "    - {id: onward, when: {categories: [REQUEST], models: [near]}, then: route,"
        " with: {model: third}}\n"
    )
    near, third = backend(), backend()
    shop = Shop(rules, place("near", near, "self_hosted"), place("third", third))
    asked = shop.ask(KEY)
    assert (asked.status, shop.far.bodies, near.bodies, third.bodies) == (400, [], [], [])
    assert asked.error["code"] == "other_model_required"
    assert len(shop.asked) == 1
    assert shop.closed["refusal"]["rule"] == "onward"


def test_rules_that_want_several_things_get_all_of_them_or_nothing() -> None:
    rules = RULES + (
        "    - {id: eu, when: {categories: [KEY], directions: [request]}, then: route,"
        " with: {region: eu}}\n"
    )
    near, eu = backend(), backend()
    here = place("near", near, "self_hosted")
    shop = Shop(rules, here, place("eu", eu, "self_hosted", region="eu"))
    assert (shop.ask(KEY).status, near.bodies, len(eu.bodies)) == (200, [], 1)
    assert Shop(rules, here).ask(KEY).error["code"] == "no_fitting_model"


def test_a_block_there_stops_it_and_a_block_here_as_well() -> None:
    shop = Shop(RULES, place("closed", to := backend(), "self_hosted"))
    assert (shop.ask(KEY).status, shop.far.bodies, to.bodies) == (400, [], [])
    assert shop.closed["refusal"]["rule"] == "local"
    stop = "    - {id: stop, when: {categories: [EMAIL_ADDRESS], hosting: [hosted]}, then: block}\n"
    shop = Shop(RULES + stop)
    assert (shop.ask(f"{KEY} {MAIL}").status, shop.asked, shop.near.bodies) == (400, [], [])


def test_what_stands_in_is_judged_as_well_and_is_never_a_place_that_is_not_such() -> None:
    near, far, third = backend(503), backend(), backend()
    shop = Shop(RULES, place("near", near, "self_hosted"))
    inner = shop.elsewhere

    def elsewhere(*asked: Any) -> list[Candidate]:
        return [*inner(*asked), place("f", far), place("third", third, "self_hosted")]

    shop.house = at(
        place("m", shop.far),
        bundle=policies(RULES),
        sink=shop.sink,
        elsewhere=elsewhere,
    )
    assert shop.ask(f"{KEY}, {MAIL}").status == 200
    assert (far.bodies, shop.far.bodies, len(third.bodies)) == ([], [], 1)
    assert b"[EMAIL_ADDRESS]" in third.bodies[0]
    passed_over = shop.closed["attempts"][1]
    assert (passed_over["error"], passed_over["rule"]) == ("other_model_required", "p/keys-stay")
    assert ("route", "p/keys-stay") in {
        (e["action"], e["rule"]) for e in shop.closed["request"]["effects"]
    }


def test_a_fallback_that_would_be_sent_elsewhere_is_passed_over() -> None:
    first, far = backend(503), backend()
    shop = Shop(first=[place("near", first, "self_hosted"), place("m", far)])
    assert (shop.ask(KEY).status, far.bodies, shop.asked) == (503, [], [])


@pytest.mark.parametrize(("made_with", "status"), [("b", 200), ("elsewhere", 400)])
def test_what_an_upstream_keeps_is_asked_for_where_it_was_made(made_with: str, status: int) -> None:
    first, second = backend(), backend()
    places = (place("a", first, "self_hosted"), place("b", second, "self_hosted"))
    shop = Shop(BY_CLASS, *places, shelf=Shelf(own=made_with))
    asked = ask(shop.house, Call(chat(KEY), query=(("id", "thing-1"),)), dialect=Keeping())
    assert (asked.status, shop.far.bodies, first.bodies) == (status, [], [])
    assert len(second.bodies) == (status == 200)
