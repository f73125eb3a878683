"""A real HTTP server in the vendors' place: it answers as it is told, and keeps what it was sent.

A test names a model of its own and says what that model answers; the wire format is the
test's business. Nothing here knows any API.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn

Message = MutableMapping[str, Any]


@dataclass(frozen=True)
class Says:
    """An answer. pieces are sent `pace_s` apart; cut: break the connection off behind them."""

    pieces: Sequence[bytes]
    content_type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pace_s: float = 0.0
    cut: bool = False


def says(value: Any, status: int = 200, **headers: str) -> Says:
    """One JSON body."""
    return Says([json.dumps(value).encode()], status=status, headers=headers)


def events(*values: Any, done: bool = False, named: bool = False, pace_s: float = 0.001) -> Says:
    """Server-sent events. named: with an `event:` line of the value's type. done: OpenAI's end."""
    out = []
    for value in values:
        name = f"event: {value['type']}\n" if named else ""
        out.append(f"{name}data: {json.dumps(value)}\n\n".encode())
    if done:
        out.append(b"data: [DONE]\n\n")
    return Says(out, "text/event-stream", pace_s=pace_s)


def lines(*values: Any, pace_s: float = 0.001) -> Says:
    """JSON lines."""
    out = [json.dumps(value).encode() + b"\n" for value in values]
    return Says(out, "application/x-ndjson", pace_s=pace_s)


def at_once(answer: Says) -> Says:
    """The whole stream in one piece: nothing of it has left when its end is judged."""
    return Says([b"".join(answer.pieces)], answer.content_type)


@dataclass
class Received:
    """One request as it came in."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Talk:
    """One WebSocket at the vendor's. heard: what came in, as text. code: to close it with."""

    query: str
    headers: dict[str, str]
    receive: Callable[[], Awaitable[Message]]
    send: Callable[[Message], Awaitable[None]]
    heard: list[str] = field(default_factory=list)
    left: bool = False
    code: int = 1000

    async def say(self, *events: Any) -> None:
        for value in events:
            await self.send({"type": "websocket.send", "text": json.dumps(value)})

    async def hear(self) -> Any:
        """The next event; None if the other side has left."""
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            self.left = True
            return None
        self.heard.append(message["text"])
        return json.loads(message["text"])


class Vendors:
    """Serves from a thread of its own while used as a context manager."""

    credential = "sk-proj-" + "Zq81nRbXk2LwYpHs6Jd3T3BlbkFJGf7Me5UcaotixyZq81nR"

    def __init__(self) -> None:
        self._answers: dict[str, Says | Callable[[Received], Says]] = {}
        self._received: dict[str, list[Received]] = {}
        self._talks: dict[str, Callable[[Talk], Awaitable[None]]] = {}
        self._talked: dict[str, list[Talk]] = {}
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app,
                interface="asgi3",
                log_config=None,
                lifespan="off",
                ws="websockets-sansio",
            )
        )
        self._thread = threading.Thread(target=self._run, name="vendors", daemon=True)

    def __enter__(self) -> Vendors:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def answer(self, model: str, answer: Says | Callable[[Received], Says]) -> str:
        """From now on this model, named in a body or a path, answers so. Returns its name."""
        self._answers[model] = answer
        self._received[model] = []
        return model

    def of(self, model: str) -> list[Received]:
        """The requests for this model so far."""
        return list(self._received[model])

    def talk(self, model: str, script: Callable[[Talk], Awaitable[None]]) -> str:
        """From now on a WebSocket whose query names this model is talked to so."""
        self._talks[model] = script
        self._talked[model] = []
        return model

    def talks(self, model: str) -> list[Talk]:
        """The sockets that were opened for this model so far."""
        return list(self._talked[model])

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    async def _app(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "websocket":
            await self._socketed(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {k.decode(): v.decode("latin-1") for k, v in scope["headers"]}
        got = Received(
            scope["method"], scope["path"], scope["query_string"].decode(), headers, body
        )
        model = self._model(got)
        self._received.setdefault(model, []).append(got)
        answer = self._answers.get(model, Says([b'{"error": "no such model here"}'], status=404))
        answer = answer if isinstance(answer, Says) else answer(got)
        heads = {"content-type": answer.content_type, **answer.headers}
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(k.encode(), v.encode()) for k, v in heads.items()],
            }
        )
        for piece in answer.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(answer.pace_s)
        if answer.cut:
            raise ConnectionError("cut off, as told")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _socketed(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        query = scope["query_string"].decode()
        headers = {k.decode(): v.decode("latin-1") for k, v in scope["headers"]}
        await receive()
        model = max((m for m in self._talks if m in query), key=len, default="")
        if not model:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        talk = Talk(query, headers, receive, send)
        self._talked[model].append(talk)
        await self._talks[model](talk)
        await send({"type": "websocket.close", "code": talk.code})

    def _model(self, got: Received) -> str:
        """The longest known model's name that stands in the request."""
        text = got.path + "\n" + got.body.decode("utf-8", "replace")
        found = [model for model in self._answers if model in text]
        return max(found, key=len, default="")
