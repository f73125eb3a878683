"""A backend for clients whose API it does not speak: their requests and answers are translated.

The client's dialect is turned into a chat completion (`_spokes`), that is put to the vendor, by
litellm (`_litellm`) or as it is (`_direct`), and the answer goes the same way back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from gateway.backends._spokes import (
    anthropic,
    chat,
    gemini,
    ollama_chat,
    ollama_generate,
    responses,
)
from gateway.backends._spokes._shape import Spoke, Writer, dumps, untranslatable
from gateway.backends._spokes._told import Told
from gateway.backends._upstream import Asker, Upstream
from gateway.backends._vendors import fit
from gateway.core.apis import Answer, BackendOptions
from gateway.core.calls import Outgoing
from gateway.core.errors import UpstreamError, UpstreamTimeout

SPOKES: Mapping[str, Spoke] = {
    "openai_chat": chat.Member(),
    "openai_responses": responses.Member(),
    "gemini": gemini.Member(),
    "gemini_stream": gemini.Member(),
    "ollama_chat": ollama_chat.Member(),
    "ollama_generate": ollama_generate.Member(),
    "anthropic_messages": anthropic.Member(),
}
_JSON = "application/json"
_PASSED = ("retry-after", "x-should-retry", "x-request-id", "request-id")
_NO_WORDS = "The model's backend refused this request without a reason that can be told."


class Translated:
    """One upstream, for every dialect that there is a spoke for."""

    def __init__(self, vendor: Asker, options: BackendOptions) -> None:
        self._options = options
        self._vendor = vendor

    def speaks(self, dialect: str) -> bool:
        """Whether there is a spoke for it."""
        return dialect in SPOKES

    async def send(self, call: Outgoing) -> Answer:
        """Translate and send. Raises Refused for what has no counterpart, before it is sent."""
        spoke = SPOKES[call.dialect]
        asked = fit(spoke.ask(call), self._vendor.provider, self._options.url)
        await self._vendor.ready()
        upstream = Upstream()
        try:
            async with asyncio.timeout(self._options.first_byte_s):
                return await self._answer(call, spoke, asked, upstream)
        except Exception as err:
            await upstream.aclose()
            if upstream.status >= 400:
                return _refused(spoke, upstream)
            if upstream.status == 0 and getattr(err, "status_code", None) == 400:
                # litellm knows that this vendor cannot be asked for that. Nothing was sent.
                raise untranslatable("Something in the request") from err
            raise _meant(err) from err
        except asyncio.CancelledError:
            await asyncio.shield(upstream.aclose())
            raise

    async def aclose(self) -> None:
        """Close all connections."""
        await self._vendor.aclose()

    async def _answer(
        self, call: Outgoing, spoke: Spoke, asked: dict[str, Any], upstream: Upstream
    ) -> Answer:
        if not call.stream:
            told = Told().whole(await self._vendor.ask(asked, call.model, upstream))
            return _whole(200, spoke.answer(told, call), upstream)
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
        chunks = await self._vendor.ask(asked, call.model, upstream)
        # Some vendors are only asked when the first piece is wanted.
        first = await anext(chunks, None)
        writer = spoke.writer(call)
        body = self._stream(writer, first, chunks)
        heads = {**_heads(upstream), "content-type": writer.media}
        return Answer(200, heads, body, upstream.aclose)

    async def _stream(
        self, writer: Writer, chunk: Any, chunks: AsyncIterator[Any]
    ) -> AsyncIterator[bytes]:
        told, begun = Told(), False
        try:
            while chunk is not None:
                delta = told.add(chunk)
                if not begun and (piece := writer.begin(told)):
                    yield piece
                begun = True
                if piece := writer.add(delta):
                    yield piece
                async with asyncio.timeout(self._options.between_bytes_s):
                    chunk = await anext(chunks, None)
        except Exception as err:
            raise _meant(err) from err
        if not begun:
            raise UpstreamError("an empty stream")
        yield writer.end(told)


def _meant(err: Exception) -> UpstreamError:
    """One of our own errors for one of litellm's, which may say anything."""
    if isinstance(err, UpstreamError):
        return err
    seen: BaseException | None = err
    while seen is not None:
        if isinstance(seen, TimeoutError | httpx.TimeoutException):
            return UpstreamTimeout("not in time")
        if isinstance(seen, httpx.ConnectError):
            return UpstreamError(type(seen).__name__, unanswered=True)
        seen = seen.__cause__ or seen.__context__
    return UpstreamError(type(err).__name__)


def _whole(status: int, value: Any, upstream: Upstream) -> Answer:
    heads = {**_heads(upstream), "content-type": _JSON}
    return Answer(status, heads, _each(dumps(value).encode()), upstream.aclose)


def _refused(spoke: Spoke, upstream: Upstream) -> Answer:
    """The vendor's own error, in the client's dialect, under the vendor's status."""
    return _whole(upstream.status, spoke.error(upstream.status, _words(upstream.error)), upstream)


def _words(body: bytes) -> str:
    """The message in a vendor's error, wherever that vendor puts it."""
    try:
        value = json.loads(body)
    except ValueError:
        return _NO_WORDS
    while isinstance(value, list) and value:
        value = value[0]
    for key in ("error", "message", "Message", "detail"):
        inner = value.get(key) if isinstance(value, dict) else None
        if isinstance(inner, dict):
            inner = inner.get("message")
        if isinstance(inner, str) and inner:
            return inner
    return _NO_WORDS


def _heads(upstream: Upstream) -> dict[str, str]:
    return {k: upstream.headers[k] for k in _PASSED if k in upstream.headers}


async def _each(body: bytes) -> AsyncIterator[bytes]:
    yield body
