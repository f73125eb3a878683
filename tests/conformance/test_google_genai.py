"""Google's Python client: what it returns or raises, and how many calls were made upstream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from tests.conformance.vendors import Received, Says, Vendors, at_once, events, says
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway

SECRET = BY_NAME["aws"]
MAIL = BY_NAME["email"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
COUNTS = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
SEND = types.FunctionDeclaration(
    name="send",
    description="Sends mail.",
    parameters=types.Schema(
        type=types.Type.OBJECT, properties={"to": types.Schema(type=types.Type.STRING)}
    ),
)


class Letter(BaseModel):
    """What a structured answer holds."""

    to: str


def made(gateway: Gateway) -> genai.Client:
    options = types.HttpOptions(base_url=gateway.url)
    return genai.Client(api_key=gateway.key, vertexai=False, http_options=options)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[genai.Client]:
    with made(gateway) as opened:
        yield opened


def chunk(*parts: dict[str, Any], finish: str = "") -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": COUNTS, "modelVersion": "g-1"}


def seen(request: Received) -> str:
    """What the last message said when it came in."""
    text: str = request.json["contents"][-1]["parts"][0]["text"]
    return text


def address(request: Received) -> str:
    return seen(request).removeprefix("Write to ").removesuffix(" today.")


@pytest.mark.covers("google-genai", "unary")
def test_an_answer_gives_back_what_was_pseudonymised(
    client: genai.Client, vendors: Vendors
) -> None:
    model = vendors.answer("gemini-chat", lambda r: says(chunk({"text": seen(r)}, finish="STOP")))
    config = types.GenerateContentConfig(system_instruction="Be brief.", temperature=0.5)
    got = client.models.generate_content(model=model, contents=MAIL.text, config=config)
    assert got.text == MAIL.text
    assert got.usage_metadata is not None
    assert got.usage_metadata.total_token_count == 7
    (sent,) = vendors.of(model)
    assert MAIL.value.encode() not in sent.body
    assert sent.path == f"/v1beta/models/{model}:generateContent"
    assert sent.headers["x-goog-api-key"] == vendors.credential


def test_models_are_listed(client: genai.Client) -> None:
    names = [model.name for model in client.models.list()]
    assert "models/ollama-listed" in names
    assert client.models.get(model="ollama-listed").name == "models/ollama-listed"


@pytest.mark.covers("google-genai", "streamed")
def test_a_stream_is_restored(client: genai.Client, vendors: Vendors) -> None:
    def answer(request: Received) -> Says:
        text = seen(request)
        return events(*(chunk({"text": c}) for c in text), chunk(finish="STOP"))

    model = vendors.answer("gemini-stream", answer)
    stream = client.models.generate_content_stream(model=model, contents=MAIL.text)
    assert "".join(part.text or "" for part in stream) == MAIL.text
    (sent,) = vendors.of(model)
    assert (sent.path.rpartition(":")[2], sent.query) == ("streamGenerateContent", "alt=sse")


@pytest.mark.covers("google-genai", "tools")
@pytest.mark.parametrize("stream", [False, True])
def test_arguments_of_calls_are_restored(
    client: genai.Client, vendors: Vendors, stream: bool
) -> None:
    def answer(request: Received) -> Says:
        call = {"name": "send", "args": {"to": address(request), "n": 1}}
        value = chunk({"functionCall": call}, finish="STOP")
        return events(value) if stream else says(value)

    model = vendors.answer(f"gemini-tools-{stream}", answer)
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[SEND])])
    how: dict[str, Any] = {"model": model, "contents": MAIL.text, "config": config}
    if stream:
        (got,) = list(client.models.generate_content_stream(**how))
    else:
        got = client.models.generate_content(**how)
    (call,) = got.function_calls or ()
    assert (call.name, call.args) == ("send", {"to": MAIL.value, "n": 1})
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("google-genai", "parallel tools")
def test_calls_side_by_side_stay_two(client: genai.Client, vendors: Vendors) -> None:
    def answer(request: Received) -> Says:
        who = [address(request), "nobody"]
        parts = [{"functionCall": {"name": "send", "args": {"to": to}}} for to in who]
        return events(chunk(parts[0]), chunk(parts[1], finish="STOP"))

    model = vendors.answer("gemini-parallel", answer)
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[SEND])])
    how: dict[str, Any] = {"model": model, "contents": MAIL.text, "config": config}
    got = client.models.generate_content_stream(**how)
    assert [call.args for part in got for call in part.function_calls or ()] == [
        {"to": MAIL.value},
        {"to": "nobody"},
    ]
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("google-genai", "n=2")
def test_several_candidates_keep_their_places(client: genai.Client, vendors: Vendors) -> None:
    def answer(request: Received) -> Says:
        first, second = chunk({"text": seen(request)}), chunk({"text": "two"})
        candidates = [*first["candidates"], {**second["candidates"][0], "index": 1}]
        return says({**first, "candidates": candidates})

    model = vendors.answer("gemini-many", answer)
    config = types.GenerateContentConfig(candidate_count=2)
    got = client.models.generate_content(model=model, contents=MAIL.text, config=config)
    told = [part.text for c in got.candidates or () for part in c.content.parts or ()]  # type: ignore[union-attr]
    assert told == [MAIL.text, "two"]
    (sent,) = vendors.of(model)
    assert sent.json["generationConfig"]["candidateCount"] == 2


@pytest.mark.covers("google-genai", "structured output")
def test_structured_output_is_parsed(client: genai.Client, vendors: Vendors) -> None:
    model = vendors.answer(
        "gemini-json", lambda r: says(chunk({"text": f'{{"to": "{address(r)}"}}'}, finish="STOP"))
    )
    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_schema=Letter
    )
    got = client.models.generate_content(model=model, contents=MAIL.text, config=config)
    assert got.parsed == Letter(to=MAIL.value)
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("google-genai", "vision")
def test_images_go_on_as_they_are(client: genai.Client, vendors: Vendors) -> None:
    model = vendors.answer("gemini-vision", says(chunk({"text": "A dot."}, finish="STOP")))
    image = types.Part.from_bytes(data=PNG, mime_type="image/png")
    contents: list[Any] = ["What is it?", image]
    assert client.models.generate_content(model=model, contents=contents).text == "A dot."
    (sent,) = vendors.of(model)
    part = sent.json["contents"][0]["parts"][1]["inlineData"]
    assert set(part.values()) >= {"image/png"}
    assert part["data"].startswith("iVBORw0K")


@pytest.mark.covers("google-genai", "embeddings")
def test_embeddings_and_counts_are_of_what_left(client: genai.Client, vendors: Vendors) -> None:
    values = {"embedding": {"values": [0.5]}, "embeddings": [{"values": [0.5]}]}
    model = vendors.answer("gemini-numbers", says({**values, "totalTokens": 7}))
    got = client.models.embed_content(model=model, contents=MAIL.text)
    assert [e.values for e in got.embeddings or ()] == [[0.5]]
    assert client.models.count_tokens(model=model, contents=MAIL.text).total_tokens == 7
    assert [MAIL.value.encode() in sent.body for sent in vendors.of(model)] == [False, False]


def test_a_model_goes_on_under_its_name_there(client: genai.Client, vendors: Vendors) -> None:
    there = vendors.answer("gemini-as-it-is-called-there", says({"embeddings": [{"values": [1]}]}))
    client.models.embed_content(model="gemini-renamed", contents="Hello.")
    (sent,) = vendors.of(there)
    assert f"/models/{there}:" in sent.path
    assert b"renamed" not in sent.body


@pytest.mark.covers("google-genai", "blocked request")
def test_a_blocked_request_raises_and_goes_nowhere(client: genai.Client, vendors: Vendors) -> None:
    model = vendors.answer("gemini-blocked", says({}))
    how: dict[str, Any] = {"model": model, "contents": SECRET.text}
    for ask in (
        lambda: client.models.generate_content(**how),
        lambda: list(client.models.generate_content_stream(**how)),
        lambda: client.models.count_tokens(**how),
        lambda: client.models.embed_content(**how),
    ):
        with pytest.raises(errors.ClientError) as raised:
            ask()
        assert (raised.value.code, raised.value.status) == (400, "INVALID_ARGUMENT")
        assert "POLICY_VIOLATION" in str(raised.value)
        assert SECRET.value not in str(raised.value)
    assert vendors.of(model) == []


@pytest.mark.covers("google-genai", "block before the first byte")
def test_a_stream_blocked_before_its_first_byte_raises(blocking: Gateway, vendors: Vendors) -> None:
    said = events(chunk({"text": SECRET.text}), chunk(finish="STOP"))
    model = vendors.answer("gemini-first", at_once(said))
    with made(blocking) as client, pytest.raises(errors.ClientError) as raised:
        list(client.models.generate_content_stream(model=model, contents="Hello."))
    assert (raised.value.code, raised.value.status) == (400, "INVALID_ARGUMENT")
    assert SECRET.value not in str(raised.value)
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("google-genai", "block in mid-stream")
def test_a_stream_blocked_in_the_middle_ends_as_filtered(
    blocking: Gateway, vendors: Vendors
) -> None:
    words = [chunk({"text": "words and "}) for _ in range(100)]
    model = vendors.answer("gemini-middle", events(*words, chunk({"text": SECRET.text}), *words))
    with made(blocking) as client:
        got = list(client.models.generate_content_stream(model=model, contents="Hello."))
    text = "".join(part.text or "" for part in got)
    assert text.startswith("words and words and ")
    assert SECRET.value not in text
    (last,) = got[-1].candidates or ()
    assert last.finish_reason is types.FinishReason.PROHIBITED_CONTENT
    assert len(vendors.of(model)) == 1


def test_a_whole_answer_that_is_blocked_is_filtered(blocking: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("gemini-withheld", says(chunk({"text": SECRET.text}, finish="STOP")))
    with made(blocking) as client:
        got = client.models.generate_content(model=model, contents="Hello.")
    (candidate,) = got.candidates or ()
    assert (got.text, candidate.finish_reason) == (None, types.FinishReason.PROHIBITED_CONTENT)
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("google-genai", "errors")
def test_the_vendors_errors_are_raised_as_they_are(client: genai.Client, vendors: Vendors) -> None:
    error = {"error": {"code": 429, "message": "Too fast.", "status": "RESOURCE_EXHAUSTED"}}
    model = vendors.answer("gemini-errors", says(error, status=429))
    with pytest.raises(errors.ClientError, match="Too fast") as raised:
        client.models.generate_content(model=model, contents="Hello.")
    assert (raised.value.code, raised.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert len(vendors.of(model)) == 1
    vendors.answer(model, events(chunk({"text": "Well, "}), error))
    with pytest.raises(errors.ClientError, match="Too fast"):
        list(client.models.generate_content_stream(model=model, contents="Hello."))


def test_a_stream_that_breaks_off_raises(client: genai.Client, vendors: Vendors) -> None:
    said = events(*(chunk({"text": "words and "}) for _ in range(50)))
    model = vendors.answer("gemini-broken", Says(said.pieces, said.content_type, cut=True))
    with pytest.raises(errors.ServerError, match="broke off"):
        list(client.models.generate_content_stream(model=model, contents="Hello."))
    assert len(vendors.of(model)) == 1


def test_a_key_in_the_query_opens_the_door_and_is_written_nowhere(
    gateway: Gateway, vendors: Vendors
) -> None:
    model = vendors.answer("gemini-query", says(chunk({"text": "Hi."}, finish="STOP")))
    body = {"contents": [{"parts": [{"text": "Hello."}]}]}
    path = f"/v1beta/models/{model}:generateContent"
    query = {"key": gateway.key, "alt": "json"}
    assert gateway.ask("POST", path, json=body, params=query).status_code == 200
    assert gateway.ask("POST", path, json=body, params={"key": "gw_bad"}).status_code == 401
    (sent,) = vendors.of(model)
    assert sent.query == "alt=json"
    entry = str(gateway.closed(model))
    assert gateway.key not in entry + gateway.log
    assert "alt=json" not in entry + gateway.log


def test_vertex_paths_are_served_too(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("gemini-vertex", lambda r: says(chunk({"text": seen(r)})))
    place = "/v1beta1/projects/p-1/locations/europe-west4/publishers/google/models"
    body = {"contents": [{"role": "user", "parts": [{"text": MAIL.text}]}]}
    key = {"x-goog-api-key": gateway.key}
    got = gateway.ask("POST", f"{place}/{model}:generateContent", json=body, headers=key)
    assert got.json()["candidates"][0]["content"]["parts"][0]["text"] == MAIL.text
    assert MAIL.value.encode() not in vendors.of(model)[0].body


# Google's client derives its session from aiohttp's, which aiohttp warns of.
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
def test_the_asynchronous_client_gets_the_same(gateway: Gateway, vendors: Vendors) -> None:
    def answer(request: Received) -> Says:
        text = seen(request)
        return events(chunk({"text": text[:9]}), chunk({"text": text[9:]}, finish="STOP"))

    model = vendors.answer("gemini-async", answer)

    async def ask() -> str:
        async with made(gateway).aio as client:
            how = client.models.generate_content_stream(model=model, contents=MAIL.text)
            return "".join([part.text or "" async for part in await how])

    assert asyncio.run(ask()) == MAIL.text
    assert len(vendors.of(model)) == 1
