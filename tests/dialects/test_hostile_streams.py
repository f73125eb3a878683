"""Streams of somebody who meant harm: text after its end, halves in odd places, mixed calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.core.calls import Call
from gateway.core.exchange import Outcome
from tests.dialects.hostile import (
    ALL,
    BLOCK,
    CHAT,
    ENDED,
    FIRST,
    MAIL,
    OPENING,
    OVER,
    REDACT,
    SECOND,
    STOPPED,
    args,
    block,
    call_args,
    done,
    entry,
    events,
    finish,
    said,
    told,
)
from tests.pipeline.fakes import SSE, Backend, Bundle, ask_async, chat, house

MESSAGES = {"messages": [], "max_tokens": 9}
# What is asked, and a stream whose text goes on after one of its ends.
LATE: Mapping[str, tuple[str, Any, bytes]] = {
    "chat": ("openai_chat", {"messages": []}, finish(None, content=FIRST) + finish()
             + finish(None, content=SECOND)),
    "chat, over and over": ("openai_chat", {"messages": []}, finish(content=FIRST)
                            + finish(content="th@example") + finish(content=".com")),
    "chat, behind the last": ("openai_chat", {"messages": []}, finish(content=FIRST)
                              + b"data: [DONE]\n\n" + finish(content=SECOND)),
    "arguments": ("openai_chat", {"messages": []}, finish(**call_args('{"a":"' + FIRST))
                  + finish(**call_args(SECOND + '"}'))),
    "completion": ("openai_completions", {"prompt": "x"}, b"".join(
        b"data: " + json.dumps({"choices": [{"text": t, "finish_reason": "stop"}]}).encode()
        + b"\n\n" for t in (FIRST, SECOND))),
    "text": ("openai_responses", {"input": "x"}, events(
        said(FIRST), done("response.output_text.done", text=FIRST), said(SECOND))),
    "item": ("openai_responses", {"input": "x"}, events(
        said(FIRST), done("response.output_item.done", item={}), said(SECOND))),
    "response": ("openai_responses", {"input": "x"}, events(
        said(FIRST), {"type": "response.completed", "response": {}}, said(SECOND))),
    "block": ("anthropic_messages", MESSAGES, events(
        *OPENING, block(FIRST), STOPPED, block(SECOND))),
    "message": ("anthropic_messages", MESSAGES, events(
        *OPENING, block(FIRST), STOPPED, ENDED, block(SECOND))),
    "stream": ("anthropic_messages", MESSAGES, events(
        *OPENING, block(FIRST), STOPPED, ENDED, OVER, block(SECOND))),
}  # fmt: skip


@pytest.mark.parametrize("bundle", [BLOCK, REDACT])
@pytest.mark.parametrize("case", LATE)
def test_what_goes_on_after_an_end_is_judged_with_what_came_before(
    case: str, bundle: Bundle
) -> None:
    dialect, request, data = LATE[case]
    asked = told(dialect, data, bundle, **request)
    assert FIRST.encode() in asked.body
    assert b"example" not in asked.body
    assert asked.exchange.refusal
    assert asked.exchange.refusal.rule == "r"


@pytest.mark.parametrize("case", LATE)
def test_it_does_not_matter_whether_the_end_and_what_follows_arrive_together(case: str) -> None:
    dialect, request, data = LATE[case]
    call = Call(json.dumps({"model": "m", "stream": True, **request}).encode())
    backend = Backend(data, kind=SSE)
    asked = asyncio.run(ask_async(house(backend, REDACT), call, dialect=ALL[dialect]))
    assert b"example" not in asked.body
    assert asked.exchange.refusal == told(dialect, data, **request).exchange.refusal


def test_what_goes_on_after_an_end_and_is_harmless_passes_as_it_came() -> None:
    data = finish(content="One ") + finish(content="two ") + finish(content=f"and {MAIL} ")
    data += finish(content="three.") + finish() + finish() + b"data: [DONE]\n\n"
    body = told("openai_chat", data, messages=[]).body
    assert body == data.replace(MAIL.encode(), b"[EMAIL_ADDRESS]")


@pytest.mark.parametrize("together", [False, True])
def test_what_was_redacted_before_an_end_stays_so(together: bool) -> None:
    data = finish(content=f"Ask {MAIL}, ") + finish(content=f"or {MAIL} ") + finish(content="now.")
    pieces = [data] if together else [e + b"\n\n" for e in data.split(b"\n\n") if e]
    backend = Backend(*pieces, kind=SSE)
    asked = asyncio.run(ask_async(house(backend, REDACT), chat(stream=True)))
    assert asked.body == data.replace(MAIL.encode(), b"[EMAIL_ADDRESS]")
    assert asked.exchange.response.findings.total() == 2


@pytest.mark.parametrize("before", ["", "Some words. " * 1_000 + "x" * 500 + " "])
def test_what_was_looked_at_before_an_end_is_looked_at_again(before: str) -> None:
    data = finish(content=f"{before}Use key-0a1b") + finish(None, content="2c3d now.")
    asked = told("openai_chat", data, Bundle({"KEY": "redact"}), **CHAT)
    assert (b"2c3d" in asked.body, b"key-0a1b" in asked.body) == (False, True)
    assert asked.exchange.refusal


def test_text_does_not_wait_for_more_after_its_end() -> None:
    first, last = finish(content="Call 4111 1111"), b"data: [DONE]\n\n"
    backend = Backend(first, last, kind=SSE)
    pieces = asyncio.run(ask_async(house(backend, REDACT), chat(stream=True))).pieces
    assert pieces[:2] == [first, last]


def text_part(text: str, **more: Any) -> Any:
    return [{"type": "text", "text": text, **more}]


def unnamed(event: Any) -> Any:
    return {key: value for key, value in event.items() if key != "type"}


def unnamed_events(*values: Any) -> bytes:
    return b"".join(
        f"event: {v['type']}\ndata: {json.dumps(unnamed(v))}\n\n".encode() for v in values
    )


BEGUN = {"type": "message_start", "message": {"content": [{"type": "text", "text": FIRST}]}}
# A value in two halves that some client puts together, however they are dressed up.
DRESSED: Mapping[str, tuple[str, Any, bytes]] = {
    "a string, then a part": ("openai_chat", CHAT, finish(None, content=FIRST)
                              + finish(None, content=text_part(SECOND))),
    "a part, then a string": ("openai_chat", CHAT, finish(None, content=text_part(FIRST))
                              + finish(None, content=SECOND)),
    "numbered parts": ("openai_chat", CHAT, finish(None, content=text_part(FIRST, index=3))
                       + finish(None, content=text_part("x", index=4))
                       + finish(None, content=text_part(SECOND, index=3))),
    "a string, then a numbered part": ("openai_chat", CHAT, finish(None, content=FIRST)
                                       + finish(None, content=text_part(SECOND, index=7))),
    "calls without numbers": ("openai_chat", CHAT, args(entry(FIRST, id="a"))
                              + args(entry(SECOND))),
    "calls without numbers or names": ("openai_chat", CHAT, args(entry(FIRST), entry(SECOND))),
    "one number for two calls": ("openai_chat", CHAT, args(entry(FIRST, index=0, id="a"))
                                 + args(entry(SECOND, index=0, id="b"))),
    "numbers with a gap": ("openai_chat", CHAT, args(entry(FIRST, index=5))
                           + args(entry(SECOND, index=0))),
    "a number as a word": ("openai_chat", CHAT, args(entry("{", index=0), entry(FIRST, index=1))
                           + args(entry(SECOND, index="1"))),
    "a number with a point": ("openai_chat", CHAT, args(entry("{", index=0), entry(FIRST, index=1))
                              + args(entry(SECOND, index=1.0))),
    "choices": ("openai_chat", CHAT, b"".join(
        b"data: " + json.dumps({"choices": [{"index": i, "delta": {"content": t}}]}).encode()
        + b"\n\n" for i, t in ((0, "x"), (1, FIRST), ("1", SECOND)))),
    "events without a type": ("anthropic_messages", MESSAGES, unnamed_events(
        *OPENING, block(FIRST), block(SECOND))),
    "a message that begins with text": ("anthropic_messages", MESSAGES, events(
        BEGUN, block(SECOND))),
    "a number twice": ("anthropic_messages", MESSAGES, events(
        *OPENING, block(FIRST), OPENING[1], block(SECOND))),
    "outputs": ("openai_responses", {"input": "x"}, events(
        said("x"), {**said(FIRST), "output_index": 1}, {**said(SECOND), "output_index": "1"})),
}  # fmt: skip


@pytest.mark.parametrize("case", DRESSED)
def test_halves_that_a_client_puts_together_are_judged_together(case: str) -> None:
    dialect, request, data = DRESSED[case]
    asked = told(dialect, data, **request)
    assert FIRST.encode() not in asked.body
    assert b"[EMAIL_ADDRESS]" in asked.body
    assert asked.exchange.outcome is Outcome.COMPLETED


# What no client can make sense of, or each another.
ODD: Mapping[str, tuple[str, Any, bytes]] = {
    "back to a call": ("openai_chat", CHAT, args(entry(FIRST, index=0, id="a"))
                       + args(entry("x", index=0, id="b")) + args(entry(SECOND, index=0, id="a"))),
    "back to a call by place": ("openai_chat", CHAT, args(entry(FIRST), entry("x"))
                                + args(entry(SECOND), entry("y"))),
    "back to a number": ("openai_chat", CHAT, args(entry(FIRST, index=1))
                         + args(entry("x", index=2)) + args(entry(SECOND, index=1))),
    "counted from the end": ("openai_chat", CHAT, args(entry(FIRST, index=0), entry("x", index=1))
                             + args(entry(SECOND, index=-2))),
    "a block too far": ("anthropic_messages", MESSAGES, events(
        OPENING[0], {**OPENING[1], "index": 5}, block(FIRST, index=5), block(SECOND))),
    "a block counted from the end": ("anthropic_messages", MESSAGES, events(
        *OPENING, block(FIRST), {**block(SECOND), "index": -1})),
    "a block that begins in another": ("anthropic_messages", MESSAGES, events(
        *OPENING, {**OPENING[1], "content_block": {"type": "text", "text": FIRST}},
        block(SECOND, index=1))),
    "two types": ("anthropic_messages", MESSAGES, events(*OPENING, block(FIRST)) + events(
        block(SECOND)).replace(b'"content_block_delta"', b'"content_block_delta_2"')),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_what_clients_would_put_together_differently_breaks_off(case: str) -> None:
    dialect, request, data = ODD[case]
    asked = told(dialect, data, **request)
    assert SECOND.encode() not in asked.body
    assert asked.exchange.error == "upstream_unreachable"


# What servers in use send.
CALLS: Mapping[str, bytes] = {
    "mixed pieces": args(entry('{"a"', index=0, id="a"), entry('{"b"', index=1, id="b"))
    + args(entry(":1}", index=1)) + args(entry(":2}", index=0)),
    "whole calls under one number": args(entry('{"a":1}', index=0, id="a"),
                                         entry('{"b":2}', index=0, id="b")),
    "whole calls without a number": args(entry('{"a":1}', id="a"), entry('{"b":2}', id="b")),
    "the id each time": args(entry('{"a"', index=0, id="a")) + args(entry(":1}", index=0, id="a")),
    "an empty id later": args(entry('{"a"', index=0, id="a")) + args(entry(":1}", index=0, id="")),
    "an id for each piece": args(entry('{"a"', index=0, id="x")) + args(entry(":", index=0, id="y"))
    + args(entry("1}", index=0, id="z")),
    "counted from 1": args(entry('{"a"', index=1, id="a")) + args(entry(":1}", index=1))
    + args(entry('{"b"', index=2, id="b")) + args(entry(":1}", index=2)),
    "no number, no id": args(entry('{"a"', type="function")) + args(entry(":1}")),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_calls_pass_as_servers_in_use_number_them(case: str) -> None:
    data = CALLS[case] + finish("tool_calls") + b"data: [DONE]\n\n"
    assert told("openai_chat", data, messages=[]).body == data
