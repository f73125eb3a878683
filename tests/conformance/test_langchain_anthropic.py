"""LangChain's client for Anthropic's API, changed only in base URL and key."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessageChunk, HumanMessage
from pydantic import BaseModel

from tests.conformance.claude import message, streamed, text, text_block, tool, tool_block
from tests.conformance.vendors import Received, Says, Vendors, at_once, says
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


@pytest.mark.covers("LangChain (Anthropic)", "unary")
def test_personal_data_stays_here_and_comes_back(gateway: Gateway, vendors: Vendors) -> None:
    def echo(got: Received) -> Says:
        return message(text(got.json["messages"][-1]["content"]))

    model = vendors.answer("anthropic-lc-chat", echo)
    assert chat(gateway, model).invoke(EMAIL.text).text == EMAIL.text
    (sent,) = vendors.of(model)
    assert EMAIL.value.encode() not in sent.body


@pytest.mark.covers("LangChain (Anthropic)", "streamed")
def test_a_streamed_answer_arrives_whole(gateway: Gateway, vendors: Vendors) -> None:
    words = "A long answer, said in short pieces."
    model = vendors.answer("anthropic-lc-stream", streamed(text_block(words)))
    got = together(chat(gateway, model).stream("Hi."))
    assert got.text == words
    assert got.usage_metadata is not None
    assert got.usage_metadata["output_tokens"] == 20
    assert len(vendors.of(model)) == 1


class Search(BaseModel):
    """Search for something."""

    q: str


@pytest.mark.covers("LangChain (Anthropic)", "tools")
def test_a_tool_is_called_with_the_original(gateway: Gateway, vendors: Vendors) -> None:
    def answer(got: Received) -> Says:
        call = {**tool(1, {"q": got.json["messages"][-1]["content"]}), "name": "Search"}
        return message(call, stop="tool_use")

    model = vendors.answer("anthropic-lc-tool", answer)
    got = chat(gateway, model).bind_tools([Search]).invoke(EMAIL.text)
    assert [(call["name"], call["args"]) for call in got.tool_calls] == [
        ("Search", {"q": EMAIL.text})
    ]
    (sent,) = vendors.of(model)
    assert EMAIL.value.encode() not in sent.body


@pytest.mark.covers("LangChain (Anthropic)", "parallel tools")
def test_streamed_tool_calls_are_parsed(gateway: Gateway, vendors: Vendors) -> None:
    blocks = [tool_block(i, json.dumps({"q": q})) for i, q in enumerate(["one", "two"])]
    answer = streamed(text_block("I look."), *blocks, stop="tool_use")
    model = vendors.answer("anthropic-lc-tools", answer)
    got = together(chat(gateway, model).bind_tools([Search]).stream("Find."))
    assert [call["args"] for call in got.tool_calls] == [{"q": "one"}, {"q": "two"}]
    assert got.invalid_tool_calls == []
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("LangChain (Anthropic)", "structured output")
def test_structured_output_is_an_object(gateway: Gateway, vendors: Vendors) -> None:
    call = {**tool(1, {"q": "it"}), "name": "Search"}
    model = vendors.answer("anthropic-lc-parse", message(call, stop="tool_use"))
    assert chat(gateway, model).with_structured_output(Search).invoke("Find.") == Search(q="it")
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("LangChain (Anthropic)", "vision")
def test_a_picture_goes_on_as_it_is(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("anthropic-lc-vision", message(text("A dot.")))
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    parts: Any = [text("What is it?"), {"type": "image", "source": source}]
    assert chat(gateway, model).invoke([HumanMessage(parts)]).text == "A dot."
    (sent,) = vendors.of(model)
    assert sent.json["messages"][0]["content"] == parts


@pytest.mark.covers("LangChain (Anthropic)", "errors")
def test_the_vendors_error_is_raised(gateway: Gateway, vendors: Vendors) -> None:
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "Later."}}
    model = vendors.answer("anthropic-lc-error", says(body, 429, **{"x-should-retry": "false"}))
    with pytest.raises(anthropic.RateLimitError, match="Later"):
        chat(gateway, model).invoke("Hi.")
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("LangChain (Anthropic)", "blocked request")
@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_request_raises(gateway: Gateway, vendors: Vendors, stream: bool) -> None:
    model = vendors.answer(f"anthropic-lc-blocked-{stream}", message(text("No.")))
    client = chat(gateway, model)
    with pytest.raises(anthropic.BadRequestError):
        list(client.stream(SECRET.text)) if stream else client.invoke(SECRET.text)
    assert vendors.of(model) == []


@pytest.mark.covers("LangChain (Anthropic)", "block before the first byte")
def test_a_stream_blocked_before_its_first_byte_raises(blocking: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("anthropic-lc-first", at_once(streamed(text_block(SECRET.text))))
    with pytest.raises(anthropic.BadRequestError) as raised:
        list(chat(blocking, model).stream("Hi."))
    assert SECRET.value not in str(raised.value)
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("LangChain (Anthropic)", "block in mid-stream")
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
    assert len(vendors.of(model)) == 1
