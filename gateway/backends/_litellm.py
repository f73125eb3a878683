"""The one file that imports litellm: chat completions at any vendor's.

litellm knows how to put a chat completion to a hundred vendors. Everything else that it does
is switched off: it is held to one host, one try and the headers that vendors need; it reads no
`.env`, fetches no tables, calls nobody back and logs nothing.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import os
import ssl
import warnings
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpx

from gateway.backends._upstream import ERROR_BYTES, Upstream, at_once
from gateway.core.apis import BackendOptions
from gateway.core.errors import ConfigError, UpstreamError

INSTALL = "pip install 'responsible-use-gateway[translate]'"
# Read by litellm when it is imported. Each of the LOCAL ones spares a fetch.
_ENVIRONMENT = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
    "LITELLM_TELEMETRY": "False",
}
_FORGOTTEN = ("LITELLM_LOG", "SET_VERBOSE", "LITELLM_DROP_PARAMS", "LITELLM_MODIFY_PARAMS")
# What goes on of the headers that litellm and the SDKs below it make up.
_HEADERS = frozenset({
    "host", "accept", "content-type", "content-length", "transfer-encoding", "connection",
    "authorization", "x-api-key", "api-key", "x-goog-api-key", "x-goog-user-project",
    "anthropic-version", "anthropic-beta",
})  # fmt: skip
# They write requests, headers or addresses into the log at some level.
_TOLD_TOO_MUCH = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "openai", "anthropic", "httpx",
                  "httpcore", "botocore", "boto3", "google", "urllib3")  # fmt: skip
_OWN_HEADERS = {"user-agent": "responsible-use-gateway", "accept-encoding": "identity"}
_NO_KEY = "none"
# Whose streams litellm 1.106 cannot read: Cohere's events have names, and calls of tools that
# stand elsewhere than it looks for them.
_UNSTREAMED = ("cohere", "cohere_chat")
_GOOGLES_KEY = "x-goog-api-key"


_upstream: ContextVar[Upstream] = ContextVar("upstream")
_door: ContextVar[_Door] = ContextVar("door")


def installed() -> bool:
    """Whether litellm is there; it is not imported by asking."""
    return importlib.util.find_spec("litellm") is not None


def load() -> Any:
    """litellm, tamed. Takes seconds the first time. Raises ConfigError if it is not installed."""
    if not installed():
        raise ConfigError(f"translation between APIs needs litellm, which is missing: {INSTALL}")
    os.environ.update(_ENVIRONMENT)
    for name in _FORGOTTEN:
        os.environ.pop(name, None)
    litellm: Any = importlib.import_module("litellm")
    warnings.filterwarnings("ignore", "Item '.*' on TypedDict class", UserWarning)
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    litellm.redact_messages_in_exceptions = True
    litellm.disable_streaming_logging = True
    litellm.drop_params = False
    litellm.modify_params = False
    litellm.num_retries = 0
    for name in _TOLD_TOO_MUCH:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.CRITICAL + 1)
    _lead_out()
    return litellm


def _lead_out() -> None:
    """Give each client that litellm makes by itself, as for Cohere, the one way out."""
    handler: Any = _http_handlers().AsyncHTTPHandler
    make = handler.create_client
    if not hasattr(make, "led_out"):

        def create_client(self: Any, *args: Any, **kwargs: Any) -> Any:
            self.transport = self.transport or _Way()
            self.follow_redirects = False
            return make(self, *args, **kwargs)

        create_client.led_out = True  # type: ignore[attr-defined]
        handler.create_client = create_client


def _http_handlers() -> Any:
    return importlib.import_module("litellm.llms.custom_httpx.http_handler")


class Vendor:
    """One upstream of one provider, as litellm calls it. provider: litellm's name for it.

    by_token: the credential is a bearer's token, whatever litellm takes it for.
    """

    def __init__(self, provider: str, options: BackendOptions, *, by_token: bool = False) -> None:
        self.provider = provider
        self._options = options
        self._door = _Door(options, by_token=by_token)
        self._litellm: Any = None
        self._client: Any = None

    async def ready(self) -> None:
        """Import litellm and make a client, the first time: seconds, so in a thread."""
        if self._litellm is None:
            self._litellm = await asyncio.to_thread(load)
            self._client = self._make_client()

    async def ask(self, asked: Mapping[str, Any], model: str, upstream: Upstream) -> Any:
        """Put a chat completion: a dict, or an iterator of them if `stream` is in it.

        What litellm or the vendor makes of it is raised as it comes; `upstream` says more.
        """
        _upstream.set(upstream)
        _door.set(self._door)
        stream = asked.get("stream") is True
        whole = stream and self.provider in _UNSTREAMED
        if whole:
            asked = {k: v for k, v in asked.items() if k not in ("stream", "stream_options")}
        answer = await self._litellm.acompletion(**asked, **self._always(model))
        if stream and not whole:
            return _chunks(answer, upstream)
        _check(upstream)
        return at_once(answer.model_dump()) if stream else answer.model_dump()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._door.aclose()

    def _always(self, model: str) -> dict[str, Any]:
        options = self._options
        settings = {k: v for k, v in options.settings.items() if k != "provider"}
        times = httpx.Timeout(
            options.between_bytes_s,
            connect=options.connect_s,
            read=max(options.first_byte_s, options.between_bytes_s),
        )
        return {
            **settings,
            "model": f"{self.provider}/{model}",
            "api_key": options.credential or self._no_key(),
            "api_base": options.url or None,
            "client": self._client,
            "timeout": times,
            "num_retries": 0,
            "max_retries": 0,
            "no-log": True,
            "caching": False,
            "_skip_mcp_handler": True,
            "_skip_responses_api_bridge": True,
        }

    def _no_key(self) -> str | None:
        """What keeps litellm from looking for a key in the environment, if it should not."""
        if any(name.startswith("aws_") for name in self._options.settings):
            # Any other than an empty one would be shown instead of the signature.
            return ""
        return _NO_KEY if self._options.url else None

    def _make_client(self) -> Any:
        if self.provider == "openai":
            openai = importlib.import_module("openai")
            return openai.AsyncOpenAI(
                api_key=self._options.credential or _NO_KEY,
                base_url=self._options.url,
                max_retries=0,
                http_client=httpx.AsyncClient(
                    transport=self._door, follow_redirects=False, trust_env=False
                ),
            )
        return _http_handlers().AsyncHTTPHandler(transport=self._door, follow_redirects=False)


class _Door(httpx.AsyncBaseTransport):
    """The only way out: to the backend's own host, with few headers, noting what comes back."""

    def __init__(self, options: BackendOptions, *, by_token: bool) -> None:
        self._by_token = by_token
        self._only = _origin(httpx.URL(options.url)) if options.url else None
        self._inner = httpx.AsyncHTTPTransport(verify=_trust(), retries=0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._only is not None and _origin(request.url) != self._only:
            raise httpx.ConnectError("not the backend's host", request=request)
        # A copy: the SDKs look into their own request for headers that do not go on.
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in _HEADERS or name.startswith("x-amz-")
        }
        if self._by_token and _GOOGLES_KEY in headers:
            headers["authorization"] = f"Bearer {headers.pop(_GOOGLES_KEY)}"
        sent = httpx.Request(
            request.method,
            request.url,
            headers={**headers, **_OWN_HEADERS},
            stream=request.stream,
            extensions=request.extensions,
        )
        response = await self._inner.handle_async_request(sent)
        upstream = _upstream.get(None)
        if upstream is not None:
            await _note(response, upstream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Way(httpx.AsyncBaseTransport):
    """The door of the vendor that is being asked; nobody else is asked by anything."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        door = _door.get(None)
        if door is None:
            raise httpx.ConnectError("asked by nobody", request=request)
        return await door.handle_async_request(request)


async def _note(response: httpx.Response, upstream: Upstream) -> None:
    upstream.status = response.status_code
    upstream.headers = {key.lower(): value for key, value in response.headers.items()}
    if response.status_code < 400:
        upstream.closers.append(response.aclose)
        return
    pieces = bytearray()
    async for piece in response.aiter_raw():
        pieces += piece
        if len(pieces) > ERROR_BYTES:
            break
    await response.aclose()
    upstream.error = bytes(pieces[:ERROR_BYTES])
    # Read already: litellm gets the same bytes once more.
    response.stream = httpx.ByteStream(upstream.error)


@cache
def _trust() -> ssl.SSLContext:
    """Made once: reading all certificates takes as long as a call."""
    return httpx.create_ssl_context(trust_env=False)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


async def _chunks(answer: Any, upstream: Upstream) -> AsyncIterator[dict[str, Any]]:
    async for chunk in answer:
        _check(upstream)
        yield chunk.model_dump()


def _check(upstream: Upstream) -> None:
    """Raises UpstreamError for an answer that came in by another way than the door."""
    if not upstream.status:
        raise UpstreamError("litellm asked this vendor past the gateway")
