from __future__ import annotations

from dataclasses import replace

import pytest

from gateway import backends
from gateway.catalogue import Catalogue, Upstream
from gateway.clock import SystemClock
from gateway.core.apis import BackendOptions
from gateway.core.ports import Counters
from gateway.routing import Router, unsupported

without_litellm = pytest.mark.skipif(backends.translates(), reason="litellm is installed here")


@without_litellm
@pytest.mark.parametrize(
    ("kind", "dialect", "could"),
    [
        ("anthropic", "openai_chat", True),
        ("gemini", "ollama_chat", True),
        ("anthropic", "openai_embeddings", False),
        ("ollama", "anthropic_count_tokens", False),
    ],
)
def test_only_what_could_be_translated_is_said_to_need_litellm(
    kind: str, dialect: str, could: bool
) -> None:
    words = unsupported(kind, dialect).message
    assert f"'{kind}'" in words
    assert (backends.INSTALL in words) is could


def test_an_entry_that_changes_gets_a_backend_of_its_own() -> None:
    router = Router(Catalogue({}, []), SystemClock(), Counters())
    entry = Upstream("b", "openai", BackendOptions(url="http://a/v1"), "p", "hosted", "eu")
    moved = replace(entry, options=BackendOptions(url="http://b/v1"))
    first, same = router.backend(entry), router.backend(replace(entry))
    assert same is first
    assert router.backend(moved) is not first
    assert router.backend(entry) is first
