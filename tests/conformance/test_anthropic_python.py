"""Anthropic's Python client: what it returns or raises, and how many calls were made upstream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from pydantic import BaseModel

from tests.conformance.claude import (
    message,
    pieces,
    streamed,
    text,
    text_block,
    thinking_block,
    tool,
    tool_block,
)
from tests.conformance.vendors import Received, Says, Vendors, at_once, events, says
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway

SECRET, EMAIL = BY_NAME["aws"], BY_NAME["email"]
TOOL: Any = {"name": "find", "input_schema": {"type": "object"}}
SIGNATURE = "EqQBCkYIARgCKkDq3l8+abcd/EFGHijklMNOPqrstUVWXyz0123==" * 3
FULL: Any = {"max_tokens": 99}


@pytest.fixture
def client(gateway: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.url, api_key=gateway.key) as sdk:
        yield sdk


@pytest.fixture
def blocked(blocking: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=blocking.url, api_key=blocking.key) as sdk:
        yield sdk


def user(words: Any) -> Any:
    return [{"role": "user", "content": words}]


def echoed(got: Received) -> Says:
    """The user's words as they arrived at the vendor."""
    return message(text(got.json["messages"][-1]["content"]))


def words_of(got: anthropic.types.Message) -> str:
    return "".join(block.text for block in got.content if block.type == "text")


# --- what passes -----------------------------------------------------------------------


@pytest.mark.covers("anthropic", "unary")
def test_personal_data_stays_here_and_comes_back(
    client: anthropic.Anthropic, vendors: Vendors
) -> None:
    model = vendors.answer("anthropic-chat", echoed)
    got = client.messages.create(model=model, messages=user(EMAIL.text), **FULL)
    assert words_of(got) == EMAIL.text
    assert (got.stop_reason, got.usage.input_tokens) == ("end_turn", 7)
    (sent,) = vendors.of(model)
    assert EMAIL.value.encode() not in sent.body
    assert sent.headers["x-api-key"] == vendors.credential
    assert "authorization" not in sent.headers
    assert got._request_id not in (None, "req_upstream")


@pytest.mark.covers("anthropic", "streamed")
def test_a_streamed_text_arrives_whole(client: anthropic.Anthropic, vendors: Vendors) -> None:
    words = "A long answer, said in short pieces."
    model = vendors.answer("anthropic-stream", streamed(text_block(words)))
    with client.messages.stream(model=model, messages=user("Hi."), **FULL) as stream:
        told = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(told) == words_of(final) == words
    assert len(told) > 1
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 20)
    assert len(vendors.of(model)) == 1


def test_placeholders_come_back_in_streamed_text(
    client: anthropic.Anthropic, vendors: Vendors
) -> None:
    def answer(got: Received) -> Says:
        return streamed(text_block(got.json["messages"][-1]["content"]))

    model = vendors.answer("anthropic-restored", answer)
    with client.messages.stream(model=model, messages=user(EMAIL.text), **FULL) as stream:
        assert stream.get_final_text() == EMAIL.text
    (sent,) = vendors.of(model)
    assert EMAIL.value.encode() not in sent.body


@pytest.mark.covers("anthropic", "tools")
@pytest.mark.parametrize("stream", [False, True])
def test_placeholders_come_back_in_tool_input(
    client: anthropic.Anthropic, vendors: Vendors, stream: bool
) -> None:
    def answer(got: Received) -> Says:
        told = {"q": 'say "' + got.json["messages"][-1]["content"] + '"', "n": [1]}
        if stream:
            return streamed(tool_block(1, json.dumps(told)), stop="tool_use")
        return message(tool(1, told), stop="tool_use")

    model = vendors.answer(f"anthropic-restored-tool-{stream}", answer)
    asked: Any = {"model": model, "messages": user(EMAIL.text), "tools": [TOOL], **FULL}
    if stream:
        with client.messages.stream(**asked) as running:
            got = running.get_final_message()
    else:
        got = client.messages.create(**asked)
    (call,) = got.content
    assert call.type == "tool_use"
    assert call.input == {"q": f'say "{EMAIL.text}"', "n": [1]}
    (sent,) = vendors.of(model)
    assert EMAIL.value.encode() not in sent.body


