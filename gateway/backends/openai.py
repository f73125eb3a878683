"""Any server that speaks OpenAI's dialect: OpenAI itself, vLLM, llama.cpp, Transformers, Ollama.

Bodies pass through as they are. Of a client's headers nearly none go on, and none that could
hold free text: headers are not judged.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

import aiohttp

from gateway.backends._silence import Silence
from gateway.core.errors import UpstreamError, UpstreamTimeout
from gateway.core.ports import Answer, BackendOptions

# The only headers that go on, each only in the form in which it can say nothing else.
_PASSED = {
    "openai-beta": re.compile(r"[a-z_]{1,40}=v\d{1,2}(, ?[a-z_]{1,40}=v\d{1,2}){0,8}"),
    "traceparent": re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    "x-stainless-retry-count": re.compile(r"\d{1,2}"),
}
_CONNECTIONS = 1_000
_READ_BYTES = 256 * 1024


class Member:
    """One upstream, with its own pool of connections."""

    def __init__(self, options: BackendOptions) -> None:
        self._options = options
        self._base = options.url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def send(self, body: bytes, headers: Mapping[str, str], path: str) -> Answer:
        """POST the body. Raises UpstreamError or UpstreamTimeout if no head comes back."""
        session = self._session or self._open()
        limit_s = self._options.first_byte_s
        try:
            async with asyncio.timeout(limit_s):
                response = await session.post(
                    self._base + path,
                    data=body,
                    headers=self._headers(headers),
                    allow_redirects=False,
                )
        except (TimeoutError, aiohttp.ServerTimeoutError) as err:
            raise UpstreamTimeout("no head in time") from err
        except aiohttp.ClientError as err:
            raise UpstreamError(type(err).__name__) from err
        if 300 <= response.status < 400:
            # Passed on, it would send the client, and what it asks, past the gateway.
            response.close()
            raise UpstreamError("redirected")
        if not 200 <= response.status < 600:
            response.close()
            raise UpstreamError("no status of HTTP")
        heads = {key.lower(): value for key, value in response.headers.items()}
        return Answer(response.status, heads, self._body(response), _closer(response))

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        options = self._options
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            # How long a head and each further piece may take is watched over here.
            timeout=aiohttp.ClientTimeout(total=options.total_s, sock_connect=options.connect_s),
            read_bufsize=_READ_BYTES,
        )
        return self._session

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        passed = {
            k: headers[k] for k, form in _PASSED.items() if form.fullmatch(headers.get(k, ""))
        }
        if "idempotency-key" in headers:
            # The same key stays the same key; what a client wrote into it stays here.
            key = headers["idempotency-key"].encode()
            passed["idempotency-key"] = hashlib.sha256(key).hexdigest()
        passed["content-type"] = "application/json"
        passed["accept-encoding"] = "identity"
        passed["user-agent"] = "responsible-use-gateway"
        if self._options.credential:
            passed["authorization"] = f"Bearer {self._options.credential}"
        return passed

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
