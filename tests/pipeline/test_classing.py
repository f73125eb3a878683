"""Data that a model may not see never reaches it; what its class is, is on the record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gateway import documents
from gateway.core.apis import Candidate
from gateway.core.calls import Call
from gateway.core.classes import Classes, Shown
from gateway.core.clearance import Clearance, DataClass
from gateway.core.exchange import Exchange
from gateway.core.judgement import Principal, Route
from gateway.pipeline.house import House
from gateway.pipeline.response import Head
from gateway.pipeline.run import run
from gateway.policy.bundle import PolicyBundle, compile_documents
from gateway.policy.language import Vocabulary
from tests.pipeline.fakes import (
    ACTIONS,
    CHAT,
    WHO,
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

CLASSES = Classes(
    default=DataClass.of("internal"),
    special={"keys": "restricted"},
    shows={
        "EMAIL_ADDRESS": (Shown(0.5, DataClass.of("confidential")),),
        "KEY": (Shown(0.5, DataClass.of("restricted", "keys")),),
    },
    lowering=frozenset({"steward"}),
)
INTERNAL = Clearance.of(["internal"])
MAIL, KEY = "to bob@example.com", "use key-0123abcd"


def backend(status: int = 200) -> Backend:
    return Backend(WHOLES["openai_text"], status=status)


def sent(name: str, to: Backend, clearance: Clearance = INTERNAL, **facts: Any) -> Candidate:
    return Candidate(Route(name, name, name, "p", clearance=clearance, **facts), to, retries=0)


def at(*candidates: Candidate, bundle: Bundle | PolicyBundle, **parts: object) -> House:
    found: House = house(
        Backend(),
        bundle,  # type: ignore[arg-type]
        classes=lambda: CLASSES,
        route=lambda message, dialect, who: list(candidates),
        **parts,
    )
    return found


async def _labelled(house_: House, text: str, label: str, who: Principal) -> Asked:
    call, headers = Call(chat(text)), {"gw-data-class": label} if label else {}
    asked = Asked(Exchange("id-1", who, CHAT.name, CHAT.paths[0], headers, call))
    async for piece in run(asked.exchange, CHAT, house_):
        if isinstance(piece, Head):
            asked.status, asked.headers = piece.status, piece.headers
        else:
            asked.pieces.append(piece)
    return asked


def labelled(house_: House, text: str, label: str, who: Principal = WHO) -> Asked:
    return asyncio.run(_labelled(house_, text, label, who))


def policies(text: str) -> PolicyBundle:
    head = "apiVersion: gateway/v1\nkind: Policy\nmetadata: {name: p, version: '1'}\nspec:\n"
    return compile_documents(
        documents.parse((head + text).encode(), "p.yaml"),
        Vocabulary(ACTIONS, dict(Inspector.detectors)),
    )


def test_data_that_a_model_may_not_see_does_not_go_there() -> None:
    to, sink = backend(), Sink()
    asked = ask(at(sent("theirs", to), bundle=Bundle({}), sink=sink), chat(MAIL))
    assert (asked.status, to.bodies) == (400, [])
    assert asked.error["code"] == "data_not_allowed"
    assert "confidential" in asked.error["message"]
    assert sink.closed["outcome"] == "blocked"
    assert sink.closed["refusal"]["policy"] == "catalogue"
    assert sink.closed["data_class"]["sent"] == ["confidential"]


@pytest.mark.parametrize("action", ["redact", "mask", "pseudonymise"])
def test_what_is_replaced_does_not_count_for_what_leaves(action: str) -> None:
    to, sink = backend(), Sink()
    rules = Bundle({"EMAIL_ADDRESS": action})
    asked = ask(at(sent("theirs", to), bundle=rules, sink=sink), chat(MAIL))
    assert (asked.status, len(to.bodies)) == (200, 1)
    said = sink.closed["data_class"]
    assert (said["shown"], said["sent"]) == (["confidential"], ["internal"])


@pytest.mark.parametrize(
    ("clearance", "status"),
    [
        (["confidential"], 400),
        (["restricted"], 400),
        (["restricted", "keys"], 200),
        (["internal", "keys"], 200),
    ],
)
def test_a_special_class_goes_only_where_it_is_named(clearance: list[str], status: int) -> None:
    to = backend()
    asked = ask(at(sent("m", to, Clearance.of(clearance)), bundle=Bundle({})), chat(KEY))
    assert (asked.status, len(to.bodies)) == (status, status == 200)


@pytest.mark.parametrize(
    ("text", "label", "roles", "given", "passes"),
    [
        ("hello", "", (), ["internal"], True),
        ("hello", "Restricted", (), ["restricted"], False),
        ("hello", "public", (), ["internal"], True),
        ("hello", "keys, confidential", (), ["restricted", "keys"], False),
        (MAIL, "public", (), ["internal"], False),
        (MAIL, "public", ("steward",), ["public"], True),
        ("hello", "restricted", ("steward",), ["restricted"], False),
    ],
)
def test_a_label_raises_the_class_and_lowers_it_only_by_a_role(
    text: str, label: str, roles: tuple[str, ...], given: list[str], passes: bool
) -> None:
    to, sink = backend(), Sink()
    rooms = at(sent("theirs", to), bundle=Bundle({}), sink=sink)
    asked = labelled(rooms, text, label, replace(WHO, roles=roles))
    assert (asked.status == 200, bool(to.bodies)) == (passes, passes)
    assert sink.entries[0].core["data_class"]["given"] == given
    assert sink.closed["data_class"]["given"] == given


def test_a_label_is_on_record_once_however_often_it_is_said() -> None:
    sink = Sink()
    labelled(
        at(sent("theirs", backend()), bundle=Bundle({}), sink=sink), "hi", "Public, public," * 9
    )
    assert sink.closed["data_class"]["label"] == ["public"]


def test_a_label_that_is_none_is_refused_with_those_that_are() -> None:
    to = backend()
    asked = labelled(at(sent("theirs", to), bundle=Bundle({})), "hello", "secrret")
    assert (asked.status, to.bodies) == (400, [])
    assert asked.error["code"] == "unknown_data_class"
    assert "restricted, keys" in asked.error["message"]


def test_a_key_gives_the_least_class() -> None:
    to = backend()
    who = replace(WHO, data_class="restricted")
    asked = labelled(at(sent("theirs", to), bundle=Bundle({})), "hello", "public", who)
    assert (asked.status, to.bodies) == (400, [])


def test_a_fallback_gets_nothing_that_it_may_not_see() -> None:
    first, second, third, sink = backend(503), backend(), backend(), Sink()
    rooms = at(
        sent("ours", first, Clearance()),
        sent("theirs", second),
        sent("ours-too", third, Clearance()),
        bundle=Bundle({}),
        sink=sink,
    )
    asked = ask(rooms, chat(KEY))
    assert (asked.status, len(first.bodies), second.bodies, len(third.bodies)) == (200, 1, [], 1)
    passed_over = sink.closed["attempts"][1]
    assert (passed_over["model"], passed_over["rule"]) == ("theirs", "catalogue/classes")
    assert passed_over["error"] == "data_not_allowed"


WEIGHING: Mapping[str, str] = {
    "as it came": """
  rules:
    - id: stop
      when: {categories: [REQUEST], data_classes: [confidential]}
      then: block
    - id: mail
      when: {categories: [EMAIL_ADDRESS]}
      then: redact
