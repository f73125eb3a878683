"""The class of a conversation sticks to what was said in it, whoever says it next."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.calls import Call
from gateway.core.clearance import Clearance, DataClass
from gateway.core.judgement import Principal
from gateway.core.message import Kind, Part
from gateway.pipeline import sticking
from gateway.pipeline.house import House
from gateway.pipeline.sticking import Sticking
from tests.pipeline.fakes import (
    WHO,
    Asked,
    Backend,
    Bundle,
    Inspector,
    Shelf,
    Sink,
    ask,
    chat,
)
from tests.pipeline.test_classing import KEY, MAIL, at, backend, labelled, sent
from tests.pipeline.test_kept import Keeping

RESTRICTED = DataClass.of("restricted")
ANSWER = (
    "The merger with the northern company is to be announced on the third of the month, in Oslo."
)
SHORT = "I cannot help with that."


def seal(tenant: str, data: bytes) -> str:
    return hashlib.sha256(tenant.encode() + data).hexdigest()


def said(text: str, role: str = "user", kind: Kind = Kind.TEXT) -> Part:
    return Part("/x", text, role, kind)


def carried(remembered: Sticking, parts: Sequence[Part], ids: Sequence[str] = ()) -> DataClass:
    return asyncio.run(remembered.carried("acme", parts, ids))


def talk(*texts: str, **fields: object) -> bytes:
    """A conversation in which user and assistant take turns."""
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return json.dumps({"model": "m", "messages": messages, **fields}).encode()


def whole(text: str) -> bytes:
    return json.dumps({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": text}}],
    }).encode()  # fmt: skip


class Shop:
    """Houses of one process: all remember together. `far` may see what is confidential."""

    def __init__(self, answer: str = ANSWER, rules: dict[str, str] | None = None) -> None:
        self.sticking = Sticking(seal)
        self.far, self.near = backend(), Backend(whole(answer))
        self.sink = Sink()
        self.rules = Bundle(rules or {})

    def house(self, *, near: bool = False, **parts: Any) -> House:
        to, limit = (self.near, Clearance()) if near else (self.far, Clearance.of(["confidential"]))
        parts = {"bundle": self.rules, "sink": self.sink, **parts}
        return at(sent("m", to, limit), sticking=self.sticking, **parts)

    def first(self, text: str = "Hello.", label: str = "restricted", who: Principal = WHO) -> Asked:
        """A turn with the model that may see everything."""
        return labelled(self.house(near=True), text, label, who)

    def then(self, *texts: str, **parts: Any) -> Asked:
        """A later turn with the one that may not, without a label."""
        return ask(self.house(**parts), talk(*texts))


@pytest.mark.parametrize(
    ("history", "passes"),
    [
        (("Hello.", ANSWER, "And then?"), False),
        (("Hello.", "Something else.", "And then?"), False),
        (("What was that?", f"  {ANSWER}\n", "And then?"), False),
        (("Hello.",), False),
        (("Hello, you.", "Something else.", "And then?"), True),
        (("What?", "Hello.", "And then?"), True),
    ],
)
def test_a_later_turn_is_of_the_class_of_what_it_has_in_its_history(
    history: tuple[str, ...], passes: bool
) -> None:
    shop = Shop()
    assert shop.first().status == 200
    asked = shop.then(*history)
    assert (asked.status, bool(shop.far.bodies)) == ((200, True) if passes else (400, False))
    told = shop.sink.entries[-1].core["data_class"]
    assert told.get("carried", []) == ([] if passes else ["restricted"])
    if not passes:
        assert asked.error["code"] == "data_not_allowed"


def test_it_goes_on_to_stick_turn_by_turn() -> None:
    shop = Shop()
    shop.first()
    assert ask(shop.house(near=True), talk("Hello.", "What?", "And then?")).status == 200
    assert shop.then("And then?", ANSWER, "More.").status == 400


BLIND = Inspector()
BLIND.patterns = {}  # type: ignore[misc]


def test_a_text_that_shows_a_class_keeps_it_where_nobody_finds_it_any_more() -> None:
    shop = Shop(rules={"KEY": "flag"})
    assert ask(shop.house(near=True), talk(KEY)).status == 200
    assert shop.then("What?", "So?", KEY, "Well.", inspector=BLIND).status == 400
    assert shop.then("What?", inspector=BLIND).status == 200


@pytest.mark.parametrize("action", ["redact", "pseudonymise"])
def test_what_was_replaced_does_not_stick(action: str) -> None:
    shop = Shop(rules={"KEY": action})
    assert ask(shop.house(near=True), talk(KEY)).status == 200
    assert shop.then(KEY, ANSWER, "More.").status == 200


def test_an_answer_with_originals_restored_is_known_as_its_client_has_it() -> None:
    shop = Shop(rules={"EMAIL_ADDRESS": "pseudonymise"})
    text = f"{MAIL}, with all that we said about it yesterday, and nothing but that, in a letter."
    shop.near = Echoing()
    first = shop.first(text)
    got = json.loads(first.body)["choices"][0]["message"]["content"]
    assert (got, b"bob@" in shop.near.bodies[0]) == (text, False)
    assert shop.then("Before?", got, "More.").status == 400


class Echoing(Backend):
    """Says what its user has said."""

    async def send(self, call: Any) -> Any:
        self.pieces = (whole(json.loads(call.body)["messages"][-1]["content"]),)
        return await super().send(call)


def test_a_streamed_answer_sticks_as_well() -> None:
    shop = Shop()
    deltas = [{"index": 0, "delta": {"content": ANSWER[n : n + 7]}} for n in range(0, 98, 7)]
    events = [f"data: {json.dumps({'choices': [each]})}\n\n".encode() for each in deltas]
    shop.near = Backend(*events, b"data: [DONE]\n\n", kind="text/event-stream")
    assert shop.first().body.endswith(b"[DONE]\n\n")
    assert shop.then("What?", ANSWER, "More.").status == 400


def test_a_short_answer_may_be_anybodys() -> None:
    shop = Shop(SHORT)
    shop.first()
    assert shop.then("Other.", SHORT, "More.").status == 200
    assert shop.then("Hello.", SHORT, "More.").status == 400


def test_what_all_conversations_begin_with_is_none_of_any() -> None:
    shop = Shop()
    rules = said(
        "You are a careful assistant for everybody who works in this firm, and " * 2, "system"
    )
    shop.sticking.asked(WHO.tenant, [rules, said("One.")], (), RESTRICTED)
    for text, expected in (("Two.", DataClass()), ("One.", RESTRICTED)):
        assert carried(shop.sticking, [rules, said(text)]) == expected
    assert carried(shop.sticking, [said("One.")]) == RESTRICTED


def test_another_tenant_is_not_concerned() -> None:
    shop = Shop()
    shop.first(who=replace(WHO, tenant="other"))
    assert shop.then("Hello.", ANSWER, "More.").status == 200


def test_who_may_lower_a_class_may_lower_this_one() -> None:
    shop = Shop()
    shop.first()
    steward = replace(WHO, roles=("steward",))
    assert labelled(shop.house(), "Hello.", "public", steward).status == 200
    assert labelled(shop.house(), "Hello.", "public").status == 400


def test_what_an_upstream_keeps_is_of_the_class_of_what_it_was_made_of() -> None:
    shop, shelf = Shop(rules={"KEY": "flag"}), Shelf()
    first = Call(chat(KEY))
    assert ask(shop.house(near=True, shelf=shelf), first, dialect=Keeping()).status == 200
    later = Call(chat("More."), query=(("id", "thing-1"),))
    assert ask(shop.house(shelf=shelf), later, dialect=Keeping()).status == 400


def test_nothing_is_remembered_of_usual_data_and_little_of_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = Shop()
    ask(shop.house(near=True), talk(ANSWER))
    assert carried(shop.sticking, [said(ANSWER)]) == DataClass()
    remembered = Sticking(seal)
    for n in range(sticking.MAX_DIGESTS + 1):
        remembered.kept("acme", [f"id-{n}"], RESTRICTED)
    assert carried(remembered, (), ["id-0"]) == DataClass()
    assert carried(remembered, (), ["id-1"]) == RESTRICTED
    for n in range(sticking.MAX_TENANTS):
        remembered.kept(f"t{n}", ["id"], RESTRICTED)
    assert carried(remembered, (), ["id-1"]) == DataClass()