@pytest.mark.covers("anthropic", "parallel tools")
def test_parallel_tool_calls_are_put_together(
    client: anthropic.Anthropic, vendors: Vendors
) -> None:
    told = [{"q": "one"}, {"q": "two", "deep": {"list": [1, 2.50]}}]
    blocks = [tool_block(i, json.dumps(value)) for i, value in enumerate(told)]
    model = vendors.answer(
        "anthropic-tools", streamed(text_block("I will look."), *blocks, stop="tool_use")
    )
    with client.messages.stream(
        model=model, messages=user("Find."), tools=[TOOL], **FULL
    ) as stream:
        got = stream.get_final_message()
    assert got.stop_reason == "tool_use"
    assert [b.input for b in got.content if b.type == "tool_use"] == told
    assert [b.id for b in got.content if b.type == "tool_use"] == ["toolu_0", "toolu_1"]
    assert len(vendors.of(model)) == 1


class Person(BaseModel):
    name: str
    mail: str


@pytest.mark.covers("anthropic", "structured output")
@pytest.mark.parametrize("stream", [False, True])
def test_a_parsed_answer_is_an_object(
    client: anthropic.Anthropic, vendors: Vendors, stream: bool
) -> None:
    said = '{"name": "A", "mail": "none"}'
    answer = streamed(text_block(said)) if stream else message(text(said))
    model = vendors.answer(f"anthropic-parse-{stream}", answer)
    asked: Any = {"model": model, "messages": user("Who?"), "output_format": Person, **FULL}
    if stream:
        with client.messages.stream(**asked) as running:
            parsed = running.get_final_message().parsed_output
    else:
        parsed = client.messages.parse(**asked).parsed_output
    assert parsed == Person(name="A", mail="none")
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("anthropic", "vision")
def test_pictures_and_cache_marks_go_on_as_they_are(
    client: anthropic.Anthropic, vendors: Vendors
) -> None:
    model = vendors.answer("anthropic-vision", message(text("A dot.")))
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    blocks: Any = [{"type": "image", "source": source}, {**text("What is it?"), **mark}]
    system: Any = [{**text("Be brief."), **mark}, text("Be kind.")]
    got = client.messages.create(model=model, messages=user(blocks), system=system, **FULL)
    assert words_of(got) == "A dot."
    (sent,) = vendors.of(model)
    assert sent.json["messages"][0]["content"] == blocks
    assert sent.json["system"] == system


def test_betas_arrive_with_their_fields(client: anthropic.Anthropic, vendors: Vendors) -> None:
    model = vendors.answer("anthropic-beta", message(text("Yes.")))
    edits: Any = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    betas = ["context-management-2025-06-27", "context-1m-2025-08-07"]
    client.beta.messages.create(
        model=model, messages=user("Hi."), betas=betas, context_management=edits, **FULL
    )
    (sent,) = vendors.of(model)
    assert sent.path == "/v1/messages"
    assert sent.headers["anthropic-beta"] == ",".join(betas)
    assert sent.headers["anthropic-version"] == client.default_headers["anthropic-version"]
    assert sent.json["context_management"] == edits