""",
    "as it leaves": """
  rules:
    - id: mail
      when: {categories: [EMAIL_ADDRESS], condition: 'data_class == "confidential"'}
      then: redact
    - id: stop
      when: {categories: [DATA_CLASS], condition: 'data_class != "internal" || !cleared'}
      then: block
""",
}


@pytest.mark.parametrize(
    ("rules", "text", "status"),
    [
        ("as it came", MAIL, 400),
        ("as it came", "hello", 200),
        ("as it leaves", MAIL, 200),
        ("as it leaves", KEY, 400),
        ("as it leaves", "hello", 200),
    ],
)
def test_rules_ask_for_the_class_that_the_texts_show(rules: str, text: str, status: int) -> None:
    to = backend()
    asked = ask(at(sent("m", to, Clearance()), bundle=policies(WEIGHING[rules])), chat(text))
    assert (asked.status, len(to.bodies)) == (status, status == 200)
    assert b"bob@" not in b"".join(to.bodies)


def test_detectors_look_for_what_a_model_may_not_see_and_for_nothing_else() -> None:
    looked = []
    for clearance in (INTERNAL, Clearance()):
        inspector = Inspector()
        rooms = at(sent("m", backend(), clearance), bundle=Bundle({}), inspector=inspector)
        ask(rooms, chat(KEY))
        looked.append(len(inspector.windows))
    assert looked == [1, 0]
