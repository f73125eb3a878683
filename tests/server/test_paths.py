"""Which dialect serves a path, however it is spelt."""

from __future__ import annotations

import json

import pytest

from gateway import dialects
from gateway.core.errors import ConfigError
from gateway.core.judgement import Refusal
from gateway.server.paths import SOCKET, Table, normal

ALL = dialects.load()
TABLE = Table(ALL.values())
SERVED = [
    ("/v1/chat/completions", "openai_chat"),
    ("/v1/chat/completions/", "openai_chat"),
    ("//V1//Chat/completions", "openai_chat"),
    ("/chat/completions", "openai_chat"),
    ("/openai/v1/chat/completions", "openai_chat"),
    ("/v1/messages", "anthropic_messages"),
    ("/v1/v1/messages", "anthropic_messages"),
    ("/V1/Messages/", "anthropic_messages"),
    ("/api/chat", "ollama_chat"),
    ("/pass/up/v1/rerank", "passthrough"),
]
NOT_SERVED = [
    "/",
    "/v1",
    "/v1/chat",
    "/v1/v1/v1/messages",
    "/v1/v1",
    "/v1/chat/completions/x",
    "/v1/./chat/completions",
    "/v1/x/../chat/completions",
    "/v1/%63hat/completions",
    "/v1/chat/completions;a=b",
    "/v1/chat/completions\u200b",
    "/pass/up",
]


@pytest.mark.parametrize(("path", "name"), SERVED)
def test_every_spelling_of_a_path_goes_to_its_dialect(path: str, name: str) -> None:
    match = TABLE.find("POST", normal(path))
    assert match is not None
    assert match.dialect.name == name


@pytest.mark.parametrize("path", NOT_SERVED)
def test_what_is_not_known_is_not_served(path: str) -> None:
    assert TABLE.find("POST", normal(path)) is None


def test_parameters_keep_the_clients_spelling() -> None:
    match = TABLE.find("GET", "/PASS/Up/Models/Qwen-3:b")
    assert match is not None
    assert match.params == {"upstream": "Up", "path": "Models/Qwen-3:b"}


def test_a_path_that_is_served_by_another_method_is_told_apart() -> None:
    assert TABLE.methods("/v1/chat/completions") == ["POST"]
    assert TABLE.methods("/v1/responses/resp_1") == ["DELETE", "GET"]
    assert TABLE.methods("/v1/realtime") == [SOCKET]
    assert TABLE.methods("/v1/nothing") == []
    assert TABLE.find("PUT", "/v1/chat/completions") is None


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/v1/nothing", '"param"'),
        ("/v1/messages/x", '"request_id"'),
        ("/api/nothing", '"error": "'),
    ],
)
def test_an_unknown_path_is_refused_in_the_words_of_its_neighbours(path: str, word: str) -> None:
    reply = TABLE.nearest(path).refuse(Refusal("unknown_path", "No.", 404), "id-1")
    assert word in json.dumps(json.loads(reply.body))


def test_two_dialects_cannot_serve_one_path() -> None:
    with pytest.raises(ConfigError, match="both serve"):
        Table([ALL["openai_chat"], ALL["openai_chat"]])
