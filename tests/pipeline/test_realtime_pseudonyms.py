"""Placeholders in a session: originals come back in each event that repeats them, or in none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.judgement import Manner
from gateway.core.message import Kind
from tests.pipeline.fakes import Bundle
from tests.pipeline.mirrors import Said, pieces
from tests.pipeline.talking import SocketBackend, Talked, item, talk
from tests.pipeline.test_pseudonyms import REQUESTS, STYLES, Finder, originals, said

ARGUMENTS = "response.function_call_arguments"
SPOKEN = {
    False: ("response.output_text", "text"),
    True: ("response.output_audio_transcript", "transcript"),
}
Call = tuple[str, Sequence[str]]


class Mirrored(SocketBackend):
    """Answers what it has heard. read: that."""

    def __init__(self, answer: Callable[[Said], list[dict[str, Any]]]) -> None:
        super().__init__()
        self._answer = answer
        self.read = Said("", "", "")

    async def _talk(self) -> AsyncIterator[bytes]:
        await self.quiet.wait()
        call, output, user = (json.loads(message)["item"] for message in self.heard)
        argument = json.loads(call["arguments"])["to"]
        self.read = Said(user["content"][0]["text"], argument, output["output"])
        self.events = self._answer(self.read)
        async for event in super()._talk():
            yield event


def asks(own: Said) -> list[dict[str, Any]]:
    """A call that was made before, what came of it, and what the user says."""
    arguments = json.dumps({"to": own.argument})
    call = {"type": "function_call", "call_id": "c1", "name": "mail", "arguments": arguments}
    output = {"type": "function_call_output", "call_id": "c1", "output": own.result}
    new = [{"type": "conversation.item.create", "item": each} for each in (call, output)]
    return [*new, item(own.text)]


def response(texts: Sequence[str], calls: Sequence[Call], *, audio: bool) -> list[dict[str, Any]]:
    """One response: what is said, then calls, whose pieces come in turns."""
    head, member = SPOKEN[audio]
    text = "".join(texts)
    content = {"type": "output_audio" if audio else "output_text", member: text}
    message = {"id": "m", "type": "message", "role": "assistant"}
    told: dict[str, Any] = {**message, "content": [content]}
    at = {"response_id": "r", "item_id": "m", "output_index": 0, "content_index": 0}
    begun = [_call(n, name, "") for n, (name, _) in enumerate(calls, 1)]
    whole = [_call(n, name, "".join(each)) for n, (name, each) in enumerate(calls, 1)]
    places = [
        {"response_id": "r", "item_id": f"f{n}", "output_index": n}
        for n in range(1, len(calls) + 1)
    ]
    longest = max(len(each) for _, each in calls)
    deltas = [
        {"type": f"{ARGUMENTS}.delta", **place, "delta": each[step]}
        for step in range(longest)
        for place, (_, each) in zip(places, calls, strict=True)
        if step < len(each)
    ]
    ends = [
        event
        for place, full in zip(places, whole, strict=True)
        for event in (
            {"type": f"{ARGUMENTS}.done", **place, "arguments": full["arguments"]},
            {"type": "response.output_item.done", **place, "item": full},
            {"type": "conversation.item.done", "item": full},
        )
    ]
    return [
        {"type": "response.created", "response": {"id": "r", "output": []}},
        {"type": "response.output_item.added", **at, "item": {**message, "content": []}},
        *[{"type": f"{head}.delta", **at, "delta": each} for each in texts],
        {"type": f"{head}.done", **at, member: text},
        {"type": "response.output_item.done", **at, "item": told},
        *[
            {"type": "response.output_item.added", **place, "item": each}
            for place, each in zip(places, begun, strict=True)
        ],
        *deltas,
        *ends,
        {"type": "response.done", "response": {"id": "r", "output": [told, *whole]}},
    ]


def _call(n: int, name: str, arguments: str) -> dict[str, Any]:
    about = {"id": f"f{n}", "type": "function_call", "call_id": f"c{n}", "name": name}
    return {**about, "arguments": arguments}


def heard(talked: Talked, *, audio: bool) -> tuple[str, list[str]]:
    """What was said, and the arguments of each call, once all events agree on them."""
    head, member = SPOKEN[audio]
    done = talked.got[-1]["response"]["output"]
    text = done[0]["content"][0][member]
    assert talked.text(head) == text
    assert [e[member] for e in talked.got if e["type"] == f"{head}.done"] == [text]
    arguments = []
    for n, call in enumerate(done[1:], 1):
        here = [e for e in talked.got if e.get("output_index") == n]
        told = "".join(e["delta"] for e in here if e["type"] == f"{ARGUMENTS}.delta")
        ends = [e["arguments"] for e in here if e["type"] == f"{ARGUMENTS}.done"]
        ends += [e["item"]["arguments"] for e in here if e["type"] == "response.output_item.done"]
        known = [e["item"] for e in talked.got if e["type"] == "conversation.item.done"]
        ends += [each["arguments"] for each in known if each["id"] == call["id"]]
        assert [told, *ends] == [call["arguments"]] * 4
        arguments.append(call["arguments"])
    return text, arguments


def back(read: Said, *names: str, chars: int, audio: bool) -> list[dict[str, Any]]:
    """What was heard, said back, and to each of these tools."""
    arguments = pieces(json.dumps({"to": read.argument, "why": read.result}), chars)
    return response(pieces(read.text, chars), [(name, arguments) for name in names], audio=audio)


def session(own: Said, manner: Manner, *names: str, chars: int, audio: bool) -> tuple[Said, Talked]:
    """What the upstream read, and what its client got."""
    backend = Mirrored(lambda read: back(read, *names, chars=chars, audio=audio))
    talked = talk(backend, Bundle(REQUESTS, manner=manner), *asks(own), inspector=Finder())
    return backend.read, talked


@pytest.mark.parametrize("audio", [False, True], ids=["text", "sound"])
@pytest.mark.parametrize("manner", STYLES, ids=["placeholders", "surrogates"])
@settings(deadline=None, max_examples=30)
@given(own=said, chars=st.integers(1, 9))
def test_what_comes_back_is_what_was_said(
    manner: Manner, own: Said, chars: int, audio: bool
) -> None:
    _, talked = session(own, manner, "mail", chars=chars, audio=audio)
    text, (arguments,) = heard(talked, audio=audio)
    assert text == own.text
    assert json.loads(arguments) == {"to": own.argument, "why": own.result}


MAIL = Manner(tools=(frozenset({"mail"}),))


@settings(deadline=None, max_examples=30)
@given(own=st.builds(Said, originals, originals, originals), chars=st.integers(1, 9))
def test_of_two_calls_at_once_only_the_tool_that_is_named_gets_originals(
    own: Said, chars: int
) -> None:
    read, talked = session(own, MAIL, "mail", "log", "mail", chars=chars, audio=False)
    text, arguments = heard(talked, audio=False)
    theirs, hidden = ({"to": s.argument, "why": s.result} for s in (own, read))
    assert text == own.text
    assert [json.loads(each) for each in arguments] == [theirs, hidden, theirs]


FIXED = Said('Anna said "hi"\n', "a.lind@acme.com", "Anna\\Bo")


@pytest.mark.parametrize("audio", [False, True], ids=["text", "sound"])
def test_it_does_not_matter_where_the_pieces_are_cut(audio: bool) -> None:
    for at in range(1, 90):

        def cut(read: Said, at: int = at) -> list[dict[str, Any]]:
            told = json.dumps({"to": read.argument, "why": read.result})
            calls = [(name, [told[:at], told[at:]]) for name in ("mail", "log")]
            return response([read.text[:at], read.text[at:]], calls, audio=audio)

        backend = Mirrored(cut)
        talked = talk(backend, Bundle(REQUESTS, manner=MAIL), *asks(FIXED), inspector=Finder())
        text, (mail, log) = heard(talked, audio=audio)
        assert (text, json.loads(mail)["why"]) == (FIXED.text, FIXED.result)
        assert json.loads(log) == {"to": backend.read.argument, "why": backend.read.result}


RENAMED = {
    "is named twice": lambda added: [*added, {**added[0], "item": _call(1, "log", "")}],
    "is not named": lambda added: [
        {**each, "item": {**each["item"], "name": ""}} for each in added
    ],
    "is named late": lambda added: [],
}


@pytest.mark.parametrize("how", RENAMED)
def test_pieces_for_a_tool_that_is_not_surely_named_hold_no_originals(how: str) -> None:
    def unsure(read: Said) -> list[dict[str, Any]]:
        events = back(read, "mail", chars=5, audio=False)
        added = [e for e in events if e["type"].endswith("item.added") and e["output_index"]]
        where = events.index(added[0])
        return [*events[:where], *RENAMED[how](added), *events[where + 1 :]]

    backend = Mirrored(unsure)
    talked = talk(backend, Bundle(REQUESTS, manner=MAIL), *asks(FIXED), inspector=Finder())
    told = "".join(e["delta"] for e in talked.got if e["type"] == f"{ARGUMENTS}.delta")
    hidden = {"to": backend.read.argument, "why": backend.read.result}
    assert json.loads(told) == hidden
    (done,) = [e for e in talked.got if e["type"] == f"{ARGUMENTS}.done"]
    assert json.loads(done["arguments"]) == hidden


def test_what_a_tool_was_given_is_known_again_in_its_answer() -> None:
    own = Said("Anna", "x", "x")
    read, _ = session(own, Manner(restore=frozenset({Kind.TEXT})), "log", chars=5, audio=False)
    word = read.text
    output = {"type": "function_call_output", "call_id": "c1", "output": f"sent to {word}"}
    backend = SocketBackend(*response([f"Sent to {word}"], [("log", ["{}"])], audio=False))
    talked = talk(
        backend,
        Bundle(REQUESTS, manner=Manner(restore=frozenset({Kind.TEXT}))),
        item("Anna"),
        {"type": "conversation.item.create", "item": output},
        item(f"I wrote {word}"),
        inspector=Finder(),
    )
    sent = [json.loads(message)["item"] for message in backend.heard]
    assert sent[1]["output"] == f"sent to {word}"
    assert word not in sent[2]["content"][0]["text"]
    assert talked.text() == "Sent to Anna"
