"""What somebody found who meant harm: each stays mended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway import dialects
from gateway.core.calls import Call
from gateway.core.exchange import Outcome
from gateway.core.message import Part
from gateway.pipeline.request import placeholders
from tests.pipeline.fakes import SSE, Asked, Backend, Bundle, Shelf, ask_async, chat, house

ALL = dialects.load()
MAIL = "alice.smith@example.com"
BLOCK = Bundle({"EMAIL_ADDRESS": "block"})
REDACT = Bundle({"EMAIL_ADDRESS": "redact"})


def answered(data: bytes, kind: str = SSE, **headers: str) -> Asked:
    backend = Backend(data, kind=kind)
    backend.headers = headers
    body = chat(stream=True)
    return asyncio.run(ask_async(house(backend, BLOCK), body, dialect=ALL["openai_chat"]))


def sent(dialect: str, value: Any, **params: str) -> tuple[list[bytes], int]:
    backend = Backend(b"{}")
    call = Call(json.dumps(value).encode(), params=params)
    asked = asyncio.run(ask_async(house(backend, BLOCK), call, dialect=ALL[dialect]))
    return backend.bodies, asked.status


def chunk(delta: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def events(*values: Any) -> bytes:
    """Server-sent events, each under the name of its type."""
    return b"".join(
        f"event: {v.get('type', 'x')}\ndata: {json.dumps(v)}\n\n".encode() for v in values
    )


def told(dialect: str, data: bytes, bundle: Bundle = REDACT, **request: Any) -> Asked:
    """What a client gets of this stream, whose events arrive one by one."""
    call = Call(json.dumps({"model": "m", "stream": True, **request}).encode())
    backend = Backend(*(event + b"\n\n" for event in data.split(b"\n\n") if event), kind=SSE)
    return asyncio.run(ask_async(house(backend, bundle), call, dialect=ALL[dialect]))


def finish(reason: str | None = "stop", **delta: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def said(text: str, kind: str = "response.output_text.delta") -> Any:
    return {"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": text}


def done(kind: str, **more: Any) -> Any:
    return {"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0, **more}


def block(text: str, **more: Any) -> Any:
    delta = {"type": "text_delta", "text": text}
    return {"type": "content_block_delta", "index": 0, "delta": delta, **more}


def call_args(text: str, **more: Any) -> Any:
    return {"tool_calls": [{"index": 0, "function": {"arguments": text}, **more}]}


OPENING = (
    {"type": "message_start", "message": {"id": "msg_1", "role": "assistant", "content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
)
STOPPED = {"type": "content_block_stop", "index": 0}
ENDED = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}}
OVER = {"type": "message_stop"}
FIRST, SECOND = MAIL[:9], MAIL[9:]


def test_a_run_of_capitals_is_looked_through_once() -> None:
    parts = [Part("/x", "_" + "A" * 1_000_000, "user")]
    assert "PERSON_X" not in placeholders(parts)


def test_a_long_name_is_looked_through_once() -> None:
    value = {"model": "m", "messages": [], "metadata": {"file" * 900: {"x": "data:hello"}}}
    assert sent("openai_chat", value)[1] == 200


@pytest.mark.parametrize("size", [5_000, 1_000_000])
def test_names_that_fill_the_memory_are_refused(size: int) -> None:
    value = {"model": "m", "messages": [], "metadata": {"K" * size: ["a"] * 5_000}}
    assert sent("openai_chat", value) == ([], 400)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json"])
def test_events_under_another_content_type_are_no_text(kind: str) -> None:
    data = chunk({"content": "alice.smith@"}) + chunk({"content": "example.com"})
    asked = answered(data, kind)
    assert asked.status == 502
    assert b"alice" not in asked.body


@pytest.mark.parametrize(
    "data",
    [
        b'data: {"n":' + b"9" * 5_000 + b',"choices":[{"delta":{"content":"a\\u0040b.de"}}]}\n\n',
        b'data: {}\ndata: {"choices":[{"delta":{"content":"alice\\u0040example.com"}}]}\n\n',
    ],
)
def test_json_that_cannot_be_read_is_no_text(data: bytes) -> None:
    assert b"u0040" not in answered(data).body


@pytest.mark.parametrize(
    "delta",
    [{"x": {"1": "y"}}, {"content": {"0": "x"}}, {"a/b": ["y"]}, [["x"]], {"x": {"²": "y"}}],
)
def test_a_chunk_of_another_build_is_read_all_the_same(delta: Any) -> None:
    assert answered(chunk(delta)).body == chunk(delta)


def test_lines_beside_the_data_say_little() -> None:
    data = f"id: {MAIL}\nevent: {MAIL}\nretry: 5\n".encode() + chunk({"content": "x"})
    assert MAIL.encode() not in answered(data).body


def test_headers_of_the_upstream_say_little() -> None:
    given = {
        "x-note": MAIL,
        "openai-organization": "org-1",
        "retry-after": MAIL,
        "openai-version": "1",
    }
    passed = answered(chunk({"content": "x"}), **given).headers
    assert MAIL not in str(passed)
    assert "openai-organization" not in passed
    assert passed["openai-version"] == "1"


def test_a_model_named_in_a_body_stands_where_models_stand() -> None:
    body = {"model": f"{MAIL}/m", "contents": []}
    assert sent("gemini", body, model="m") == ([], 400)
    assert sent("gemini", body | {"model": "models/m"}, model="m")[1] == 200


@pytest.mark.parametrize(
    "item",
    [
        {"id": "msg_1"},
        {"id": "msg_1", "type": None},
        {"id": "ig_1", "type": "image_generation_call"},
        {"id": "rs_1", "type": "reasoning", "summary": []},
    ],
)
def test_an_item_that_the_upstream_is_to_recall_must_be_ones_own(item: Any) -> None:
    assert sent("openai_responses", {"model": "m", "input": [item]}) == ([], 404)


def test_a_text_does_not_pass_as_a_file_without_a_name() -> None:
    head = "Content-Disposition: form-data; name="
    body = f'--b\r\n{head}"model"\r\n\r\nm\r\n--b\r\n{head}"prompt"; filename=""\r\n\r\n{MAIL}\r\n'
    backend = Backend(b"{}")
    call = Call(f"{body}--b--".encode(), content_type="multipart/form-data; boundary=b")
    asked = asyncio.run(ask_async(house(backend, BLOCK), call, dialect=ALL["openai_images"]))
    assert (backend.bodies, asked.status) == ([], 400)


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


def args(*entries: Any) -> bytes:
    return finish(None, tool_calls=list(entries))


def entry(text: str, **more: Any) -> Any:
    return {"function": {"arguments": text}, **more}


def text_part(text: str, **more: Any) -> Any:
    return [{"type": "text", "text": text, **more}]


def unnamed(event: Any) -> Any:
    return {key: value for key, value in event.items() if key != "type"}


def unnamed_events(*values: Any) -> bytes:
    return b"".join(
        f"event: {v['type']}\ndata: {json.dumps(unnamed(v))}\n\n".encode() for v in values
    )


CHAT: Any = {"messages": []}
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


HIDDEN = MAIL.replace("t", "\\u0074").replace("@", "\\u0040")
DEEP = "[" * 99 + f'"{HIDDEN}"' + "]" * 99


def with_arguments(text: str) -> Any:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": text}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@pytest.mark.parametrize("text", [f'{{"a":"{HIDDEN}","a":"x"}}', f'{{"a":"x","a":"{HIDDEN}"}}'])
def test_arguments_that_say_something_twice_are_read_each_time(text: str) -> None:
    body = {"model": "m", "messages": [with_arguments(text)]}
    asked = told("openai_chat", args(entry(text, index=0)), **CHAT)
    assert (b"[EMAIL_ADDRESS]" in asked.body, b"u0040" in asked.body) == (True, False)
    assert sent("openai_chat", body) == ([], 400)
    whole = {"choices": [{"index": 0, "message": with_arguments(text)}]}
    found = answered(json.dumps(whole).encode(), "application/json").body
    assert b"u0040" not in found


@pytest.mark.parametrize("text", [DEEP, "[" * 9_999, json.dumps(["x"] * 10_001)])
def test_arguments_that_are_too_deep_or_too_many_do_not_pass(text: str) -> None:
    body = {"model": "m", "messages": [with_arguments(text)]}
    assert sent("openai_chat", body) == ([], 400)
    whole = json.dumps({"choices": [{"index": 0, "message": with_arguments(text)}]}).encode()
    assert answered(whole, "application/json").status == 502
    asked = told("openai_chat", args(entry(text, index=0)) + finish("tool_calls"), **CHAT)
    assert text[:9].encode() not in asked.body
    assert asked.exchange.error == "upstream_unreachable"


SECRET = "key-0a1b2c3d"
ODD_KEY = f"{SECRET}-x9Y8z7W6v5U4t3S2"
KEYS = Bundle({"KEY": "redact"})


@pytest.mark.parametrize(
    "value",
    [{"previous_response_id": ODD_KEY}, {"reasoning": {"effort": ODD_KEY}},
     {"tools": [{"type": ODD_KEY}]}, {"tools": [{"type": "x", "vector_store_ids": [ODD_KEY]}]}],
)  # fmt: skip
def test_a_secret_in_the_place_of_an_identifier_does_not_pass(value: Any) -> None:
    backend = Backend(b"{}")
    here = house(backend, KEYS, shelf=Shelf(own="m"))
    call = Call(json.dumps({"model": "m", "input": "x", **value}).encode())
    asyncio.run(ask_async(here, call, dialect=ALL["openai_responses"]))
    assert SECRET.encode() not in backend.bodies[0]


@pytest.mark.parametrize(
    ("dialect", "call"),
    [
        ("openai_chat", Call(chat(), query=(("x", ODD_KEY),))),
        ("openai_chat", Call(chat(), query=((ODD_KEY, "x"),))),
        ("passthrough", Call(b"{}", params={"upstream": "b", "path": f"v1/{ODD_KEY}"})),
        ("openai_images", Call(
            f'--{ODD_KEY}\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n'
            f"--{ODD_KEY}--".encode(), content_type=f"multipart/form-data; boundary={ODD_KEY}")),
    ],
)  # fmt: skip
def test_a_secret_where_nothing_can_be_edited_stops_the_request(dialect: str, call: Call) -> None:
    backend = Backend(b"{}")
    asked = asyncio.run(ask_async(house(backend, KEYS), call, dialect=ALL[dialect]))
    assert (backend.bodies, asked.status) == ([], 400)
    assert (asked.exchange.outcome, SECRET in asked.body.decode()) == (Outcome.BLOCKED, False)
    free = asyncio.run(ask_async(house(backend, Bundle({})), call, dialect=ALL[dialect]))
    assert (free.status, len(backend.bodies)) == (200, 1)


def test_a_secret_in_the_place_of_an_answers_identifier_does_not_pass() -> None:
    whole = {"id": ODD_KEY, "choices": [{"index": 0, "finish_reason": ODD_KEY}]}
    for data, kind in ((b"data: %s\n\n", SSE), (b"%s", "application/json")):
        backend = Backend(data % json.dumps(whole).encode(), kind=kind)
        asked = asyncio.run(ask_async(house(backend, KEYS), chat()))
        assert SECRET.encode() not in asked.body
