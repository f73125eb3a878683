"""What goes to the vendor: all of the judged request that has a counterpart, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.errors import Refused
from tests.conformance.vendors import Vendors
from tests.translation.asking import ask, outgoing
from tests.translation.clients import HELLO, JSON, TALK, WHOSE
from tests.translation.heard import CANARY, PNG, SCHEMA
from tests.translation.test_answers import pairs, streamed
from tests.translation.wires import VENDORS, Tells

CREDENTIALS = {
    "openai": {"authorization": "Bearer sk-own"},
    "anthropic": {"x-api-key": "sk-own", "anthropic-version": "2023-06-01"},
    "gemini": {"x-goog-api-key": "sk-own"},
    "ollama": {"authorization": "Bearer sk-own"},
}
# What a client's API has no words for.
LACKING = {
    "openai_responses": {"END"},
    "ollama_generate": {"I look.", "weather", "Oslo", "Rain.", "And now?", "Tells it.", "city"},
}
ALLOWED = {"host", "accept", "content-type", "content-length", "connection", "user-agent",
           "accept-encoding"}  # fmt: skip


def strings(value: Any) -> set[str]:
    """Every string and number in a JSON value, tool arguments inside strings included."""
    if isinstance(value, dict):
        return {s for member in value.values() for s in strings(member)} | set(value)
    if isinstance(value, list):
        return {s for member in value for s in strings(member)}
    if isinstance(value, str) and value.startswith("{"):
        return strings(json.loads(value))
    return {str(value)}


@pairs
@streamed
def test_a_whole_conversation_goes_on(
    vendors: Vendors, dialect: str, kind: str, stream: bool
) -> None:
    model = vendors.answer(f"gemini-2.5-talk-{kind}", VENDORS[kind](Tells()))
    talk = dict(TALK[dialect])
    if kind == "ollama":
        # Which it would not notice, so it is refused.
        del talk["tool_choice"]
    got = ask(kind, vendors, outgoing(dialect, talk, model, stream=stream))
    assert got.status == 200
    (received,) = vendors.of(model)
    sent = strings(received.json)
    wanted = {"Be kind.", "Look at this.", "I look.", "weather", "Oslo", "Rain.", "And now?",
              "Tells it.", "END", "0.5", "0.9", "99", "city"}  # fmt: skip
    assert wanted - LACKING.get(dialect, set()) <= sent
    assert any(PNG in text for text in sent)
    assert "Hm." not in sent


@pairs
def test_a_schema_for_the_answer_goes_on(vendors: Vendors, dialect: str, kind: str) -> None:
    model = vendors.answer(f"gemini-2.5-json-{kind}", VENDORS[kind](Tells()))
    ask(kind, vendors, outgoing(dialect, {**HELLO[dialect], **JSON[dialect]}, model))
    (received,) = vendors.of(model)
    assert set(SCHEMA["properties"]) <= strings(received.json)
    assert "schema" in received.body.decode().lower()


@pairs
@streamed
def test_nothing_else_goes_on(
    vendors: Vendors, dialect: str, kind: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_ORG_ID",
                 "OPENAI_ORGANIZATION", "USER", "OPENAI_PROJECT_ID"):  # fmt: skip
        monkeypatch.setenv(name, CANARY)
    whose = WHOSE[dialect]
    model = vendors.answer(f"else-{kind}", VENDORS[kind](Tells()))
    heads = {"authorization": CANARY, "x-title": CANARY, "user-agent": CANARY}
    ask(kind, vendors, outgoing(dialect, HELLO[dialect] | whose, model, stream=stream, **heads))
    (received,) = vendors.of(model)
    assert CANARY not in f"{received.body!r} {received.headers} {received.query}"
    extra = {k: v for k, v in received.headers.items() if k not in ALLOWED}
    assert extra == CREDENTIALS[kind]
    assert received.headers["user-agent"] == "responsible-use-gateway"


@pairs
def test_without_a_credential_none_is_looked_for(
    vendors: Vendors, dialect: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, CANARY)
    model = vendors.answer(f"keyless-{kind}", VENDORS[kind](Tells()))
    ask(kind, vendors, outgoing(dialect, HELLO[dialect], model), credential="")
    (received,) = vendors.of(model)
    assert CANARY not in str(received.headers)


@pytest.mark.parametrize("kind", ["openai", "gemini"])
def test_an_image_that_a_tool_found_follows_its_result(vendors: Vendors, kind: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    talk = json.loads(json.dumps(TALK["anthropic_messages"]))
    (result, last) = talk["messages"][-1]["content"]
    result["content"] = [*result["content"], {"type": "image", "source": source}]
    talk["messages"][0]["content"] = "Look."
    model = vendors.answer(f"gemini-2.5-tool-image-{kind}", VENDORS[kind](Tells()))
    assert ask(kind, vendors, outgoing("anthropic_messages", talk, model)).status == 200
    sent = vendors.of(model)[0].body.decode()
    places = [sent.index(word) for word in ("Rain.", PNG, last["text"])]
    assert places == sorted(places)
    assert sent.count(PNG) == 1


@streamed
def test_vertex_is_asked_at_its_own_place_and_by_token(vendors: Vendors, stream: bool) -> None:
    settings = {"project": "p-1", "location": "europe-west4"}
    model = vendors.answer("gemini-vertex", VENDORS["gemini"](Tells()))
    call = outgoing("openai_chat", HELLO["openai_chat"], model, stream=stream)
    got = ask("gemini", vendors, call, settings=settings)
    assert got.status == 200
    (received,) = vendors.of(model)
    place = "/v1beta1/projects/p-1/locations/europe-west4/publishers/google"
    verb = "streamGenerateContent" if stream else "generateContent"
    assert received.path == f"{place}/models/{model}:{verb}"
    assert received.headers["authorization"] == "Bearer sk-own"
    assert "x-goog-api-key" not in received.headers
    assert "p-1" not in received.body.decode()


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("openai_chat", {"n": 2}, "'n'"),
    ("openai_chat", {"logprobs": True}, "'logprobs'"),
    ("openai_chat", {"api_base": "http://127.0.0.1:1"}, "'api_base'"),
    ("openai_chat", {"mock_response": "x"}, "'mock_response'"),
    ("openai_chat", {"fallbacks": []}, "'fallbacks'"),
    ("openai_chat", {"extra_headers": {}}, "'extra_headers'"),
    ("openai_chat", {"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "'custom'"),
    ("openai_chat", {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
     "'input_audio'"),
    ("openai_chat", {"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/x.png"}}]}]}, "image"),
    ("openai_responses", {"store": True}, "'store'"),
    ("openai_responses", {"background": True}, "'background'"),
    ("openai_responses", {"previous_response_id": "resp_1"}, "'previous_response_id'"),
    ("openai_responses", {"conversation": "conv_1"}, "'conversation'"),
    ("openai_responses", {"prompt": {"id": "p"}}, "'prompt'"),
    ("openai_responses", {"max_tool_calls": 1}, "'max_tool_calls'"),
    ("openai_responses", {"truncation": "auto"}, "'truncation'"),
    ("openai_responses", {"include": ["message.output_text.logprobs"]}, "'include'"),
    ("openai_responses", {"api_base": "http://127.0.0.1:1"}, "'api_base'"),
    ("openai_responses", {"text": {"verbosity": "low"}}, "'verbosity'"),
    ("openai_responses", {"text": {"format": {"type": "grammar"}}}, "'grammar'"),
    ("openai_responses", {"tools": [{"type": "web_search"}]}, "'web_search'"),
    ("openai_responses", {"tools": [{"type": "function", "name": "a", "defer_loading": True}]},
     "'defer_loading'"),
    ("openai_responses", {"input": [{"type": "item_reference", "id": "msg_1"}]},
     "'item_reference'"),
    ("openai_responses", {"input": [{"role": "critic", "content": "x"}]}, "role"),
    ("openai_responses", {"input": [{"role": "user", "content": [
        {"type": "input_image", "image_url": "http://127.0.0.1:1/x.png"}]}]}, "image"),
    ("openai_responses", {"input": [{"role": "user", "content": [
        {"type": "input_file", "file_id": "file_1"}]}]}, "'file_id'"),
    ("gemini", {"cachedContent": "cachedContents/1"}, "'cachedContent'"),
    ("gemini", {"tools": [{"googleSearch": {}}]}, "'googleSearch'"),
    ("gemini", {"tools": [{"functionDeclarations": [{"name": "f", "behavior": "X"}]}]},
     "'behavior'"),
    ("gemini", {"generationConfig": {"candidateCount": 2}}, "'candidateCount'"),
    ("gemini", {"generation_config": {"response_modalities": ["AUDIO"]}}, "'responseModalities'"),
    ("gemini", {"generationConfig": {"thinkingConfig": {"thinkingLevel": "X"}}},
     "'thinkingLevel'"),
    ("gemini", {"generationConfig": {"responseMimeType": "text/x.enum"}}, "'responseMimeType'"),
    ("gemini", {"generationConfig": {"responseSchema": {"type": "STRING", "secret": 1}}}, "schema"),
    ("gemini", {"safetySettings": [
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"}]},
     "'safetySettings'"),
    ("gemini", {"contents": [{"parts": [{"fileData": {"fileUri": "gs://x"}}]}]}, "'fileData'"),
    ("gemini", {"contents": [{"parts": [{"text": "x", "inlineData": {}}]}]}, "several"),
    ("gemini", {"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav"}}]}]}, "medium"),
    ("gemini", {"contents": [{"parts": [{"functionResponse": {"name": "f"}}]}]}, "without a call"),
    ("gemini", {"contents": [{"role": "critic", "parts": [{"text": "x"}]}]}, "role"),
    ("ollama_chat", {"options": {"repeat_penalty": 1.2}}, "'repeat_penalty'"),
    ("ollama_chat", {"logprobs": True}, "'logprobs'"),
    ("ollama_chat", {"think": "hard"}, "'think'"),
    ("ollama_chat", {"messages": []}, "load a model"),
    ("ollama_chat", {"messages": [{"role": "tool", "content": "x"}]}, "without a call"),
    ("ollama_chat", {"messages": [{"role": "user", "content": "x", "images": ["AAAA"]}]}, "image"),
    ("ollama_chat", {"format": "xml"}, "'format'"),
    ("ollama_generate", {"raw": True}, "'raw'"),
    ("ollama_generate", {"suffix": "x"}, "'suffix'"),
    ("ollama_generate", {"template": "x"}, "'template'"),
    ("ollama_generate", {"context": [1]}, "'context'"),
    ("ollama_generate", {"prompt": ""}, "load a model"),
    ("anthropic_messages", {"mcp_servers": []}, "'mcp_servers'"),
    ("anthropic_messages", {"container": {}}, "'container'"),
    ("anthropic_messages", {"tools": [{"type": "web_search_20250305", "name": "w"}]},
     "'web_search_20250305'"),
    ("anthropic_messages", {"messages": [{"role": "user", "content": [
        {"type": "image", "source": {"type": "url", "url": "http://127.0.0.1:1/x.png"}}]}]},
     "image"),
    ("anthropic_messages", {"messages": [{"role": "assistant", "content": [
        {"type": "server_tool_use"}]}]}, "'server_tool_use'"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "change", "word"), REFUSED)
def test_what_has_no_counterpart_is_refused_before_it_is_sent(
    vendors: Vendors, dialect: str, change: dict[str, Any], word: str
) -> None:
    kind = "openai" if dialect == "gemini" else "gemini"
    model = vendors.answer("refused", VENDORS[kind](Tells()))
    with pytest.raises(Refused) as raised:
        ask(kind, vendors, outgoing(dialect, {**HELLO[dialect], **change}, model))
    assert raised.value.refusal.code == "untranslatable"
    assert word in raised.value.refusal.message
    assert vendors.of(model) == []
