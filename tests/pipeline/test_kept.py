"""What an upstream keeps belongs to the tenant who had it made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from gateway.core.apis import Candidate, Reader
from gateway.core.calls import Call
from gateway.core.judgement import Route
from gateway.core.message import Edit, Frame, Message
from gateway.dialects._chat_stream import ChatStream
from gateway.dialects._whole import WholeReader
from gateway.dialects.openai_chat import ANSWER, Member
from tests.pipeline.fakes import SSE, STREAMS, Backend, Bundle, Shelf, ask, chat, house


class KeepingReader(WholeReader):
    """Every answer is kept under an id that stands before its body."""

    def flush(self) -> list[Frame]:
        (frame,) = super().flush()
        self.kept.append("thing-1")
        return [frame]


class Keeping(Member):
    """Chat that reaches for what is named in its query."""

    def read(self, call: Call) -> Message:
        asks = tuple(value for _, value in call.query)
        message = super().read(call)
        return replace(message, asks=asks, model="" if asks else message.model)

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        return message.body

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        whole = super().reader(message, status=status, content_type=content_type)
        whole.__class__ = KeepingReader
        return whole


class LateReader(ChatStream):
    """Something is kept in mid-stream."""

    def feed(self, data: bytes) -> list[Frame]:
        frames = super().feed(data)
        self._fed = getattr(self, "_fed", 0) + 1
        if self._fed == 3:
            self.kept.append("thing-1")
        return frames


class KeepingLate(Member):
    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        return LateReader(ANSWER)


ASKING = Call(chat(), query=(("id", "thing-1"),))


def test_an_id_is_noted_before_it_leaves() -> None:
    log: list[str] = []
    shelf = Shelf(log=log)
    asked = ask(house(Backend(b"{}", log=log), Bundle({}), shelf=shelf), chat(), dialect=Keeping())
    assert asked.body == b"{}"
    assert shelf.models == {("acme", "thing-1"): "m"}
    assert log[:2] == ["send", "put"]


def test_what_no_answer_kept_costs_nothing() -> None:
    shelf = Shelf()
    ask(house(Backend(b"{}"), Bundle({}), shelf=shelf), chat())
    ask(house(Backend(b"{}", status=500), Bundle({}), shelf=shelf), chat(), dialect=Keeping())
    assert shelf.log == []


def test_without_a_note_the_id_does_not_leave() -> None:
    asked = ask(
        house(Backend(b"{}"), Bundle({}), shelf=Shelf(broken=True)), chat(), dialect=Keeping()
    )
    assert (asked.status, asked.error["code"]) == (503, "shelf_unavailable")
    assert asked.headers["retry-after"] == "5"


def test_it_is_asked_for_where_it_was_made() -> None:
    models: list[str] = []
    backend = Backend(b"{}")

    def route(message: Message, dialect: str, who: object) -> list[Candidate]:
        models.append(message.model)
        return [Candidate(Route(message.model, message.model, "b", "p"), backend)]

    shelf = Shelf({("acme", "thing-1"): "made-with"})
    asked = ask(house(backend, Bundle({}), shelf=shelf, route=route), ASKING, dialect=Keeping())
    assert (asked.status, models) == (200, ["made-with"])


@pytest.mark.parametrize("shelf", [Shelf(), Shelf({("globex", "thing-1"): "m"})])
def test_what_is_not_the_tenants_is_not_there(shelf: Shelf) -> None:
    backend = Backend(b"{}")
    parts = house(backend, Bundle({}), shelf=shelf)
    asked = ask(parts, ASKING, dialect=Keeping())
    assert (asked.status, asked.error["code"]) == (404, "not_found")
    assert "thing-1" not in asked.body.decode()
    assert backend.bodies == []
    assert parts.sink.closed["outcome"] == "refused"  # type: ignore[attr-defined]


def test_one_foreign_id_among_own_ones_is_enough() -> None:
    shelf = Shelf({("acme", "thing-1"): "m"})
    call = Call(chat(), query=(("id", "thing-1"), ("id", "thing-2")))
    assert (
        ask(house(Backend(b"{}"), Bundle({}), shelf=shelf), call, dialect=Keeping()).status == 404
    )


def test_whose_it_is_must_be_known() -> None:
    backend = Backend(b"{}")
    asked = ask(house(backend, Bundle({}), shelf=Shelf(broken=True)), ASKING, dialect=Keeping())
    assert (asked.status, backend.bodies) == (503, [])


def test_an_answer_that_cannot_be_noted_in_mid_stream_breaks_off() -> None:
    shelf = Shelf(broken=True)
    events = STREAMS["openai_text"].split(b"\n\n")
    backend = Backend(*(event + b"\n\n" for event in events), kind=SSE)
    parts = house(backend, Bundle({}), shelf=shelf)
    asked = ask(parts, chat(stream=True), dialect=KeepingLate())
    assert asked.status == 200
    assert b"[DONE]" not in asked.body
    assert b"shelf" not in asked.body
    assert json.loads(asked.pieces[-1].removeprefix(b"data: "))["error"]["type"] == "server_error"
    assert parts.sink.closed["outcome"] == "refused"  # type: ignore[attr-defined]
    assert backend.closed == 1
