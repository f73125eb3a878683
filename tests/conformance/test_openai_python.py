"""OpenAI's Python client: what it returns or raises, and how many calls were made upstream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.conformance.chat import (
    TEXT_HEAD,
    calls,
    chunks,
    completion,
    echoed,
    pieces,
    spoken,
    user,
)
from tests.conformance.rows import EMAIL, SECRET, Heard, Row, heard_in
from tests.conformance.vendors import Received, Says, Vendors, events, says
from tests.e2e.running import Gateway

TOOL: Any = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with gateway.sdk() as sdk:
        yield sdk


@pytest.fixture
def blocked(blocking: Gateway) -> Iterator[openai.OpenAI]:
    with blocking.sdk() as sdk:
        yield sdk


def ask(client: openai.OpenAI, row: Row, model: str) -> Heard:
    if row.way == "embed":
        return heard_in(client.embeddings.create(model=model, input=row.content).to_dict())
    asked: Any = {"model": model, "messages": user(row.content), **row.asked}
    if row.way == "stream":
        with client.chat.completions.stream(**asked) as stream:
            return heard_in(stream.get_final_completion().to_dict())
    if row.way == "parse":
        (choice,) = client.chat.completions.parse(**{**asked, "response_format": Find}).choices
        assert choice.message.parsed is not None
        said = choice.message.content or ""
        return Heard((said,), parsed=choice.message.parsed.model_dump())
    return heard_in(client.chat.completions.create(**asked).to_dict())


@pytest.mark.covers(
    "openai (Python)",
    "unary",
    "streamed",
    "tools",
    "parallel tools",
    "structured output",
    "n=2",
    "vision",
    "embeddings",
    "errors",
    "blocked request",
    "block before the first byte",
)
def test_the_client_gets_what_the_row_says(
    row: Row, gateway: Gateway, blocking: Gateway, vendors: Vendors
) -> None:
    model = vendors.answer(row.model("openai-python"), row.answer)
    door = blocking if row.blocking else gateway
    try:
        with door.sdk() as client:
            heard = ask(client, row, model)
    except openai.APIStatusError as error:
        heard = Heard(raised=(type(error).__name__, error.status_code))
    row.holds(heard, door, vendors, model)


def test_personal_data_stays_here_and_comes_back(client: openai.OpenAI, vendors: Vendors) -> None:
    model = vendors.answer("openai-chat", echoed)
    answer = client.chat.completions.create(model=model, messages=user(EMAIL.text))
    assert answer.choices[0].message.content == EMAIL.text
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2
    (got,) = vendors.of(model)
    assert EMAIL.value.encode() not in got.body


def test_a_streamed_text_arrives_whole(client: openai.OpenAI, vendors: Vendors) -> None:
    text = "A long answer, said in short pieces."
    model = vendors.answer("openai-chat-stream", spoken(text))
    with client.chat.completions.create(model=model, messages=user("Hi."), stream=True) as stream:
        said = [c.choices[0].delta.content or "" for c in stream]
    assert "".join(said) == text
    assert len(vendors.of(model)) == 1


def test_tool_calls_are_whole_json(client: openai.OpenAI, vendors: Vendors) -> None:
    told = [{"q": "one"}, {"q": "two"}]
    answer = {"tool_calls": calls(*map(json.dumps, told))}
    model = vendors.answer("openai-tools", completion(answer, finish="tool_calls"))
    got = client.chat.completions.create(model=model, messages=user("Find."), tools=[TOOL])
    found = got.choices[0].message.tool_calls or []
    assert [json.loads(c.function.arguments) for c in found if c.type == "function"] == told


def test_streamed_parallel_tool_calls_are_put_together(
    client: openai.OpenAI, vendors: Vendors
) -> None:
    deltas: list[dict[str, Any]] = [{"tool_calls": calls("", "")}]
    for part in pieces('{"q":"one"}', 4):
        deltas += [{"tool_calls": [{"index": i, "function": {"arguments": part}}]} for i in (0, 1)]
    model = vendors.answer("openai-tools-stream", chunks(*deltas, finish="tool_calls"))
    with client.chat.completions.stream(
        model=model, messages=user("Find."), tools=[TOOL]
    ) as stream:
        message = stream.get_final_completion().choices[0].message
    assert [c.function.arguments for c in message.tool_calls or []] == ['{"q":"one"}'] * 2


class Find(BaseModel):
    q: str


class Person(BaseModel):
    name: str
    mail: str


def test_a_parsed_answer_is_an_object(client: openai.OpenAI, vendors: Vendors) -> None:
    model = vendors.answer("openai-parse", completion({"content": '{"name":"A","mail":"none"}'}))
    got = client.chat.completions.parse(model=model, messages=user("Who?"), response_format=Person)
    assert got.choices[0].message.parsed == Person(name="A", mail="none")


def test_a_parsed_answer_that_is_blocked_says_it_was_filtered(
    blocked: openai.OpenAI, vendors: Vendors
) -> None:
    said = json.dumps({"name": "A", "mail": SECRET.value})
    model = vendors.answer("openai-parse-blocked", completion({"content": said}))
    with pytest.raises(openai.ContentFilterFinishReasonError):
        blocked.chat.completions.parse(model=model, messages=user("Who?"), response_format=Person)
    assert len(vendors.of(model)) == 1


def test_several_choices_keep_their_places(client: openai.OpenAI, vendors: Vendors) -> None:
    model = vendors.answer("openai-many", completion({"content": "one"}, {"content": "two"}))
    got = client.chat.completions.create(model=model, messages=user("Say."), n=2)
    assert [c.message.content for c in got.choices] == ["one", "two"]


def test_pictures_go_on_as_they_are(client: openai.OpenAI, vendors: Vendors) -> None:
    model = vendors.answer("openai-vision", completion({"content": "A dot."}))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    parts: Any = [{"type": "text", "text": "What is it?"}, picture]
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": parts}])
    assert vendors.of(model)[0].json["messages"][0]["content"] == parts


def test_an_upstreams_error_is_the_sdks_own(client: openai.OpenAI, vendors: Vendors) -> None:
    error = {"message": "Slow down.", "type": "rate_limit_error", "param": None, "code": "slow"}
    told = says({"error": error}, 429, **{"x-should-retry": "false"})
    model = vendors.answer("openai-error", told)
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(model=model, messages=user("Hi."))
    assert raised.value.code == "slow"
    assert len(vendors.of(model)) == 1


def test_a_model_that_is_not_there_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="nobodys-model", messages=user("Hi."))
    assert raised.value.param == "model"


def test_a_blocked_stream_raises_before_it_begins(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("openai-blocked-stream", events(done=True))
    with gateway.sdk() as client, pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(
            model=model, stream=True, messages=[{"role": "user", "content": SECRET.text}]
        )
    assert raised.value.code == "policy_violation"
    assert SECRET.value not in str(raised.value.body)
    assert vendors.of(model) == []


@pytest.mark.covers("openai (Python)", "block in mid-stream")
def test_a_stream_blocked_in_the_middle_ends_as_filtered(
    blocked: openai.OpenAI, vendors: Vendors
) -> None:
    text = "Some harmless words come first. " * 20 + SECRET.text + " And more." * 20
    model = vendors.answer("openai-middle", spoken(text))
    with blocked.chat.completions.create(model=model, messages=user("Hi."), stream=True) as stream:
        told = [(c.choices[0].delta.content or "", c.choices[0].finish_reason) for c in stream]
    said = "".join(piece for piece, _ in told)
    assert said.startswith("Some harmless words")
    assert SECRET.value not in said
    assert [finish for _, finish in told if finish] == ["content_filter"]
    assert len(vendors.of(model)) == 1


def test_a_parsed_stream_blocked_in_the_middle_raises(
    blocked: openai.OpenAI, vendors: Vendors
) -> None:
    text = json.dumps({"name": "harmless words " * 40, "mail": SECRET.value})
    deltas = [{"content": p} for p in pieces(text)]
    model = vendors.answer("openai-middle-parse", chunks(*deltas))
    with (
        pytest.raises(openai.ContentFilterFinishReasonError),
        blocked.chat.completions.stream(
            model=model, messages=user("Who?"), response_format=Person
        ) as stream,
    ):
        stream.get_final_completion()


def test_completions_return_text(client: openai.OpenAI, vendors: Vendors) -> None:
    def echo(got: Received) -> Says:
        choice = {"index": 0, "text": got.json["prompt"], "finish_reason": "stop"}
        return says({**TEXT_HEAD, "choices": [choice]})

    model = vendors.answer("openai-text", echo)
    got = client.completions.create(model=model, prompt=EMAIL.text)
    assert got.choices[0].text == EMAIL.text
    assert EMAIL.value.encode() not in vendors.of(model)[0].body


def test_streamed_completions_stop_before_a_secret(
    blocked: openai.OpenAI, vendors: Vendors
) -> None:
    text = "Some harmless words come first. " * 20 + SECRET.text
    values = [{**TEXT_HEAD, "choices": [{"index": 0, "text": p}]} for p in pieces(text)]
    model = vendors.answer("openai-text-stream", events(*values, done=True))
    with blocked.completions.create(model=model, prompt="Hi.", stream=True) as stream:
        told = [(c.choices[0].text, c.choices[0].finish_reason) for c in stream]
    assert SECRET.value not in "".join(text for text, _ in told)
    assert told[-1] == ("", "content_filter")


def test_embeddings_are_numbers(client: openai.OpenAI, vendors: Vendors) -> None:
    data = [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAEA="}]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    told = {"object": "list", "data": data, "model": "m", "usage": usage}
    model = vendors.answer("openai-embedding", says(told))
    got = client.embeddings.create(model=model, input=["one", EMAIL.text])
    assert got.data[0].embedding == [1.0, 2.0]
    assert EMAIL.value.encode() not in vendors.of(model)[0].body


def test_a_blocked_embedding_raises(client: openai.OpenAI, vendors: Vendors) -> None:
    model = vendors.answer("openai-embedding-blocked", says({}))
    with pytest.raises(openai.BadRequestError) as raised:
        client.embeddings.create(model=model, input=SECRET.text)
    assert raised.value.param == "input"
    assert vendors.of(model) == []


def test_moderations_say_what_the_vendor_said(client: openai.OpenAI, vendors: Vendors) -> None:
    result = {"flagged": True, "categories": {"violence": True}, "category_scores": {}}
    told = {"id": "modr-1", "model": "m", "results": [result]}
    model = vendors.answer("openai-moderation", says(told))
    got = client.moderations.create(model=model, input=[{"type": "text", "text": "x"}])
    assert got.results[0].flagged
    assert len(vendors.of(model)) == 1


def test_a_picture_is_drawn_from_a_judged_prompt(client: openai.OpenAI, vendors: Vendors) -> None:
    told = {"created": 1, "data": [{"b64_json": "iVBORw0KGgo=", "revised_prompt": "A hat."}]}
    model = vendors.answer("openai-image", says(told))
    got = client.images.generate(model=model, prompt=EMAIL.text)
    assert [(i.b64_json, i.revised_prompt) for i in got.data or []] == [("iVBORw0KGgo=", "A hat.")]
    assert EMAIL.value.encode() not in vendors.of(model)[0].body


PNG = b"\x89PNG\r\n\x1a\n\r\n--\r\n"


def test_pictures_to_edit_arrive_byte_for_byte(client: openai.OpenAI, vendors: Vendors) -> None:
    model = vendors.answer("openai-image-edit", says({"created": 1, "data": []}))
    client.images.edit(
        model=model, prompt=EMAIL.text, image=[("a.png", PNG, "image/png"), ("b.png", PNG)]
    )
    (got,) = vendors.of(model)
    assert (got.path, got.body.count(PNG)) == ("/v1/images/edits", 2)
    assert EMAIL.value.encode() not in got.body


def test_streamed_pictures_are_events(client: openai.OpenAI, vendors: Vendors) -> None:
    partial = {"type": "image_generation.partial_image", "b64_json": "iVBO"}
    done = {"type": "image_generation.completed", "b64_json": "iVBORw0KGgo="}
    model = vendors.answer("openai-image-stream", events(partial, done, named=True))
    with client.images.generate(model=model, prompt="A hat.", stream=True) as stream:
        assert [event.type for event in stream] == [partial["type"], done["type"]]


def test_a_blocked_picture_raises(client: openai.OpenAI, vendors: Vendors) -> None:
    model = vendors.answer("openai-image-blocked", says({}))
    with pytest.raises(openai.BadRequestError) as raised:
        client.images.generate(model=model, prompt=SECRET.text)
    assert raised.value.param == "prompt"
    assert vendors.of(model) == []


def test_speech_is_sound(client: openai.OpenAI, vendors: Vendors) -> None:
    sound = b"ID3\x04" + bytes(range(256)) * 40
    model = vendors.answer("openai-speech", Says([sound[:100], sound[100:]], "audio/mpeg"))
    assert client.audio.speech.create(model=model, voice="alloy", input=EMAIL.text).read() == sound
    assert EMAIL.value not in vendors.of(model)[0].json["input"]


def test_speech_that_breaks_off_raises(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("openai-speech-cut", Says([b"ID3\x04" * 99], "audio/mpeg", cut=True))
    with (
        gateway.sdk() as client,
        pytest.raises(Exception, match="incomplete"),
        client.audio.speech.with_streaming_response.create(
            model=model, voice="alloy", input="Hi."
        ) as response,
    ):
        response.read()


def test_a_transcript_comes_back(client: openai.OpenAI, vendors: Vendors) -> None:
    model = vendors.answer("openai-transcript", says({"text": "Hello."}))
    got = client.audio.transcriptions.create(
        model=model,
        file=("a.wav", PNG),
        prompt=EMAIL.text,
        timestamp_granularities=["word"],
    )
    assert got.text == "Hello."
    (sent,) = vendors.of(model)
    assert PNG in sent.body
    assert EMAIL.value.encode() not in sent.body


def test_a_plain_transcript_is_a_text(client: openai.OpenAI, vendors: Vendors) -> None:
    model = vendors.answer("openai-transcript-text", Says([b"Hello.\n"], "text/plain"))
    got = client.audio.transcriptions.create(model=model, file=("a", PNG), response_format="text")
    assert got == "Hello.\n"
    assert vendors.of(model)[0].path == "/v1/audio/transcriptions"


def test_a_streamed_transcript_adds_up(client: openai.OpenAI, vendors: Vendors) -> None:
    text = "Some words that were said."
    deltas = [{"type": "transcript.text.delta", "delta": p} for p in pieces(text)]
    done = {"type": "transcript.text.done", "text": text}
    model = vendors.answer("openai-transcript-stream", events(*deltas, done))
    with client.audio.transcriptions.create(model=model, file=("a", PNG), stream=True) as stream:
        told = list(stream)
    assert "".join(e.delta for e in told if e.type == "transcript.text.delta") == text
    assert told[-1].type == "transcript.text.done"
