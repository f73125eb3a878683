from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from gateway import backends
from gateway.backends._vendors import DIRECT
from gateway.core.apis import BackendOptions
from gateway.core.errors import ConfigError

OPTIONS = BackendOptions(
    url="http://127.0.0.1:9", credential="secret-1", settings={"provider": "openai"}
)


def test_a_kind_that_is_not_there_is_an_error_that_lists_what_is() -> None:
    with pytest.raises(ConfigError, match=r"unknown kind 'opnai'.*echo, .*openai"):
        backends.build("opnai", BackendOptions())


@pytest.mark.parametrize("kind", backends.kinds())
def test_every_kind_has_the_ports_methods_and_opens_nothing_when_built(kind: str) -> None:
    settings = {} if kind in ("azure", "service") else OPTIONS.settings
    backend = backends.build(kind, replace(OPTIONS, settings=settings))
    assert inspect.iscoroutinefunction(backend.send)
    assert inspect.iscoroutinefunction(backend.aclose)


SPOKEN = {
    "openai": "openai_chat openai_embeddings",
    "ollama": "ollama_chat ollama_embed openai_chat openai_completions openai_embeddings",
}


@pytest.mark.parametrize("kind", SPOKEN)
def test_a_kind_takes_its_own_dialects_and_no_other(kind: str) -> None:
    backend = backends.build(kind, OPTIONS)
    assert all(backend.speaks(dialect) for dialect in SPOKEN[kind].split())
    assert not backend.speaks("gemini_embed")
    assert backend.speaks("ollama_embed") is (kind == "ollama")


@pytest.mark.parametrize("kind", DIRECT)
def test_what_speaks_chat_completions_is_translated_for_without_litellm(kind: str) -> None:
    backend = backends.build(kind, replace(OPTIONS, settings={}))
    assert backend.speaks("anthropic_messages")


def test_options_never_show_their_credential() -> None:
    assert "secret-1" not in repr(BackendOptions(credential="secret-1"))
