"""WebSockets to an upstream, opened as its HTTP requests are sent.

Without compression, so that no message is larger than it looks, and without redirects, which
would take a session past the gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import aiohttp
from yarl import URL

from gateway.core.apis import Answer, BackendOptions, Socket
from gateway.core.errors import UpstreamError, UpstreamTimeout

MAX_MESSAGE_BYTES = 32 * 1024 * 1024
# An upstream that leaves a ping unanswered for half of this is gone.
_PING_S = 30.0
_CLOSE_S = 5.0
_REFUSED = b"The model's backend did not open a session."

Upstream = aiohttp.ClientWebSocketResponse


class Sockets:
    """All sockets to one upstream."""

    def __init__(self, options: BackendOptions) -> None:
        self._options = options
        self._session: aiohttp.ClientSession | None = None

    async def open(self, url: str, headers: Mapping[str, str]) -> Answer:
        """A Socket, or how the upstream refused it. Raises UpstreamError if it said nothing."""
        session = self._session or self._start()
        try:
            async with asyncio.timeout(self._options.first_byte_s):
                socket = await session.ws_connect(
                    URL(url, encoded=True),
                    headers=headers,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
                    heartbeat=_PING_S,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    compress=0,
                    decode_text=False,
                )
        except aiohttp.ConnectionTimeoutError as err:
            raise UpstreamTimeout("no connection in time", unanswered=True) from err
        except (TimeoutError, aiohttp.ServerTimeoutError) as err:
            raise UpstreamTimeout("no handshake in time") from err
        except aiohttp.WSServerHandshakeError as err:
            return _refused(err)
        except aiohttp.ClientError as err:
            unanswered = isinstance(err, aiohttp.ClientConnectionError)
            raise UpstreamError(type(err).__name__, unanswered=unanswered) from err
        return _opened(socket)

    async def aclose(self) -> None:
        """Close all that are open."""
        if self._session is not None:
            await self._session.close()

    def _start(self) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(_redirected)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._options.connect_s),
            trace_configs=[trace],
        )
        return self._session


async def _redirected(*_: object) -> None:
    raise aiohttp.ClientPayloadError("redirected")


def _refused(err: aiohttp.WSServerHandshakeError) -> Answer:
    """The refusal as an answer. Its words are lost with the handshake."""
    if not 400 <= err.status < 600:
        raise UpstreamError("no handshake of WebSocket") from err
    heads = {key.lower(): value for key, value in (err.headers or {}).items()}
    heads["content-type"] = "text/plain; charset=utf-8"
    return Answer(err.status, heads, _words(), _nothing)


async def _words() -> AsyncIterator[bytes]:
    yield _REFUSED


async def _nothing() -> None:
    return None


def _opened(socket: Upstream[bool]) -> Socket:
    async def send(message: bytes) -> None:
        if socket.closed:
            # Why it closed is told by the messages' end.
            return
        try:
            await socket.send_frame(message, aiohttp.WSMsgType.TEXT)
        except (aiohttp.ClientError, ConnectionError) as err:
            raise UpstreamError(type(err).__name__) from err

    async def aclose() -> None:
        with suppress(Exception):
            await socket.close()

    return Socket(101, {}, _messages(socket), aclose, send, lambda: socket.close_code or 0)


async def _messages(socket: Upstream[bool]) -> AsyncIterator[bytes]:
    """Each text message. Raises UpstreamError if the connection breaks, or for binary ones."""
    while True:
        message = await socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            yield message.data.encode() if isinstance(message.data, str) else message.data
        elif message.type is aiohttp.WSMsgType.BINARY:
            raise UpstreamError("the upstream sent a binary frame")
        elif message.type is aiohttp.WSMsgType.ERROR:
            raise UpstreamError("the upstream's socket broke")
        else:
            if socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
                raise UpstreamError("the upstream's socket was cut off")
            return
