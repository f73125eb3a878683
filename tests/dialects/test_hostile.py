"""What somebody found who meant harm: each stays mended."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway import dialects
from gateway.core.calls import Call
from gateway.core.message import Part
from gateway.pipeline.request import placeholders
from tests.pipeline.fakes import SSE, Asked, Backend, Bundle, ask_async, chat, house

ALL = dialects.load()
MAIL = "alice.smith@example.com"
BLOCK = Bundle({"EMAIL_ADDRESS": "block"})


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
