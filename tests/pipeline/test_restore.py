"""Placeholders go out, originals come back: at every split, in JSON, to their owner only."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway.actions._vault import KeyedVault
from gateway.core.apis import Candidate
from gateway.core.judgement import Manner, Route
from gateway.core.message import Direction
from gateway.core.ports import Surroundings
from tests.pipeline.fakes import (
    SSE,
    Asked,
    Backend,
    Bundle,
    answered,
    ask,
    ask_async,
    chat,
    cuts,
    heard,
    house,
)

RULES = Bundle({"EMAIL_ADDRESS": "pseudonymise"})
MAIL = "alice.smith@example.com"


def placeholder(text: str = MAIL) -> str:
    backend = Backend(b"{}")
    ask(house(backend, RULES), chat(text))
    found: str = json.loads(backend.bodies[0])["messages"][0]["content"]
    assert "@" not in found
    return found


def stream(field: str, *texts: str) -> bytes:
    if field == "arguments":
        deltas = [{"tool_calls": [{"index": 0, "function": {"arguments": t}}]} for t in texts]
    else:
        deltas = [{field: t} for t in texts]  # type: ignore[dict-item]
    chunks = [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    out = b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks)
    return out + b"data: [DONE]\n\n"


def test_the_upstream_sees_placeholders_and_the_client_originals() -> None:
    word = placeholder()
    answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": f"To {word}!"}}]}
    asked = answered(json.dumps(answer).encode(), "application/json", RULES, body=chat(MAIL))
    assert json.loads(asked.body)["choices"][0]["message"]["content"] == f"To {MAIL}!"
    assert asked.exchange.restored == 1


@pytest.mark.parametrize("field", ["content", "reasoning", "reasoning_content", "x_vendor"])
def test_a_streamed_placeholder_is_restored_at_every_split(field: str) -> None:
    word = placeholder()
    text = f"Mail {word}, or {word}. Also {word}X, not {word[:-1]}"
    for at in range(1, len(text), 3):
        data = stream(field, text[:at], text[at:])
        got = heard(answered(data, SSE, RULES, body=chat(MAIL, stream=True)).body)[f"0/{field}"]
        assert got == f"Mail {MAIL}, or {MAIL}. Also {MAIL}X, not {word[:-1]}"
    data = stream(field, *text)
    for cut in cuts(len(data)):
        got = heard(answered(data, SSE, RULES, *cut, body=chat(MAIL, stream=True)).body)
        assert got[f"0/{field}"] == f"Mail {MAIL}, or {MAIL}. Also {MAIL}X, not {word[:-1]}"


def test_tool_arguments_stay_json_when_originals_return() -> None:
    word = placeholder()
    inner = json.dumps({"to": word, word: ["x", f'"{word}"']})
    for at in range(1, len(inner)):
        data = stream("arguments", inner[:at], inner[at:])
        asked = answered(data, SSE, RULES, body=chat(MAIL, stream=True))
        got = heard(asked.body)["0/tool_calls/0/function/arguments"]
        assert json.loads(got) == {"to": MAIL, MAIL: ["x", f'"{MAIL}"']}


@pytest.mark.parametrize("streamed", [False, True])
def test_an_original_with_quotes_is_escaped_as_deep_as_it_stands(streamed: bool) -> None:
    original = 'a"b\\c\nd'
    vault = KeyedVault(b"k" * 32, Surroundings())
    inner = json.dumps({"to": vault.placeholder("KEY", original)})
    call = {"function": {"name": "f", "arguments": inner}}
    message = {"role": "assistant", "tool_calls": [call]}
    answer = json.dumps({"choices": [{"index": 0, "message": message}]}).encode()
    backend = Backend(answer)
    if streamed:
        backend = Backend(stream("arguments", *inner), kind=SSE)
    body = ask(house(backend, RULES, vault=lambda tenant, taken: vault), chat()).body
    if streamed:
        got = heard(body)["0/tool_calls/0/function/arguments"]
    else:
        got = json.loads(body)["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(got) == {"to": original}


class Answers(Bundle):
    """Other rules for answers than for requests."""

    def __init__(self, rules: dict[str, str], answers: dict[str, str]) -> None:
        super().__init__(rules)
        self.answers = Bundle(answers)

    def bind(self, context: Any) -> Bundle:
        return self.answers if context.direction is Direction.RESPONSE else self


@pytest.mark.parametrize("answers", [{"EMAIL_ADDRESS": "block"}, {"KEY": "flag"}, {}])
def test_restoring_needs_no_rule_and_is_no_leak(answers: dict[str, str]) -> None:
    bundle = Answers({"EMAIL_ADDRESS": "pseudonymise"}, answers)
    data = stream("content", *placeholder())
    for size in (1, 60, 10_000):
        asked = answered(
            data, SSE, bundle, *range(size, len(data), size), body=chat(MAIL, stream=True)
        )
        assert heard(asked.body)["0/content"] == MAIL


def test_a_route_may_forbid_restoring() -> None:
    word = placeholder()
    backend = Backend(stream("content", word), kind=SSE)
    route = Route("m", "m", "b", "p", restore=False)
    asked = ask(
        house(backend, RULES, route=lambda message, dialect, who: [Candidate(route, backend)]),
        chat(MAIL),
    )
    assert heard(asked.body)["0/content"] == word


def test_what_a_user_typed_is_told_from_a_placeholder_of_the_same_letters() -> None:
    word = placeholder()
    backend = Backend(b"{}")
    ask(house(backend, RULES), chat(f"{word} and {MAIL}"))
    sent = json.loads(backend.bodies[0])["messages"][0]["content"]
    first, _, second = sent.partition(" and ")
    assert second == word
    assert first.startswith("TEXT_")


def test_nobody_is_given_what_another_exchange_hid() -> None:
    mails = [f"user{n}@example.com" for n in range(20)]
    words = [placeholder(mail) for mail in mails]

    everything = " ".join(words)
    data = stream("content", *everything)
    pieces = [data[i : i + 99] for i in range(0, len(data), 99)]

    async def one(mail: str) -> Asked:
        return await ask_async(house(Backend(*pieces, kind=SSE), RULES), chat(mail, stream=True))

    async def all_at_once() -> None:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(one(mail)) for mail in mails]
        for task, mail, word in zip(asked, mails, words, strict=True):
            said = heard(task.result().body)["0/content"]
            assert said == everything.replace(word, mail)

    asyncio.run(all_at_once())


def calls(*pieces: tuple[int, dict[str, str]]) -> bytes:
    deltas = [{"tool_calls": [{"index": i, "function": function}]} for i, function in pieces]
    chunks = [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    return b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in chunks) + SAID_ALL


SAID_ALL = b"data: [DONE]\n\n"
ONLY_MAIL = Bundle({"EMAIL_ADDRESS": "pseudonymise"}, manner=Manner(tools=(frozenset({"mail"}),)))


def test_of_two_calls_at_once_only_the_tool_that_is_named_gets_originals() -> None:
    word = placeholder()
    inner = json.dumps({"to": word})
    for at in range(1, len(inner), 4):
        begun = [(0, {"name": "mail"}), (1, {"name": "log"})]
        said = [(i, {"arguments": part}) for part in (inner[:at], inner[at:]) for i in (0, 1)]
        data = calls(*begun, *said)
        for cut in ((), range(1, len(data), 40)):
            asked = answered(data, SSE, ONLY_MAIL, *cut, body=chat(MAIL, stream=True))
            got = heard(asked.body)
            assert json.loads(got["0/tool_calls/0/function/arguments"]) == {"to": MAIL}
            assert json.loads(got["0/tool_calls/1/function/arguments"]) == {"to": word}


ARGUMENTS = [{"arguments": '{"to": "'}, {"arguments": "WORD"}, {"arguments": '"}'}]
UNSURE = {
    "no name": ARGUMENTS,
    "arguments first": [*ARGUMENTS, {"name": "mail"}],
    "in the middle": [ARGUMENTS[0], {"name": "mail"}, *ARGUMENTS[1:]],
    "goes on": [{"name": "mail"}, *ARGUMENTS, {"name": "er"}],
    "in two pieces": [{"name": "ma"}, {"name": "il"}, *ARGUMENTS],
    "again": [{"name": "mail"}, {"name": "mail"}, *ARGUMENTS],
}


@pytest.mark.parametrize("how", UNSURE)
def test_a_tool_that_is_not_surely_named_gets_no_originals(how: str) -> None:
    word = placeholder()
    pieces = [{k: v.replace("WORD", word) for k, v in each.items()} for each in UNSURE[how]]
    asked = answered(
        calls(*((0, each) for each in pieces)), SSE, ONLY_MAIL, body=chat(MAIL, stream=True)
    )
    got = heard(asked.body)["0/tool_calls/0/function/arguments"]
    assert json.loads(got) == {"to": word}
