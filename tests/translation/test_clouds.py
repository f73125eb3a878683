"""Vendors that only litellm knows, and Vertex AI, behind the real gateway."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.vendors import Vendors
from tests.e2e.running import Gateway
from tests.translation.clients import hear
from tests.translation.clouds import CLOUDS
from tests.translation.wires import EMAIL

CATALOGUE = """
apiVersion: gateway/v1
kind: Catalogue
backends:
  - name: cohere
    kind: litellm
    url: "{url}/v2/chat"
    credential: env:E2E_CREDENTIAL
    settings: {{provider: cohere}}
  - name: mistral
    kind: litellm
    url: "{url}/v1"
    credential: env:E2E_CREDENTIAL
    settings: {{provider: mistral}}
  - name: bedrock
    kind: litellm
    url: "{url}"
    settings:
      provider: bedrock
      aws_region_name: eu-central-1
      aws_access_key_id: of-the-test
      aws_secret_access_key: env:E2E_CREDENTIAL
  - name: vertex
    kind: gemini
    url: "{url}"
    credential: env:E2E_CREDENTIAL
    settings: {{project: p-1, location: europe-west4}}
models:
  - {{name: command-said, backend: cohere}}
  - {{name: mistral-said, backend: mistral}}
  - {{name: amazon.nova-lite-v1:0, backend: bedrock}}
  - {{name: gemini-said, backend: vertex}}
"""
POST = {
    "type": "function",
    "function": {
        "name": "post",
        "parameters": {"type": "object", "properties": {"to": {"type": "string"}}},
    },
}
# Where each shows who it is, and how.
SHOWN = {
    "command-said": ("authorization", "Bearer {credential}"),
    "mistral-said": ("authorization", "Bearer {credential}"),
    "amazon.nova-lite-v1:0": ("authorization", "AWS4-HMAC-SHA256 Credential=of-the-test/"),
    "gemini-said": ("authorization", "Bearer {credential}"),
}
PLACES = {
    "command-said": ("/v2/chat", "/v2/chat"),
    "mistral-said": ("/v1/chat/completions", "/v1/chat/completions"),
    "amazon.nova-lite-v1:0": (
        "/model/amazon.nova-lite-v1:0/converse",
        "/model/amazon.nova-lite-v1:0/converse-stream",
    ),
    "gemini-said": (":generateContent", ":streamGenerateContent"),
}


@pytest.fixture(scope="module")
def gateway(
    vendors: Vendors, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Gateway]:
    template: Path = request.getfixturevalue("_sqlite_template")
    folder = tmp_path_factory.mktemp("clouds")
    running = Gateway(
        folder,
        vendors,
        database_url=f"sqlite:///{shutil.copy(template, folder / 'gateway.db')}",
        catalogue=CATALOGUE,
    )
    try:
        running.start()
        yield running
    finally:
        running.close()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", CLOUDS)
def test_what_goes_out_is_judged_and_what_comes_back_is_restored(
    gateway: Gateway, vendors: Vendors, model: str, stream: bool
) -> None:
    vendors.answer(model, CLOUDS[model])
    more = {"stream_options": {"include_usage": True}} if stream else {}
    for tools, text, calls, finish in (
        ({}, f"Write to {EMAIL}.", [], "stop"),
        ({"tools": [POST]}, "", [("post", {"to": EMAIL})], "tool_calls"),
    ):
        answer = gateway.post(model, f"Mail {EMAIL}.", stream=stream, **more, **tools)
        assert answer.status_code == 200, answer.text
        heard = hear("openai_chat", answer.content, stream=stream)
        assert (heard.text, heard.tools) == (text, calls)
        assert (heard.finish, heard.usage) == (finish, (11, 7))
    name, value = SHOWN[model]
    for received in vendors.of(model):
        assert EMAIL.encode() not in received.body
        assert received.path.endswith(PLACES[model][stream])
        assert received.headers[name].startswith(value.format(credential=vendors.credential))
        assert received.headers["user-agent"] == "responsible-use-gateway"
    assert len(vendors.of(model)) == 2
