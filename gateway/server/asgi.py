"""What ASGI gives and takes, in the words of this gateway (its HTTP specification 2.4)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from gateway.core.apis import Reply

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = "application/json"


def headers_of(scope: Scope) -> dict[str, str]:
    """By name in lower case. Lines of one name are one list (RFC 9110, section 5.3).

    So what may stand there only once, such as a key or a type, is no longer one if it came twice.
    """
    found: dict[str, str] = {}
    for raw_name, raw in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def query_of(scope: Scope) -> list[tuple[str, str]]:
    """Names and values of the query, in order, empty values too."""
    text = scope.get("query_string", b"").decode("latin-1")
    return parse_qsl(text, keep_blank_values=True)


def json_reply(status: int, value: Any) -> Reply:
    """A value as an answer."""
    return Reply(status, {"content-type": JSON}, json.dumps(value).encode())


def start(status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    """The message that begins an answer."""
    pairs = [(k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


async def send_reply(
    send: Send, reply: Reply, exchange_id: str = "", *, head_only: bool = False
) -> None:
    """An answer that is there as a whole. exchange_id: of one that was refused at the door."""
    headers = {**reply.headers, "content-length": str(len(reply.body))}
    if exchange_id:
        headers |= {
            "x-request-id": exchange_id,
            "gw-request-id": exchange_id,
            "gw-decision": "error",
            "ai-disclosure": "mode=none",
        }
    await send(start(reply.status, headers))
    body = b"" if head_only else reply.body
    await send({"type": "http.response.body", "body": body, "more_body": False})
