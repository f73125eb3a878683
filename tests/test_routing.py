from __future__ import annotations

import pytest

from gateway import backends
from gateway.routing import unsupported

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
