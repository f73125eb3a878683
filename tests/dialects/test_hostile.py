"""What somebody found who meant harm: each stays mended."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway.core.calls import Call
from gateway.core.exchange import Outcome
from gateway.core.message import Part
from gateway.pipeline.request import placeholders
from tests.dialects.hostile import (
    ALL,
    BLOCK,
    CHAT,
    MAIL,
    answered,
    args,
    chunk,
    entry,
    finish,
    sent,
    told,
)
from tests.pipeline.fakes import SSE, Backend, Bundle, Shelf, ask_async, chat, house


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
