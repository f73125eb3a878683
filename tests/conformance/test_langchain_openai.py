"""LangChain's ChatOpenAI: what it returns or raises, and how many calls were made upstream."""

from __future__ import annotations

import json

import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from tests.conformance.test_openai_python import (
    EMAIL,
    SECRET,
    calls,
    chunks,
    completion,
    echoed,
    pieces,
)
from tests.conformance.vendors import Vendors
from tests.e2e.running import Gateway


class Find(BaseModel):
    """Find something."""

    q: str


def chat(gateway: Gateway, model: str) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=f"{gateway.url}/v1", api_key=SecretStr(gateway.key))


def test_invoke_returns_what_was_said(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("openai-lc", echoed)
    assert chat(gateway, model).invoke(EMAIL.text).content == EMAIL.text
    (got,) = vendors.of(model)
    assert EMAIL.value.encode() not in got.body


def test_a_stream_adds_up(gateway: Gateway, vendors: Vendors) -> None:
    text = "A long answer, said in short pieces."
    model = vendors.answer("openai-lc-stream", chunks(*[{"content": p} for p in pieces(text)]))
    assert "".join(str(c.content) for c in chat(gateway, model).stream("Hi.")) == text


def test_tools_are_called_with_whole_arguments(gateway: Gateway, vendors: Vendors) -> None:
    answer = {"tool_calls": calls('{"q":"one"}', '{"q":"two"}')}
    model = vendors.answer("openai-lc-tools", completion(answer, finish="tool_calls"))
    got = chat(gateway, model).bind_tools([Find]).invoke("Find.")
    assert [c["args"] for c in got.tool_calls] == [{"q": "one"}, {"q": "two"}]


def test_structured_output_is_an_object(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("openai-lc-parse", completion({"content": json.dumps({"q": "x"})}))
    got = chat(gateway, model).with_structured_output(Find, method="json_schema").invoke("Find.")
    assert got == Find(q="x")


def test_a_block_is_raised_once(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("openai-lc-blocked", echoed)
    with pytest.raises(openai.BadRequestError) as raised:
        chat(gateway, model).invoke(SECRET.text)
    assert raised.value.code == "policy_violation"
    assert vendors.of(model) == []


def test_a_stream_blocked_in_the_middle_says_so(blocking: Gateway, vendors: Vendors) -> None:
    text = "Some harmless words come first. " * 20 + SECRET.text
    model = vendors.answer("openai-lc-middle", chunks(*[{"content": p} for p in pieces(text)]))
    told = list(chat(blocking, model).stream("Hi."))
    assert SECRET.value not in "".join(str(c.content) for c in told)
    reasons = [c.response_metadata.get("finish_reason") for c in told]
    assert [r for r in reasons if r] == ["content_filter"]
