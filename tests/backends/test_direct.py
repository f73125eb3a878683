"""Asking a backend in chat completions, without litellm: how streams begin, go on and end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.backends._direct import Direct
from gateway.backends._upstream import Upstream
from gateway.core.apis import Answer
from gateway.core.calls import Outgoing
from gateway.core.errors import UpstreamError

CHUNK = {"choices": [{"index": 0, "delta": {"content": "Grüße"}, "finish_reason": None}]}
LAST = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


class There:
    """Answers with these bytes, in pieces of a size."""

    def __init__(self, body: bytes, kind: str = "text/event-stream", size: int = 7) -> None:
        self.body, self.kind, self.size = body, kind, size
        self.asked: list[Outgoing] = []

    def speaks(self, dialect: str) -> bool:
        return dialect == "openai_chat"

    async def send(self, call: Outgoing) -> Answer:
        self.asked.append(call)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(self.body), self.size):
                yield self.body[start : start + self.size]

        async def aclose() -> None:
            pass

        return Answer(200, {"content-type": self.kind}, pieces(), aclose)

    async def aclose(self) -> None:
        pass


def sse(*values: Any, end: str = "\n\n") -> bytes:
    return "".join(f"data: {json.dumps(v, ensure_ascii=False)}{end}" for v in values).encode()


def chunks(there: There) -> list[Any]:
    async def main() -> list[Any]:
        asked = {"messages": [], "stream": True}
        found = await Direct(there, "openai").ask(asked, "m", Upstream())
        return [chunk async for chunk in found]

    return asyncio.run(main())


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
def test_a_stream_is_the_same_however_it_is_cut(size: int, end: str) -> None:
    body = b": ping\n\n" + sse(CHUNK, LAST, end=end) + b"data: [DONE]\n\n"
    assert chunks(There(body, size=size)) == [CHUNK, LAST]


def test_a_stream_may_end_with_its_reason_alone() -> None:
    assert chunks(There(sse(CHUNK, LAST))) == [CHUNK, LAST]


BROKEN = [sse(CHUNK), sse(CHUNK, {"error": {"message": "x"}}), sse(CHUNK) + b"data: {\n\n"]


@pytest.mark.parametrize("body", BROKEN, ids=["cut", "error", "no JSON"])
def test_any_other_end_is_an_error(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        chunks(There(body))


def test_a_whole_answer_to_who_asked_for_a_stream_is_one_chunk() -> None:
    choice = {"index": 0, "message": {"content": "Yes"}, "finish_reason": "stop"}
    there = There(json.dumps({"choices": [choice]}).encode(), "application/json")
    (chunk,) = chunks(there)
    assert chunk["choices"][0]["delta"] == {"content": "Yes"}
    assert json.loads(there.asked[0].body) == {"model": "m", "messages": [], "stream": True}
