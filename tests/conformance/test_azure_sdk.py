"""OpenAI's Python client for Azure: deployments in the path, and refusals in Azure's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.conformance.chat import TEXT_HEAD, chunks, completion, echoed, pieces, user
from tests.conformance.rows import EMAIL, SECRET
from tests.conformance.vendors import Vendors, says
from tests.e2e.running import Gateway

VERSION = "2024-10-21"


def sdk(gateway: Gateway) -> openai.AzureOpenAI:
    return openai.AzureOpenAI(azure_endpoint=gateway.url, api_key=gateway.key, api_version=VERSION)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[openai.AzureOpenAI]:
    with sdk(gateway) as found:
        yield found


def test_a_deployment_is_asked_below_its_name(client: openai.AzureOpenAI, vendors: Vendors) -> None:
    model = vendors.answer("azure-chat", echoed)
    answer = client.chat.completions.create(model=model, messages=user(EMAIL.text))
    assert answer.choices[0].message.content == EMAIL.text
    (got,) = vendors.of(model)
    assert got.path == f"/openai/deployments/{model}/chat/completions"
    assert got.query == "api-version=2025-01-01"
    assert got.headers["api-key"] == vendors.credential
    assert EMAIL.value.encode() not in got.body


def test_another_kind_of_backend_gets_the_model_in_the_body(
    client: openai.AzureOpenAI, vendors: Vendors
) -> None:
    model = vendors.answer("openai-for-azure", completion({"content": "Hi."}))
    client.chat.completions.create(model=model, messages=user("Hi."))
    (got,) = vendors.of(model)
    assert (got.path, got.json["model"]) == ("/v1/chat/completions", model)


def test_a_rule_refuses_as_azures_filter_does(client: openai.AzureOpenAI, vendors: Vendors) -> None:
    model = vendors.answer("azure-blocked", echoed)
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model=model, messages=user(SECRET.text), stream=True)
    body: Any = raised.value.body
    assert raised.value.code == "content_filter"
    assert body["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert raised.value.response.headers["apim-request-id"]
    assert vendors.of(model) == []


def test_a_stream_may_begin_without_choices_and_end_as_filtered(
    blocking: Gateway, vendors: Vendors
) -> None:
    text = "Some harmless words come first. " * 20 + SECRET.text
    streamed = chunks(*[{"content": p} for p in pieces(text)])
    first = b'data: {"id":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}\n\n'
    model = vendors.answer(
        "azure-middle", type(streamed)([first, *streamed.pieces], streamed.content_type)
    )
    with (
        sdk(blocking) as client,
        client.chat.completions.create(model=model, messages=user("Hi."), stream=True) as stream,
    ):
        told = list(stream)
    assert told[0].choices == []
    last: Any = told[-1].choices[0]
    assert last.finish_reason == "content_filter"
    assert last.content_filter_results["custom_blocklists"]["filtered"] is True


def test_completions_and_embeddings_have_deployments_too(
    client: openai.AzureOpenAI, vendors: Vendors
) -> None:
    choice = {"index": 0, "text": "Hi.", "finish_reason": "stop"}
    model = vendors.answer("azure-text", says({**TEXT_HEAD, "choices": [choice]}))
    assert client.completions.create(model=model, prompt="x").choices[0].text == "Hi."
    data = [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAEA="}]
    model = vendors.answer("azure-embedding", says({"object": "list", "data": data}))
    assert client.embeddings.create(model=model, input="x").data[0].embedding == [1.0, 2.0]
    assert vendors.of(model)[0].path == f"/openai/deployments/{model}/embeddings"
