"""Headers to Anthropic: its own for the key and the version, betas only in their form."""

from __future__ import annotations

import pytest

from gateway import backends
from gateway.core.apis import Answer, Backend, BackendOptions
from gateway.core.calls import Outgoing
from tests.backends.test_openai import OK, Upstream, against

MANY = ",".join(["claude-code-20250219"] * 40)


def head_of(**headers: str) -> list[str]:
    """What the upstream gets of these headers."""
    upstream = Upstream(OK)
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def use(backend: Backend) -> Answer:
        call = Outgoing(b"{}", "anthropic_messages", "/v1/messages?beta=true", headers=named)
        return await backend.send(call)

    against(upstream, use, kind="anthropic", credential="sk-ant-1")
    (head,) = upstream.heads
    return head


def test_the_key_goes_where_the_api_looks_for_it() -> None:
    head = head_of()
    assert head[0] == "POST /v1/messages?beta=true HTTP/1.1"
    assert "x-api-key: sk-ant-1" in head
    assert not [line for line in head if line.startswith("authorization")]


@pytest.mark.parametrize(
    ("sent", "got"),
    [("2023-01-01", "2023-01-01"), ("", "2023-06-01"), ("alice", "2023-06-01")],
)
def test_a_version_goes_on_and_there_always_is_one(sent: str, got: str) -> None:
    head = head_of(anthropic_version=sent) if sent else head_of()
    assert f"anthropic-version: {got}" in head


@pytest.mark.parametrize(
    ("betas", "passes"),
    [
        ("context-1m-2025-08-07", True),
        ("claude-code-20250219,interleaved-thinking-2025-05-14", True),
        ("oauth-2025-04-20, fine-grained-tool-streaming-2025-05-14", True),
        ("pdfs-2024-09-25", True),
        (MANY, True),
        (MANY + ",a", False),
        ("anna lind", False),
        ("anna.lind@example.org", False),
        ("mail-4111111111111111", False),
        ("a,,b", False),
    ],
)
def test_betas_go_on_if_they_are_words_and_dates(betas: str, passes: bool) -> None:
    found = [line for line in head_of(anthropic_beta=betas) if line.startswith("anthropic-beta")]
    assert found == ([f"anthropic-beta: {betas}"] if passes else [])


def test_it_takes_its_own_dialects_only() -> None:
    backend = backends.build("anthropic", BackendOptions(url="http://127.0.0.1:9"))
    assert backend.speaks("anthropic_messages")
    assert not backend.speaks("openai_chat")
