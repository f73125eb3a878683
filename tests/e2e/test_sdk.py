"""The official SDK through the gateway, changed only in base URL and key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

import openai
import pytest

from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway, until
from tests.e2e.upstream import USAGE, Upstream

EMAIL = BY_NAME["email"]
SECRET = BY_NAME["aws"]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "send",
            "description": "Sends a letter.",
            "parameters": {"type": "object", "properties": {"to": {"type": "string"}}},
        },
    }
]
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "saying", "schema": {"type": "object"}, "strict": True},
}


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def text_of(chunks: Iterable[openai.types.chat.ChatCompletionChunk], choice: int = 0) -> str:
    found = [c for chunk in chunks for c in chunk.choices if c.index == choice]
    return "".join(c.delta.content or "" for c in found)


def test_unary_answer_comes_back_with_originals_restored(
    gateway: Gateway, upstream: Upstream
) -> None:
    with gateway.sdk() as client:
        answer = client.chat.completions.create(
            model="up-echo-unary", messages=said(EMAIL.text), seed=7, user="u-1"
        )
    assert answer.choices[0].message.content == EMAIL.text
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == USAGE["total_tokens"]
    (request,) = upstream.of("up-echo-unary")
    assert EMAIL.value not in request.body.decode()
    assert request.json["seed"] == 7


def test_streamed_answer_comes_back_with_originals_restored(
    gateway: Gateway, upstream: Upstream
) -> None:
    with gateway.sdk() as client:
        stream = client.chat.completions.create(
            model="up-echo-stream",
            messages=said(EMAIL.text),
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    assert text_of(chunks) == EMAIL.text
    assert chunks[-1].usage is not None
    assert len(chunks) > 10
    assert EMAIL.value not in upstream.of("up-echo-stream")[0].body.decode()


def test_async_client_gets_the_same(gateway: Gateway) -> None:
    async def ask() -> tuple[str, str]:
        async with gateway.async_sdk() as client:
            whole = await client.chat.completions.create(
                model="up-echo-async", messages=said(EMAIL.text)
            )
            stream = await client.chat.completions.create(
                model="up-echo-async", messages=said(EMAIL.text), stream=True
            )
            chunks = [chunk async for chunk in stream]
        return whole.choices[0].message.content or "", text_of(chunks)

    assert asyncio.run(ask()) == (EMAIL.text, EMAIL.text)


def test_tool_arguments_are_json_with_originals_restored(
    gateway: Gateway, upstream: Upstream
) -> None:
    text = f'Mail "{EMAIL.value}" and\n{BY_NAME["phone"].text}'
    with gateway.sdk() as client:
        answer = client.chat.completions.create(
            model="up-tools-unary", messages=said(text), tools=TOOLS
        )
    (call,) = answer.choices[0].message.tool_calls or []
    assert json.loads(call.function.arguments) == {"to": text, "copies": 1}
    assert answer.choices[0].finish_reason == "tool_calls"
    assert EMAIL.value not in upstream.of("up-tools-unary")[0].body.decode()


def test_streamed_tool_arguments_are_json_with_originals_restored(gateway: Gateway) -> None:
    text = f'Mail "{EMAIL.value}" and\n{BY_NAME["phone"].text}'
    with gateway.sdk() as client:
        stream = client.chat.completions.create(
            model="up-tools-stream", messages=said(text), tools=TOOLS, stream=True
        )
        chunks = list(stream)
    calls = [c for chunk in chunks for c in chunk.choices[0].delta.tool_calls or []]
    arguments = "".join(c.function.arguments or "" for c in calls if c.function)
    assert json.loads(arguments) == {"to": text, "copies": 1}
    assert calls[0].id == "call_1"
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("form", [{"type": "json_object"}, SCHEMA], ids=["object", "schema"])
@pytest.mark.parametrize("stream", [False, True])
def test_notice_never_gets_into_json(strict: Gateway, form: dict, stream: bool) -> None:
    with strict.sdk() as client:
        answer = client.chat.completions.create(
            model="up-json", messages=said("Hello."), response_format=form, stream=stream
        )
        content = text_of(answer) if stream else answer.choices[0].message.content
    assert content == '{"said" :  "Hello.", "n":1.0 }'


@pytest.mark.parametrize("stream", [False, True])
def test_notice_stands_under_prose_where_the_policy_asks_for_it(
    strict: Gateway, stream: bool
) -> None:
    with strict.sdk() as client:
        answer = client.chat.completions.create(
            model="up-several", messages=said("Hello."), n=2, stream=stream
        )
        chunks = list(answer) if stream else []
    texts = [text_of(chunks, i) if stream else answer.choices[i].message.content for i in range(2)]
    notice = "\n\nThis text was generated by an AI system."
    assert texts == [f"0: Hello.{notice}", f"1: Hello.{notice}"]


@pytest.mark.parametrize("stream", [False, True])
def test_each_of_several_choices_is_restored(gateway: Gateway, stream: bool) -> None:
    with gateway.sdk() as client:
        answer = client.chat.completions.create(
            model="up-several", messages=said(EMAIL.text), n=2, stream=stream
        )
        chunks = list(answer) if stream else []
    for i in range(2):
        text = text_of(chunks, i) if stream else answer.choices[i].message.content
        assert text == f"{i}: {EMAIL.text}"


@pytest.mark.parametrize("stream", [False, True])
def test_card_number_that_the_model_tells_is_taken_out(gateway: Gateway, stream: bool) -> None:
    with gateway.sdk() as client:
        answer = client.chat.completions.create(
            model="up-tell", messages=said("Which card?"), stream=stream
        )
        text = text_of(answer) if stream else answer.choices[0].message.content
    assert text == "Take [CREDIT_CARD] then, it is free to use by all."


def test_models_are_listed_without_patterns(gateway: Gateway) -> None:
    with gateway.sdk() as client:
        assert [model.id for model in client.models.list()] == ["plain-name"]
        assert client.models.retrieve("plain-name").owned_by == "up"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("other-name")


def test_upstream_gets_its_own_model_name(gateway: Gateway, upstream: Upstream) -> None:
    with gateway.sdk() as client:
        client.chat.completions.create(model="plain-name", messages=said("Hello."))
    assert len(upstream.of("up-echo-renamed")) == 1


@pytest.mark.parametrize(
    ("status", "error", "calls"),
    [
        (400, openai.BadRequestError, 1),
        (401, openai.AuthenticationError, 1),
        (404, openai.NotFoundError, 1),
        (418, openai.APIStatusError, 1),
        (422, openai.UnprocessableEntityError, 1),
        (429, openai.RateLimitError, 3),
        (500, openai.InternalServerError, 3),
    ],
)
def test_upstream_errors_keep_status_body_and_retries(
    gateway: Gateway,
    upstream: Upstream,
    status: int,
    error: type[openai.APIStatusError],
    calls: int,
) -> None:
    model = f"up-status-{status}"
    with gateway.sdk() as client, pytest.raises(error) as raised:
        client.chat.completions.create(model=model, messages=said("Hello."))
    response = raised.value.response
    assert response.status_code == status
    assert response.headers["retry-after"] == "7"
    assert response.headers["x-ratelimit-limit-requests"] == "10"
    assert response.headers["x-upstream-request-id"] == "upstream-7"
    assert raised.value.code == "its_own_code"
    assert raised.value.type == "upstream_words"
    assert response.content.endswith(b' "odd": 1.5\n}')
    assert len(upstream.of(model)) == calls
    outcomes = [entry["outcome"] for entry in gateway.ends(model, calls)]
    assert outcomes == ["upstream_error"] * calls


@pytest.mark.parametrize("stream", [False, True])
def test_blocked_request_raises_once_and_never_reaches_upstream(
    gateway: Gateway, upstream: Upstream, stream: bool
) -> None:
    model = f"up-echo-blocked-{stream}"
    with gateway.sdk() as client, pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model=model, messages=said(SECRET.text), stream=stream)
    assert raised.value.code == "policy_violation"
    assert raised.value.body["gateway"]["rule"] == "secrets-out"
    assert SECRET.value not in raised.value.response.text
    assert upstream.of(model) == []
    assert gateway.closed(model)["outcome"] == "blocked"
    kinds = [entry["kind"] for entry in gateway.entries(model=model)]
    assert kinds == ["exchange.opened", "exchange.closed"]


def test_wrong_key_is_refused(gateway: Gateway, upstream: Upstream) -> None:
    for key in ("gw_no_such", gateway.key[:-1] + "~", gateway.key_id, "sk-other"):
        with (
            openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key) as client,
            pytest.raises(openai.AuthenticationError) as raised,
        ):
            client.chat.completions.create(model="up-echo-401", messages=said("Hello."))
        assert raised.value.code == "invalid_api_key"
    assert upstream.of("up-echo-401") == []


def test_unknown_model_is_not_found_and_on_record(gateway: Gateway) -> None:
    with gateway.sdk() as client, pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="no/such-model", messages=said("Hello."))
    assert raised.value.code == "model_not_found"
    exchange = raised.value.response.headers["gw-request-id"]

    def closed() -> list[dict]:
        return [e for e in gateway.entries(outcome="refused") if e["exchange_id"] == exchange]

    until(lambda: len(closed()) == 1)
    assert closed()[0]["data"]["refusal"]["code"] == "model_not_found"


def test_upstream_that_is_not_there_is_a_bad_gateway(gateway: Gateway) -> None:
    with gateway.sdk() as client, pytest.raises(openai.InternalServerError) as raised:
        client.with_options(max_retries=0).chat.completions.create(
            model="nobody-home", messages=said("Hello.")
        )
    assert raised.value.status_code == 502
    assert raised.value.code == "upstream_unreachable"


def test_every_answer_says_whose_it_is(gateway: Gateway) -> None:
    answer = gateway.post("up-echo-headers")
    blocked = gateway.post("up-echo-headers", SECRET.text)
    failed = gateway.post("up-status-400")
    nobody = gateway.ask("POST", "/v1/chat/completions", json={})
    elsewhere = gateway.ask("POST", "/v1/responses", json={})
    assert answer.headers["ai-disclosure"].startswith("mode=machine-generated, model=")
    for response in (blocked, failed, nobody, elsewhere):
        assert response.headers["ai-disclosure"] == "mode=none"
    for response in (answer, blocked, failed, nobody, elsewhere):
        assert len(response.headers["gw-request-id"]) > 20
    decisions = [r.headers["gw-decision"].split(";")[0] for r in (answer, blocked, failed)]
    assert decisions == ["allow", "block", "error"]


def test_untouched_bodies_pass_byte_for_byte(gateway: Gateway, upstream: Upstream) -> None:
    body = (
        b'{ "messages" : [{"content":"a\\u00e9 \xc3\xa9","role":"user"}],\n'
        b'"new_field":[1.0,1e2,-0],"model":"up-echo-bytes" }'
    )
    assert gateway.post_raw(body).status_code == 200
    assert upstream.of("up-echo-bytes")[0].body == body
