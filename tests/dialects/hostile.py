"""What somebody who means harm sends: events and requests that tests are made of."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from gateway import dialects
from gateway.core.calls import Call
from tests.pipeline.fakes import SSE, Asked, Backend, Bundle, ask_async, chat, house

ALL = dialects.load()
MAIL = "alice.smith@example.com"
BLOCK = Bundle({"EMAIL_ADDRESS": "block"})
REDACT = Bundle({"EMAIL_ADDRESS": "redact"})


def answered(data: bytes, kind: str = SSE, **headers: str) -> Asked:
    backend = Backend(data, kind=kind)
    backend.headers = headers
    body = chat(stream=True)
    return asyncio.run(ask_async(house(backend, BLOCK), body, dialect=ALL["openai_chat"]))


def sent(dialect: str, value: Any, **params: str) -> tuple[list[bytes], int]:
    backend = Backend(b"{}")
    call = Call(json.dumps(value).encode(), params=params)
    asked = asyncio.run(ask_async(house(backend, BLOCK), call, dialect=ALL[dialect]))
    return backend.bodies, asked.status


def chunk(delta: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def events(*values: Any) -> bytes:
    """Server-sent events, each under the name of its type."""
    return b"".join(
        f"event: {v.get('type', 'x')}\ndata: {json.dumps(v)}\n\n".encode() for v in values
    )


def told(dialect: str, data: bytes, bundle: Bundle = REDACT, **request: Any) -> Asked:
    """What a client gets of this stream, whose events arrive one by one."""
    call = Call(json.dumps({"model": "m", "stream": True, **request}).encode())
    backend = Backend(*(event + b"\n\n" for event in data.split(b"\n\n") if event), kind=SSE)
    return asyncio.run(ask_async(house(backend, bundle), call, dialect=ALL[dialect]))


def finish(reason: str | None = "stop", **delta: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def said(text: str, kind: str = "response.output_text.delta") -> Any:
    return {"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": text}


def done(kind: str, **more: Any) -> Any:
    return {"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0, **more}


def block(text: str, **more: Any) -> Any:
    delta = {"type": "text_delta", "text": text}
    return {"type": "content_block_delta", "index": 0, "delta": delta, **more}


def call_args(text: str, **more: Any) -> Any:
    return {"tool_calls": [{"index": 0, "function": {"arguments": text}, **more}]}


OPENING = (
    {"type": "message_start", "message": {"id": "msg_1", "role": "assistant", "content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
)
STOPPED = {"type": "content_block_stop", "index": 0}
ENDED = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}}
OVER = {"type": "message_stop"}
FIRST, SECOND = MAIL[:9], MAIL[9:]
CHAT: Any = {"messages": []}


def args(*entries: Any) -> bytes:
    return finish(None, tool_calls=list(entries))


def entry(text: str, **more: Any) -> Any:
    return {"function": {"arguments": text}, **more}
