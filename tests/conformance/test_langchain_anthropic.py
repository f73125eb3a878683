"""LangChain's client for Anthropic's API, changed only in base URL and key."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessageChunk
from pydantic import BaseModel

from tests.conformance.claude import message, streamed, text, text_block, tool, tool_block
from tests.conformance.vendors import Received, Says, Vendors
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway

SECRET, EMAIL = BY_NAME["aws"], BY_NAME["email"]


def chat(gateway: Gateway, model: str, **more: Any) -> ChatAnthropic:
    return ChatAnthropic(
        model_name=model, base_url=gateway.url, api_key=gateway.key, max_tokens_to_sample=99, **more
    )  # type: ignore[call-arg]


def together(chunks: Any) -> AIMessageChunk:
    first, *rest = list(chunks)
    for chunk in rest:
        first += chunk
    return first  # type: ignore[no-any-return]


def test_personal_data_stays_here_and_comes_back(gateway: Gateway, vendors: Vendors) -> None:
    def echo(got: Received) -> Says:
        return message(text(got.json["messages"][-1]["content"]))

    model = vendors.answer("anthropic-lc-chat", echo)
    assert chat(gateway, model).invoke(EMAIL.text).text == EMAIL.text
    assert EMAIL.value.encode() not in vendors.of(model)[0].body


def test_a_streamed_answer_arrives_whole(gateway: Gateway, vendors: Vendors) -> None:
    words = "A long answer, said in short pieces."
    model = vendors.answer("anthropic-lc-stream", streamed(text_block(words)))
    got = together(chat(gateway, model).stream("Hi."))
    assert got.text == words
    assert got.usage_metadata is not None
    assert got.usage_metadata["output_tokens"] == 20


class Search(BaseModel):
    """Search for something."""

    q: str


def test_streamed_tool_calls_are_parsed(gateway: Gateway, vendors: Vendors) -> None:
    blocks = [tool_block(i, json.dumps({"q": q})) for i, q in enumerate(["one", "two"])]
    answer = streamed(text_block("I look."), *blocks, stop="tool_use")
    model = vendors.answer("anthropic-lc-tools", answer)
    got = together(chat(gateway, model).bind_tools([Search]).stream("Find."))
    assert [call["args"] for call in got.tool_calls] == [{"q": "one"}, {"q": "two"}]
    assert got.invalid_tool_calls == []


def test_structured_output_is_an_object(gateway: Gateway, vendors: Vendors) -> None:
    call = {**tool(1, {"q": "it"}), "name": "Search"}
    model = vendors.answer("anthropic-lc-parse", message(call, stop="tool_use"))
    assert chat(gateway, model).with_structured_output(Search).invoke("Find.") == Search(q="it")


def test_a_blocked_request_raises(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("anthropic-lc-blocked", message(text("No.")))
    with pytest.raises(anthropic.BadRequestError):
        chat(gateway, model).invoke(SECRET.text)
    assert vendors.of(model) == []


def test_a_stream_blocked_in_the_middle_has_no_tool_call(
    blocking: Gateway, vendors: Vendors
) -> None:
    first = text_block("Some harmless words come first. " * 20)
    call = tool_block(1, json.dumps({"q": SECRET.text}))
    model = vendors.answer("anthropic-lc-middle", streamed(first, call, stop="tool_use"))
    got = together(chat(blocking, model).bind_tools([Search]).stream("Hi."))
    assert got.response_metadata["stop_reason"] == "refusal"
    assert (got.tool_calls, got.invalid_tool_calls) == ([], [])
    assert SECRET.value not in str(got.content)
