"""Chat completions for an upstream that speaks them itself: no litellm is needed in between."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from gateway.backends._spokes._shape import dumps
from gateway.backends._upstream import ERROR_BYTES, Upstream, at_once
from gateway.core.apis import Answer, Backend
from gateway.core.calls import Outgoing
from gateway.core.errors import UpstreamError

DIALECT = "openai_chat"
_PATH = "/v1/chat/completions"
_DATA = b"data:"
_DONE = b"[DONE]"


class Direct:
    """Asks a backend in its own API, which is that of chat completions."""

    def __init__(self, backend: Backend, provider: str) -> None:
        self.provider = provider
        self._backend = backend

    async def ready(self) -> None:
        """Nothing to do."""

    async def ask(self, asked: Mapping[str, Any], model: str, upstream: Upstream) -> Any:
        """As any `Asker`."""
        stream = asked.get("stream") is True
        body = dumps({"model": model, **asked}).encode()
        answer = await self._backend.send(Outgoing(body, DIALECT, _PATH, model, stream=stream))
        upstream.status, upstream.headers = answer.status, answer.headers
        upstream.closers.append(answer.aclose)
        if answer.status >= 400:
            upstream.error = await _beginning(answer)
            raise UpstreamError("refused")
        kind = answer.headers.get("content-type", "").lower()
        if stream and "event-stream" in kind:
            return _chunks(answer)
        whole = _object(b"".join([piece async for piece in answer.body]))
        return at_once(whole) if stream else whole

    async def aclose(self) -> None:
        """The backend is closed by who made it."""


async def _beginning(answer: Answer) -> bytes:
    found = bytearray()
    async for piece in answer.body:
        found += piece
        if len(found) > ERROR_BYTES:
            break
    return bytes(found[:ERROR_BYTES])


async def _chunks(answer: Answer) -> AsyncIterator[dict[str, Any]]:
    """Raises UpstreamError for an error in mid-stream, and for an end that is none."""
    ended = False
    async for line in _lines(answer):
        data = line.removeprefix(_DATA).strip() if line.startswith(_DATA) else b""
        if data == _DONE:
            return
        if data:
            chunk = _object(data)
            ended = ended or any(c.get("finish_reason") for c in chunk.get("choices") or ())
            yield chunk
    if not ended:
        raise UpstreamError("a stream without an end")


async def _lines(answer: Answer) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in answer.body:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line
    yield rest


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as err:
        raise UpstreamError("no JSON") from err
    if not isinstance(value, dict) or value.get("error"):
        raise UpstreamError("an error in an answer")
    return value
