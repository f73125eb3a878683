"""WebSockets of clients, as ASGI has them (its WebSocket specification 2.4).

One that is refused gets a plain HTTP answer. A key may come as a subprotocol, for browsers can
send no headers; it is not repeated to anybody.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from gateway.core.apis import Reply
from gateway.pipeline.response import Head
from gateway.pipeline.session import SWITCHED, Line

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# As OpenAI's guide "Realtime API with WebSocket" has them (2026).
_PROTOCOL = "realtime"
_KEY_PROTOCOL = "openai-insecure-api-key."
_BETA_PROTOCOL = "openai-beta."
_OFFERED = "sec-websocket-protocol"
# What a client that is cut off leaves with (RFC 6455, section 7.4.1).
_CUT_OFF = 1006


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a client asks with. key: from its subprotocols; empty if there is none.

    protocol: the one that is agreed to. headers: the request's, without what holds the key.
    """

    key: str
    protocol: str | None
    headers: Mapping[str, str]

    @classmethod
    def of(cls, scope: Mapping[str, Any], headers: Mapping[str, str]) -> Handshake:
        """From a scope, and its headers in lower case."""
        offered: list[str] = list(scope.get("subprotocols", ()))
        keys = [p.removeprefix(_KEY_PROTOCOL) for p in offered if p.startswith(_KEY_PROTOCOL)]
        kept = {name: value for name, value in headers.items() if name != _OFFERED}
        beta = [p.removeprefix(_BETA_PROTOCOL) for p in offered if p.startswith(_BETA_PROTOCOL)]
        if beta:
            name, _, version = beta[0].rpartition("-")
            kept.setdefault("openai-beta", f"{name}={version}")
        protocol = _PROTOCOL if _PROTOCOL in offered else None
        return cls(keys[0] if keys else "", protocol, kept)


def line(receive: Receive, max_bytes: int) -> Line:
    """The client's end of a socket. Its messages are taken one by one, as they are wanted."""

    async def heard() -> AsyncIterator[str | bytes]:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                # Without a close frame there is no reason, not even an empty one.
                told = message.get("code", _CUT_OFF)
                end.left = told if "reason" in message else _CUT_OFF
                return
            if message["type"] == "websocket.receive":
                text = message.get("text")
                yield message.get("bytes") or b"" if text is None else text

    end = Line(heard(), max_bytes)
    return end


async def serve(
    pieces: AsyncGenerator[Head | bytes, None], line: Line, handshake: Handshake, send: Send
) -> None:
    """Open the socket if the exchange has it so, and hand on its messages until it ends."""
    opened = False
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Head):
                opened = piece.status == SWITCHED
                await send(_accept(piece, handshake) if opened else _start(piece))
            elif opened:
                text = piece.decode("utf-8")
                await send({"type": "websocket.send", "text": text})
            else:
                await send({**_BODY, "body": piece, "more_body": True})
    if opened:
        await send({"type": "websocket.close", "code": line.close})
    else:
        await send({**_BODY, "body": b"", "more_body": False})


async def refuse(send: Send, reply: Reply, exchange_id: str) -> None:
    """Refuse the handshake in HTTP."""
    headers = {
        **reply.headers,
        "x-request-id": exchange_id,
        "gw-request-id": exchange_id,
        "gw-decision": "error",
        "ai-disclosure": "mode=none",
    }
    await send(_start(Head(reply.status, headers)))
    await send({**_BODY, "body": reply.body, "more_body": False})


_BODY = {"type": "websocket.http.response.body"}


def _accept(head: Head, handshake: Handshake) -> dict[str, Any]:
    return {
        "type": "websocket.accept",
        "subprotocol": handshake.protocol,
        "headers": _pairs(head.headers),
    }


def _start(head: Head) -> dict[str, Any]:
    # The server counts the body itself.
    headers = {k: v for k, v in head.headers.items() if k != "content-length"}
    return {
        "type": "websocket.http.response.start",
        "status": head.status,
        "headers": _pairs(headers),
    }


def _pairs(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in headers.items()]
