"""Ollama's Python client: what it returns or raises, and how many calls were made upstream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import ollama
import pytest

from tests.conformance.vendors import Received, Says, Vendors, at_once, lines, says
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway

SECRET = BY_NAME["aws"]
MAIL = BY_NAME["email"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
END = {"done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 4}
TOOL = {
    "type": "function",
    "function": {
        "name": "send",
        "description": "Sends mail.",
        "parameters": {"type": "object", "properties": {"to": {"type": "string"}}},
    },
}


@pytest.fixture
def client(gateway: Gateway) -> Iterator[ollama.Client]:
    with ollama.Client(gateway.url, headers=key(gateway)) as made:
        yield made


def key(gateway: Gateway) -> dict[str, str]:
    return {"authorization": f"Bearer {gateway.key}"}


def message(content: str = "", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **more}, "done": False}


def user(text: str, **more: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text, **more}]


def seen(request: Received) -> str:
    """What the last message of a chat said when it came in."""
    text: str = request.json["messages"][-1]["content"]
    return text


@pytest.mark.covers("ollama", "unary")
def test_a_chat_gives_back_what_was_pseudonymised(client: ollama.Client, vendors: Vendors) -> None:
    model = vendors.answer("ollama-chat", lambda r: says({**message(seen(r)), **END}))
    got = client.chat(model, user(MAIL.text))
    assert got.message.content == MAIL.text
    assert (got.done, got.done_reason, got.eval_count) == (True, "stop", 4)
    (sent,) = vendors.of(model)
    assert MAIL.value.encode() not in sent.body
    assert (sent.method, sent.path) == ("POST", "/api/chat")
    assert sent.headers["authorization"] == f"Bearer {vendors.credential}"


@pytest.mark.covers("ollama", "streamed", "tools")
def test_a_stream_and_its_tool_calls_are_restored(client: ollama.Client, vendors: Vendors) -> None:
    def answer(request: Received) -> Says:
        address = seen(request).removeprefix("Write to ").removesuffix(" today.")
        said = [message(address[:5]), message(address[5:] + ".")]
        call = {"function": {"name": "send", "arguments": {"to": address, "n": 1}}}
        return lines(*said, message(tool_calls=[call]), {**message(), **END})

    model = vendors.answer("ollama-tools", answer)
    got = list(client.chat(model, user(MAIL.text), tools=[TOOL], stream=True))
    assert "".join(part.message.content or "" for part in got) == MAIL.value + "."
    (call,) = [c for part in got for c in part.message.tool_calls or ()]
    assert call.function.name == "send"
    assert call.function.arguments == {"to": MAIL.value, "n": 1}
    assert (got[-1].done, got[-1].done_reason) == (True, "stop")
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("ollama", "parallel tools")
def test_calls_side_by_side_stay_two(client: ollama.Client, vendors: Vendors) -> None:
    def answer(request: Received) -> Says:
        address = seen(request).removeprefix("Write to ").removesuffix(" today.")
        told = ({"name": "send", "arguments": {"to": to}} for to in (address, "nobody"))
        return says({**message(tool_calls=[{"function": call} for call in told]), **END})

    model = vendors.answer("ollama-parallel", answer)
    got = client.chat(model, user(MAIL.text), tools=[TOOL])
    assert [call.function.arguments for call in got.message.tool_calls or ()] == [
        {"to": MAIL.value},
        {"to": "nobody"},
    ]
    (sent,) = vendors.of(model)
    assert MAIL.value.encode() not in sent.body


@pytest.mark.covers("ollama", "structured output")
def test_a_structured_answer_keeps_to_its_schema(client: ollama.Client, vendors: Vendors) -> None:
    schema = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
    model = vendors.answer(
        "ollama-json", lambda r: says({**message(json.dumps({"to": seen(r)})), **END})
    )
    got = client.chat(model, user(MAIL.text), format=schema)
    assert json.loads(got.message.content or "") == {"to": MAIL.text}
    (sent,) = vendors.of(model)
    assert sent.json["format"] == schema


@pytest.mark.covers("ollama", "vision")
def test_images_go_on_as_they_are(client: ollama.Client, vendors: Vendors) -> None:
    model = vendors.answer("ollama-vision", says({**message("A dot."), **END}))
    got = client.chat(model, user("What is it?", images=[PNG]), think=False, format="json")
    assert got.message.content == "A dot."
    (sent,) = vendors.of(model)
    assert sent.json["messages"][0]["images"][0].startswith("iVBORw0KGgo")


def test_a_completion_is_restored_whole_and_streamed(
    client: ollama.Client, vendors: Vendors
) -> None:
    def answer(request: Received) -> Says:
        text = request.json["prompt"]
        if not request.json["stream"]:
            return says({"response": text, **END, "context": [1, 2]})
        pieces = [text[i : i + 4] for i in range(0, len(text), 4)]
        return lines(*({"response": p, "done": False} for p in pieces), {"response": "", **END})

    model = vendors.answer("ollama-generate", answer)
    got = client.generate(model, MAIL.text, suffix="", options={"num_predict": 9})
    assert (got.response, got.context) == (MAIL.text, [1, 2])
    parts = client.generate(model, MAIL.text, stream=True)
    assert "".join(part.response or "" for part in parts) == MAIL.text
    assert [MAIL.value in sent.body.decode() for sent in vendors.of(model)] == [False, False]


@pytest.mark.covers("ollama", "embeddings")
def test_embeddings_are_of_what_left(client: ollama.Client, vendors: Vendors) -> None:
    model = vendors.answer("ollama-embed", says({"embeddings": [[0.5]], "embedding": [0.25]}))
    assert client.embed(model, [MAIL.text]).embeddings == [[0.5]]
    assert client.embeddings(model, MAIL.text).embedding == [0.25]
    new, old = vendors.of(model)
    assert (new.path, old.path) == ("/api/embed", "/api/embeddings")
    assert MAIL.value.encode() not in new.body + old.body


def test_models_are_listed_and_shown(client: ollama.Client, gateway: Gateway) -> None:
    assert "ollama-listed" in {model.model for model in client.list().models}
    assert client.show("ollama-listed").details is not None
    with pytest.raises(ollama.ResponseError) as raised:
        client.show("ollama-unheard-of")
    assert raised.value.status_code == 404
    assert gateway.ask("GET", "/api/version", headers=key(gateway)).json()["version"]


@pytest.mark.covers("ollama", "blocked request")
def test_a_blocked_request_raises_and_goes_nowhere(client: ollama.Client, vendors: Vendors) -> None:
    model = vendors.answer("ollama-blocked", says({}))
    for ask in (
        lambda: client.chat(model, user(SECRET.text)),
        lambda: list(client.chat(model, user(SECRET.text), stream=True)),
        lambda: client.generate(model, SECRET.text),
        lambda: client.embed(model, SECRET.text),
    ):
        with pytest.raises(ollama.ResponseError) as raised:
            ask()
        assert raised.value.status_code == 400
        assert "policy_violation" in raised.value.error
        assert SECRET.value not in str(raised.value)
    assert vendors.of(model) == []


@pytest.mark.covers("ollama", "block before the first byte")
def test_a_stream_blocked_before_its_first_byte_raises(blocking: Gateway, vendors: Vendors) -> None:
    said = lines(message(SECRET.text), {**message(), **END})
    model = vendors.answer("ollama-first", at_once(said))
    with (
        ollama.Client(blocking.url, headers=key(blocking)) as client,
        pytest.raises(ollama.ResponseError) as raised,
    ):
        list(client.chat(model, user("Hello."), stream=True))
    assert (raised.value.status_code, SECRET.value in str(raised.value)) == (400, False)
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("ollama", "block in mid-stream")
def test_a_stream_blocked_in_the_middle_ends_as_filtered(
    blocking: Gateway, vendors: Vendors
) -> None:
    said = [message("words and ") for _ in range(100)]
    model = vendors.answer("ollama-cut-short", lines(*said, message(SECRET.text), *said))
    with ollama.Client(blocking.url, headers=key(blocking)) as client:
        got = list(client.chat(model, user("Hello."), stream=True))
    text = "".join(part.message.content or "" for part in got)
    assert text.startswith("words and words and ")
    assert SECRET.value not in text
    assert (got[-1].done, got[-1].done_reason) == (True, "content_filter")
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("ollama", "errors")
def test_the_vendors_errors_are_raised_as_they_are(client: ollama.Client, vendors: Vendors) -> None:
    model = vendors.answer("ollama-errors", says({"error": "model is not here"}, status=404))
    with pytest.raises(ollama.ResponseError, match="model is not here") as raised:
        client.chat(model, user("Hello."))
    assert raised.value.status_code == 404
    vendors.answer(model, lines(message("Well, "), {"error": "out of memory"}))
    with pytest.raises(ollama.ResponseError, match="out of memory"):
        list(client.chat(model, user("Hello."), stream=True))
    assert len(vendors.of(model)) == 1


def test_a_stream_that_breaks_off_raises(client: ollama.Client, vendors: Vendors) -> None:
    said = lines(*(message("words and ") for _ in range(50)))
    model = vendors.answer("ollama-broken", Says(said.pieces, said.content_type, cut=True))
    with pytest.raises(ollama.ResponseError, match="broke off"):
        list(client.chat(model, user("Hello."), stream=True))
    assert len(vendors.of(model)) == 1


def test_an_unknown_key_is_refused(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("ollama-keyless", says({}))
    with ollama.Client(gateway.url) as client, pytest.raises(ollama.ResponseError) as raised:
        client.chat(model, user("Hello."))
    assert raised.value.status_code == 401
    assert vendors.of(model) == []


def test_the_asynchronous_client_gets_the_same(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer(
        "ollama-async", lambda r: lines(message(seen(r)[:9]), {**message(seen(r)[9:]), **END})
    )

    async def ask() -> str:
        async with ollama.AsyncClient(gateway.url, headers=key(gateway)) as client:
            parts = await client.chat(model, user(MAIL.text), stream=True)
            return "".join([part.message.content or "" async for part in parts])

    assert asyncio.run(ask()) == MAIL.text
    assert MAIL.value.encode() not in vendors.of(model)[0].body


def test_openais_client_is_served_by_the_same_backend(gateway: Gateway, vendors: Vendors) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi."}}
    model = vendors.answer("ollama-as-openai", says({"choices": [choice]}))
    with gateway.sdk() as client:
        got = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hello."}]
        )
    assert got.choices[0].message.content == "Hi."
    assert vendors.of(model)[0].path == "/v1/chat/completions"
