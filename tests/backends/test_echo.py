from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway import backends
from gateway.core.apis import BackendOptions
from gateway.core.calls import Outgoing


async def _said(body: dict[str, Any]) -> tuple[str, list[bytes]]:
    backend = backends.build("echo", BackendOptions())
    answer = await backend.send(
        Outgoing(json.dumps(body).encode(), "openai_chat", "/v1/chat/completions")
    )
    pieces = [piece async for piece in answer.body]
    await answer.aclose()
    await backend.aclose()
    assert answer.status == 200
    return answer.headers["content-type"], pieces


def said(*messages: Any, **fields: Any) -> tuple[str, list[bytes]]:
    return asyncio.run(_said({"model": "echo", "messages": list(messages), **fields}))


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([user("a"), user("b  c\n")], "b  c\n"),
        ([user("a"), {"role": "assistant", "content": "b"}], "a"),
        ([user([{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}])], "a\nb"),
        ([{"role": "system", "content": "a"}], ""),
        ([user(None)], ""),
        (["odd", user("é😀")], "é😀"),
        ([], ""),
    ],
)
def test_the_last_users_text_comes_back(messages: list[Any], text: str) -> None:
    kind, (body,) = said(*messages)
    assert kind == "application/json"
    assert json.loads(body)["choices"][0]["message"]["content"] == text
    _, pieces = said(*messages, stream=True)
    chunks = [json.loads(p[6:]) for p in pieces[:-1]]
    assert "".join(c["choices"][0]["delta"].get("content", "") for c in chunks) == text


CHAT = {"messages": [user("Say it.")]}
SPOKEN: dict[str, dict[str, Any]] = {
    "anthropic_messages": {"max_tokens": 9, **CHAT},
    "openai_responses": {"input": "Say it."},
    "gemini": {"contents": [{"parts": [{"text": "Say it."}]}]},
    "ollama_chat": CHAT,
    "ollama_generate": {"prompt": "Say it."},
}


@pytest.mark.parametrize("dialect", SPOKEN)
@pytest.mark.parametrize("stream", [False, True])
def test_every_vendors_client_is_answered(dialect: str, stream: bool) -> None:
    async def main() -> bytes:
        backend = backends.build("echo", BackendOptions())
        assert backend.speaks(dialect)
        body = {"model": "echo", "stream": stream, **SPOKEN[dialect]}
        if dialect == "gemini":
            del body["model"], body["stream"]
        call = Outgoing(json.dumps(body).encode(), dialect, "/", "echo", stream=stream)
        return b"".join([piece async for piece in (await backend.send(call)).body])

    said = asyncio.run(main())
    assert all(
        f'"{word}"'.encode() in said for word in (["Say", " it."] if stream else ["Say it."])
    )


def test_streams_come_word_by_word() -> None:
    kind, pieces = said(user("one  two three"), stream=True)
    deltas = [json.loads(p[6:])["choices"][0]["delta"] for p in pieces[:-1]]
    assert kind.startswith("text/event-stream")
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"content": "one"}, {"content": "  two"}, {"content": " three"},
        {},
    ]  # fmt: skip
    assert pieces[-1] == b"data: [DONE]\n\n"


@pytest.mark.parametrize(("asked", "told"), [(True, [2]), (False, []), (None, [])])
def test_usage_is_told_if_asked_for(asked: bool | None, told: list[int]) -> None:
    options = {} if asked is None else {"stream_options": {"include_usage": asked}}
    _, pieces = said(user("one two"), stream=True, **options)
    chunks = [json.loads(p[6:]) for p in pieces[:-1]]
    assert [c["usage"]["prompt_tokens"] for c in chunks if "usage" in c] == told
