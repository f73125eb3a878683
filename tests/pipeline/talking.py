"""A realtime session between two fakes: what its client says and gets, what its upstream hears."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from gateway import dialects
from gateway.core.apis import Answer, Dialect, Socket
from gateway.core.calls import Call, Outgoing
from gateway.core.errors import UpstreamError
from gateway.core.exchange import Exchange
from gateway.pipeline.house import House
from gateway.pipeline.response import Head
from gateway.pipeline.run import run
from gateway.pipeline.session import Line
from tests.pipeline.fakes import WHO, Backend, Bundle, house

REALTIME: Dialect = dialects.load()["openai_realtime"]


class SocketBackend(Backend):
    """Says its events once the client has said all it has to say.

    fail: "cut" (breaks off behind them), "stays" (leaves it to the client to leave).
    """

    def __init__(self, *events: Any, code: int = 1000, **how: Any) -> None:
        super().__init__(**how)
        self.events, self.code = events, code
        self.heard: list[bytes] = []
        self.asked: list[Outgoing] = []
        self.quiet = asyncio.Event()

    async def connect(self, call: Outgoing) -> Answer:
        self.log.append("connect")
        self.asked.append(call)
        return Socket(101, {}, self._talk(), self._close, self._hear, lambda: self.code)

    async def _hear(self, message: bytes) -> None:
        self.heard.append(message)

    async def _talk(self) -> AsyncIterator[bytes]:
        await self.quiet.wait()
        for event in self.events:
            await asyncio.sleep(0)
            yield event if isinstance(event, bytes) else json.dumps(event).encode()
        if self.fail == "cut":
            raise UpstreamError("cut")
        if self.fail == "stays":
            await asyncio.sleep(3600)


@dataclass
class Talked:
    """One session as its client saw it."""

    exchange: Exchange
    line: Line
    backend: SocketBackend
    status: int = 0
    raw: list[bytes] = field(default_factory=list)

    @property
    def got(self) -> list[dict[str, Any]]:
        return [json.loads(message) for message in self.raw]

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(message) for message in self.backend.heard]

    def types(self) -> list[str]:
        return [event["type"] for event in self.got]

    def text(self, head: str = "response.output_text") -> str:
        return "".join(e["delta"] for e in self.got if e["type"] == f"{head}.delta")


async def talk_async(
    backend: SocketBackend, bundle: Bundle, *said: Any, max_bytes: int = 100_000, **parts: Any
) -> Talked:
    async def heard() -> AsyncIterator[str | bytes]:
        for event in said:
            yield event if isinstance(event, str | bytes) else json.dumps(event)
        backend.quiet.set()
        if backend.fail != "stays":
            await asyncio.sleep(3600)

    site: House = house(backend, bundle, **parts)
    call = Call(b"", "GET", {}, (("model", "m"),))
    exchange = Exchange("id-1", WHO, REALTIME.name, "/v1/realtime", {}, call)
    line = Line(heard(), max_bytes, left=1000)
    talked = Talked(exchange, line, backend)
    async with aclosing(run(exchange, REALTIME, site, line)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Head):
                talked.status = piece.status
            else:
                talked.raw.append(piece)
    return talked


def talk(backend: SocketBackend, bundle: Bundle, *said: Any, **parts: Any) -> Talked:
    """A session to its end, in an event loop of its own."""
    return asyncio.run(asyncio.wait_for(talk_async(backend, bundle, *said, **parts), 20))


def cut(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def response(
    text: str, *, size: int = 7, number: int = 1, audio: bool = False, sound: str = "AAAA"
) -> list[dict[str, Any]]:
    """The events of one response, its text in pieces of this size."""
    about = {"response_id": f"resp_{number}", "item_id": f"item_{number}", "output_index": 0}
    at = {**about, "content_index": 0}
    member = "transcript" if audio else "text"
    head = "response.output_audio_transcript" if audio else "response.output_text"
    part = {"type": "audio" if audio else "text", member: ""}
    item = {"id": f"item_{number}", "type": "message", "role": "assistant", "content": []}
    kind = "output_audio" if audio else "output_text"
    full = {**item, "content": [{"type": kind, member: text}]}
    begun = {"id": f"resp_{number}", "object": "realtime.response", "output": []}
    sounds = [{"type": "response.output_audio.delta", **at, "delta": sound}] * 3 if audio else []
    return [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", **about, "item": item},
        {"type": "response.content_part.added", **at, "part": part},
        *[{"type": f"{head}.delta", **at, "delta": piece} for piece in cut(text, size)],
        *sounds,
        {"type": f"{head}.done", **at, member: text},
        {"type": "response.content_part.done", **at, "part": {**part, member: text}},
        {"type": "response.output_item.done", **about, "item": full},
        {"type": "conversation.item.done", "item": full},
        {"type": "response.done", "response": {**begun, "status": "completed", "output": [full],
                                               "usage": {"input_tokens": 2, "output_tokens": 3}}},
    ]  # fmt: skip


def item(text: str, **more: Any) -> dict[str, Any]:
    """A client's event that says this."""
    content: Sequence[Any] = [{"type": "input_text", "text": text}]
    return {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "user", "content": content},
        **more,
    }
