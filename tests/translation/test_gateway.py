"""Translation behind the real gateway."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.conformance.vendors import Received, Says, Vendors
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway
from tests.translation.clients import HELLO, hear
from tests.translation.wires import EMAIL, TEXT, VENDORS, Tells
from tests.translation.wires import anthropic as claude

SECRET = BY_NAME["aws"]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def repeats(got: Received) -> Says:
    """Says what it was asked."""
    return claude(Tells(pieces=(got.json["messages"][-1]["content"][0]["text"],)))(got)


def test_placeholders_go_out_and_originals_come_back(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("c-restored", repeats)
    answer = gateway.post(model, f"Write to {EMAIL}.")
    assert answer.json()["choices"][0]["message"]["content"].startswith(f"Write to {EMAIL}.")
    (received,) = vendors.of(model)
    assert EMAIL.encode() not in received.body


@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_client_reaches_an_openai_server(
    gateway: Gateway, vendors: Vendors, stream: bool
) -> None:
    tools = (("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"}))
    model = vendors.answer("o-claude", VENDORS["openai"](Tells(tools=tools, finish="tool_calls")))
    asked: dict[str, Any] = {
        "model": model, "max_tokens": 99, "messages": user("Hello."),
        "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}],
    }  # fmt: skip
    with anthropic.Anthropic(base_url=gateway.url, api_key=gateway.key) as client:
        if stream:
            with client.messages.stream(**asked) as streaming:
                message = streaming.get_final_message()
        else:
            message = client.messages.create(**asked)
    text, *uses = message.content
    assert text.text == TEXT
    assert [(use.name, use.input) for use in uses] == list(tools)
    assert message.stop_reason == "tool_use"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (11, 7)


@pytest.mark.parametrize("stream", [False, True])
def test_openais_responses_client_reaches_claude(
    gateway: Gateway, vendors: Vendors, stream: bool
) -> None:
    tools = (("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"}))
    model = vendors.answer("c-responses", claude(Tells(tools=tools, finish="tool_calls")))
    asked: dict[str, Any] = {
        "model": model, "input": "Hello.",
        "tools": [{"type": "function", "name": "weather", "strict": False,
                   "parameters": {"type": "object", "properties": {}}}],
    }  # fmt: skip
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key) as client:
        if stream:
            with client.responses.stream(**asked) as streaming:
                response = streaming.get_final_response()
        else:
            response = client.responses.create(**asked)
    calls = [item for item in response.output if item.type == "function_call"]
    assert response.output_text == TEXT
    assert [(call.name, json.loads(call.arguments)) for call in calls] == list(tools)
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (11, 7)


def test_geminis_and_ollamas_clients_reach_an_openai_server(
    gateway: Gateway, vendors: Vendors
) -> None:
    model = vendors.answer("o-others", VENDORS["openai"](Tells()))
    heads = {"authorization": f"Bearer {gateway.key}"}
    for path, dialect in (
        (f"/v1beta/models/{model}:streamGenerateContent?alt=sse", "gemini"),
        ("/api/chat", "ollama_chat"),
        ("/api/generate", "ollama_generate"),
    ):
        body = {**HELLO[dialect], **({} if dialect == "gemini" else {"model": model})}
        answer = httpx.post(f"{gateway.url}{path}", json=body, headers=heads, trust_env=False)
        assert (answer.status_code, hear(dialect, answer.content, stream=True).text) == (200, TEXT)


@pytest.mark.parametrize("stream", [False, True])
def test_azures_client_reaches_claude(gateway: Gateway, vendors: Vendors, stream: bool) -> None:
    model = vendors.answer(f"c-azure-{stream}", claude(Tells()))
    answer = httpx.post(
        f"{gateway.url}/openai/deployments/{model}/chat/completions?api-version=2024-10-21",
        json={**HELLO["openai_chat"], "stream": stream, "max_tokens": 9},
        headers={"api-key": gateway.key},
        trust_env=False,
    )
    heard = hear("openai_chat", answer.content, stream=stream)
    assert (answer.status_code, heard.text) == (200, TEXT)
    assert vendors.of(model)[0].path == "/v1/messages"


def test_what_cannot_be_translated_is_not_sent(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("c-two", claude(Tells()))
    answer = gateway.post(model, n=2)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "untranslatable")
    assert vendors.of(model) == []
    assert gateway.closed(model)["data"]["upstream_called"] is False
