"""Backends that are asked over HTTP in the client's own dialect.

Bodies pass through as they are. Of a client's headers nearly none go on, and none that could
hold free text: headers are not judged.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import ClassVar

import aiohttp
from yarl import URL

from gateway.backends._reading import Connector
from gateway.backends._silence import Silence
from gateway.backends._sockets import Sockets
from gateway.core.apis import Answer, BackendOptions
from gateway.core.calls import Outgoing
from gateway.core.errors import UpstreamError, UpstreamTimeout

# Headers that go on to any backend, each only in the form in which it can say nothing else.
_PASSED = {
    "traceparent": re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    "x-stainless-retry-count": re.compile(r"\d{1,2}"),
}
_CONNECTIONS = 1_000
_READ_BYTES = 256 * 1024


class HttpBackend:
    """One upstream, with its own pool of connections. A kind says what is its own.

    dialects: the beginnings of the names of dialects it takes. passed: further headers that
    go on, each in the form in which it can say nothing else. defaults: headers that the
    upstream wants, where the client sent none that passes.
    """

    dialects: tuple[str, ...] = ()
    passed: ClassVar[Mapping[str, re.Pattern[str]]] = {}
    defaults: ClassVar[Mapping[str, str]] = {}

    def __init__(self, options: BackendOptions) -> None:
        self._options = options
        self._base = options.url.rstrip("/")
        self._forms = {**_PASSED, **self.passed}
        self._session: aiohttp.ClientSession | None = None
        self._sockets: Sockets | None = None

    def speaks(self, dialect: str) -> bool:
        """Whether it takes this dialect's requests as they are."""
        return dialect.startswith((*self.dialects, "passthrough"))

    def url(self, call: Outgoing) -> str:
        """Where this request goes."""
        return self._base + call.path

    def credential(self, secret: str) -> dict[str, str]:
        """The headers that show the upstream its own secret."""
        return {"authorization": f"Bearer {secret}"}

    async def send(self, call: Outgoing) -> Answer:
        """Send the body. Raises UpstreamError or UpstreamTimeout if no head comes back."""
        session = self._session or self._open()
        limit_s = self._options.first_byte_s
        try:
            async with asyncio.timeout(limit_s):
                response = await session.request(
                    call.method,
                    URL(self.url(call), encoded=True),
                    data=call.body or None,
                    headers=self._headers(call),
                    allow_redirects=False,
                )
        except aiohttp.ConnectionTimeoutError as err:
            raise UpstreamTimeout("no connection in time", unanswered=True) from err
        except (TimeoutError, aiohttp.ServerTimeoutError) as err:
            raise UpstreamTimeout("no head in time") from err
        except aiohttp.ClientError as err:
            unanswered = isinstance(err, aiohttp.ClientConnectionError)
            raise UpstreamError(type(err).__name__, unanswered=unanswered) from err
        if 300 <= response.status < 400:
            # Passed on, it would send the client, and what it asks, past the gateway.
            response.close()
            raise UpstreamError("redirected")
        if not 200 <= response.status < 600:
            response.close()
            raise UpstreamError("no status of HTTP")
        heads = {key.lower(): value for key, value in response.headers.items()}
        body, over = self._body(response), response.content.at_eof
        return Answer(response.status, heads, body, _closer(response), exhausted=over)

    async def connect(self, call: Outgoing) -> Answer:
        """Open a WebSocket. Raises as `send` does."""
        if self._sockets is None:
            self._sockets = Sockets(self._options)
        return await self._sockets.open(self.url(call), self._headers(call))

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
        if self._sockets is not None:
            await self._sockets.aclose()

    def _open(self) -> aiohttp.ClientSession:
        options = self._options
        self._session = aiohttp.ClientSession(
            connector=Connector(limit=_CONNECTIONS, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            # How long a head and each further piece may take is watched over here.
            timeout=aiohttp.ClientTimeout(total=options.total_s, sock_connect=options.connect_s),
            read_bufsize=_READ_BYTES,
        )
        return self._session

    def _headers(self, call: Outgoing) -> dict[str, str]:
        headers = call.headers
        out = dict(self.defaults)
        for name, form in self._forms.items():
            if name in headers and form.fullmatch(headers[name]):
                out[name] = headers[name]
        if "idempotency-key" in headers:
            # The same key stays the same key; what a client wrote into it stays here.
            key = headers["idempotency-key"].encode()
            out["idempotency-key"] = hashlib.sha256(key).hexdigest()
        if call.body:
            out["content-type"] = call.content_type
        return out | self._own

    @cached_property
    def _own(self) -> dict[str, str]:
        """What goes with every request, whoever sends it."""
        own = {"accept-encoding": "identity", "user-agent": "responsible-use-gateway"}
        secret = self._options.credential
        return own | self.credential(secret) if secret else own

    async def _body(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        content = response.content
        with Silence(self._options.between_bytes_s, response.close) as silence:
            try:
                while True:
                    silence.begin()
                    data = await content.readany()
                    silence.end()
                    if not data:
                        break
                    yield data
            except TimeoutError as err:
                raise UpstreamTimeout("took too long") from err
            except aiohttp.ClientError as err:
                if silence.broken_off:
                    raise UpstreamTimeout("fell silent") from err
                raise UpstreamError(type(err).__name__) from err


def _closer(response: aiohttp.ClientResponse) -> Callable[[], Awaitable[None]]:
    async def aclose() -> None:
        with suppress(Exception):
            if response.content.at_eof():
                response.release()
            else:
                response.close()

    return aclose