def test_the_switch_for_betas_goes_on(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("anthropic-switch", message(text("Yes.")))
    body = {"model": model, "messages": user("Hi."), **FULL}
    heads = {"x-api-key": gateway.key}
    path = "/v1/messages?beta=true"
    assert gateway.ask("POST", path, json=body, headers=heads).status_code == 200
    assert vendors.of(model)[0].query == "beta=true"


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_is_not_touched(
    client: anthropic.Anthropic, vendors: Vendors, stream: bool
) -> None:
    words = "First I think, at some length, of nothing personal."
    block = {"type": "thinking", "thinking": words, "signature": SIGNATURE}
    model = f"anthropic-thinking-{stream}"
    if stream:
        vendors.answer(model, streamed(thinking_block(words, SIGNATURE), text_block("So.")))
        with client.messages.stream(model=model, messages=user("Hi."), **FULL) as running:
            got = running.get_final_message()
    else:
        vendors.answer(model, message(block, text("So.")))
        got = client.messages.create(model=model, messages=user("Hi."), **FULL)
    assert got.content[0].to_dict() == block
    vendors.answer(model, message(text("Yes.")))
    turn: Any = [*user("Hi."), got.to_param(), *user("And?")]
    client.messages.create(model=model, messages=turn, **FULL)
    assert vendors.of(model)[0].json["messages"][1]["content"][0] == block


def test_tokens_are_counted_of_what_would_be_sent(
    client: anthropic.Anthropic, vendors: Vendors
) -> None:
    model = vendors.answer("anthropic-count", says({"input_tokens": 42}))
    assert client.messages.count_tokens(model=model, messages=user(EMAIL.text)).input_tokens == 42
    (sent,) = vendors.of(model)
    assert sent.path == "/v1/messages/count_tokens"
    assert EMAIL.value.encode() not in sent.body


# --- what is stopped -------------------------------------------------------------------


@pytest.mark.covers("anthropic", "blocked request")
@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_request_raises_and_is_not_sent(
    client: anthropic.Anthropic, vendors: Vendors, stream: bool
) -> None:
    model = vendors.answer(f"anthropic-blocked-{stream}", message(text("No.")))
    with pytest.raises(anthropic.BadRequestError) as raised:
        client.messages.create(model=model, messages=user(SECRET.text), stream=stream, **FULL)
    error = raised.value
    assert SECRET.value not in str(error.body)
    assert error.body["error"]["gateway"]["rule"]  # type: ignore[index]
    assert error.request_id == error.body["request_id"]  # type: ignore[index]
    assert vendors.of(model) == []


def test_a_blocked_count_raises(client: anthropic.Anthropic, vendors: Vendors) -> None:
    model = vendors.answer("anthropic-count-blocked", says({"input_tokens": 42}))
    with pytest.raises(anthropic.BadRequestError):
        client.messages.count_tokens(model=model, messages=user(SECRET.text))
    assert vendors.of(model) == []


def test_a_blocked_answer_is_a_refusal(blocked: anthropic.Anthropic, vendors: Vendors) -> None:
    model = vendors.answer("anthropic-answer-blocked", message(text(SECRET.text)))
    got = blocked.messages.create(model=model, messages=user("Hi."), **FULL)
    assert (got.stop_reason, got.content, got.usage.input_tokens) == ("refusal", [], 7)
    assert got.stop_details is not None
    assert got.stop_details.explanation
    assert SECRET.value not in got.to_json()
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("anthropic", "block in mid-stream")
def test_a_stream_blocked_in_the_middle_is_a_refusal(
    blocked: anthropic.Anthropic, vendors: Vendors
) -> None:
    words = "Some harmless words come first. " * 20 + SECRET.text + " And more." * 20
    model = vendors.answer("anthropic-middle", streamed(text_block(words)))
    with blocked.messages.stream(model=model, messages=user("Hi."), **FULL) as stream:
        told = "".join(stream.text_stream)
        got = stream.get_final_message()
    assert told.startswith("Some harmless words")
    assert SECRET.value not in told
    assert (got.stop_reason, words_of(got)) == ("refusal", told)
    assert len(vendors.of(model)) == 1


def test_a_tool_call_that_is_blocked_is_never_seen(
    blocked: anthropic.Anthropic, vendors: Vendors
) -> None:
    first = text_block("Some harmless words come first. " * 20)
    call = tool_block(1, json.dumps({"q": "harmless " * 40 + SECRET.text}))
    model = vendors.answer("anthropic-middle-tool", streamed(first, call, stop="tool_use"))
    with blocked.messages.stream(model=model, messages=user("Hi."), tools=[TOOL], **FULL) as stream:
        got = stream.get_final_message()
    assert got.stop_reason == "refusal"
    assert [block.type for block in got.content] == ["text"]
    assert len(vendors.of(model)) == 1


@pytest.mark.covers("anthropic", "block before the first byte")
def test_a_stream_blocked_before_its_first_byte_raises(
    blocked: anthropic.Anthropic, vendors: Vendors
) -> None:
    model = vendors.answer("anthropic-first", at_once(streamed(text_block(SECRET.text))))
    with pytest.raises(anthropic.BadRequestError) as raised:
        blocked.messages.create(model=model, messages=user("Hi."), stream=True, **FULL)
    assert SECRET.value not in str(raised.value.body)
    assert len(vendors.of(model)) == 1


# --- what fails ------------------------------------------------------------------------

ERRORS = [
    (400, "invalid_request_error", anthropic.BadRequestError),
    (401, "authentication_error", anthropic.AuthenticationError),
    (403, "permission_error", anthropic.PermissionDeniedError),
    (404, "not_found_error", anthropic.NotFoundError),
    (413, "request_too_large", anthropic.APIStatusError),
    (429, "rate_limit_error", anthropic.RateLimitError),
    (529, "overloaded_error", anthropic.InternalServerError),
]


@pytest.mark.covers("anthropic", "errors")
@pytest.mark.parametrize(("status", "kind", "raises"), ERRORS)
def test_an_upstreams_error_is_the_sdks_own(
    client: anthropic.Anthropic, vendors: Vendors, status: int, kind: str, raises: Any
) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "No."}, "request_id": "req_1"}
    heads = {"x-should-retry": "false", "retry-after": "7", "request-id": "req_1"}
    model = vendors.answer(f"anthropic-error-{status}", says(body, status, **heads))
    with pytest.raises(raises) as raised:
        client.messages.create(model=model, messages=user("Hi."), **FULL)
    assert raised.value.body == body
    assert raised.value.response.headers["retry-after"] == "7"
    assert raised.value.request_id not in (None, "req_1")
    assert len(vendors.of(model)) == 1


def test_an_error_in_the_stream_is_raised_and_not_retried(
    client: anthropic.Anthropic, vendors: Vendors
) -> None:
    begun = streamed(text_block("Some words. " * 20)).pieces[:20]
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Later."}}
    told = [*begun, *events(error, named=True).pieces]
    model = vendors.answer("anthropic-late-error", Says(told, "text/event-stream"))
    with (
        pytest.raises(anthropic.APIStatusError) as raised,
        client.messages.stream(model=model, messages=user("Hi."), **FULL) as stream,
    ):
        stream.until_done()
    assert raised.value.body["error"]["type"] == "overloaded_error"  # type: ignore[index]
    assert len(vendors.of(model)) == 1


def test_a_stream_that_breaks_off_raises(client: anthropic.Anthropic, vendors: Vendors) -> None:
    begun = streamed(text_block("Some words. " * 20)).pieces[:20]
    model = vendors.answer("anthropic-cut", Says(begun, "text/event-stream", cut=True))
    with (
        pytest.raises(anthropic.APIStatusError) as raised,
        client.messages.stream(model=model, messages=user("Hi."), **FULL) as stream,
    ):
        stream.until_done()
    assert raised.value.body["error"]["type"] == "api_error"  # type: ignore[index]
    assert len(vendors.of(model)) == 1


def test_a_model_that_is_not_there_is_not_found(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="nobodys-model", messages=user("Hi."), **FULL)


def test_models_are_listed_as_the_client_reads_them(
    client: anthropic.Anthropic,
) -> None:
    listed = [(model.type, model.id) for model in client.models.list()]
    assert ("model", "ollama-listed") in listed
    assert client.models.retrieve("ollama-listed").id == "ollama-listed"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nobodys-model")


def test_a_key_that_is_unknown_is_told_so(gateway: Gateway) -> None:
    with (
        anthropic.Anthropic(base_url=gateway.url, api_key="gw_no") as sdk,
        pytest.raises(anthropic.AuthenticationError) as raised,
    ):
        sdk.messages.create(model="anthropic-x", messages=user("Hi."), **FULL)
    assert raised.value.request_id


def test_long_answers_arrive_piece_by_piece(client: anthropic.Anthropic, vendors: Vendors) -> None:
    words = "Words and more words, one after the other. " * 40
    model = vendors.answer("anthropic-long", streamed(text_block(words)))
    with client.messages.stream(model=model, messages=user("Hi."), **FULL) as stream:
        told = list(stream.text_stream)
    assert "".join(told) == words
    assert len(told) > len(pieces(words)) // 2
