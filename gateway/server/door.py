"""The ASGI application that clients talk to. Plain ASGI: nothing stands between bytes and pipeline.

Paths are looked up as they are after normalising; what is not known is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.core.apis import Dialect, Reply
from gateway.core.calls import Call
from gateway.core.errors import Refused
from gateway.core.exchange import Exchange, Outcome
from gateway.core.ids import new_id
from gateway.core.judgement import Principal, Refusal
from gateway.pipeline.admission import NO_MODEL
from gateway.pipeline.house import House
from gateway.pipeline.response import Head
from gateway.pipeline.run import run
from gateway.server import listings, sockets
from gateway.server.asgi import (
    JSON,
    Receive,
    Scope,
    Send,
    headers_of,
    json_reply,
    query_of,
    send_reply,
    start,
)
from gateway.server.body import BodyTooLarge, ClientLeft, read_body
from gateway.server.credentials import KEY_QUERY, key_of
from gateway.server.keepalive import Pings
from gateway.server.listings import Asked, Listing
from gateway.server.owned import Owned, Question
from gateway.server.paths import SOCKET, Match, Table, normal
from gateway.server.probes import PROBES, probe
from gateway.server.sockets import Handshake

OPENAPI = "/openapi.json"
_NO_HEADERS: Mapping[str, str] = {}

NO_KEY = Refusal(
    "invalid_api_key",
    "This needs a valid gateway key: it is missing, unknown, expired or revoked. Send "
    "'Authorization: Bearer gw_...', or put the key where your SDK puts one; "
    "'gateway keys new NAME' makes one.",
    401,
)
NO_PATH = Refusal(
    "unknown_path",
    "The gateway does not serve this path. 'gateway list' lists those that it serves, "
    "GET /v1/models its models.",
    404,
)
COMPRESSED = Refusal("unsupported_encoding", "Send the body without Content-Encoding.", 415)
TOO_LARGE = Refusal("request_too_large", "The body is larger than this gateway takes.", 413)
BUSY = Refusal("not_ready", "The gateway is not ready to judge requests.", 503, retry_after_s=5)


class Keys(Protocol):
    """Who may come in."""

    def authenticate(self, key: str) -> Principal | None:
        """Whose key this is, from memory."""

    async def authenticate_async(self, key: str) -> Principal | None:
        """The same, after another look at the database if the key is not known."""


@dataclass(frozen=True, slots=True)
class Door:
    """What one gateway process serves.

    owned: what is told of one thing. models: what there is to list (see `listings`), as OpenAI
    has it. ready: problems that keep it from serving, by part; empty if there are none.
    warnings: what is wrong but does not.
    openapi: the document that says what is served; empty if it is not told.
    """

    house: House
    keys: Keys
    paths: Table
    models: Callable[[], list[dict[str, Any]]]
    ready: Callable[[], Mapping[str, str]]
    warnings: Callable[[], Mapping[str, str]]
    max_body_bytes: int
    owned: Owned
    openapi: bytes = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's request. Lifespan is the roof's business, not ours."""
        if scope["type"] == "websocket":
            await self._session(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        method, path = scope["method"], normal(scope["path"])
        match = self.paths.find(method, path) if method != SOCKET else None
        if match is not None:
            await self._exchange(match, scope, receive, send)
        elif (page := self._open(path)) is not None:
            if method in ("GET", "HEAD"):
                await send_reply(send, page, head_only=method == "HEAD")
            else:
                await self._refuse_method(["GET"], path, send)
        elif (question := self.owned.find(path)) is not None:
            await self._tell(question, scope, send)
        elif (listed := listings.find(path)) is not None:
            await self._models(*listed, scope, receive, send)
        else:
            await self._refuse_method(self.paths.methods(path), path, send)

    def _open(self, path: str) -> Reply | None:
        """What anybody may read: how this process is, and what it serves."""
        if path in PROBES:
            return probe(path, self.ready(), self.warnings())
        if path == OPENAPI and self.openapi:
            return Reply(200, {"content-type": JSON}, self.openapi)
        return None

    async def _tell(self, question: Question, scope: Scope, send: Send) -> None:
        method, path = scope["method"], normal(scope["path"])
        if method not in ("GET", "HEAD"):
            await self._refuse_method(["GET"], path, send)
            return
        principal = await self._principal(key_of(headers_of(scope), query_of(scope)))
        if principal is None:
            await self._refuse(NO_KEY, path, send)
            return
        try:
            found = await question.tell(principal, question.id)
        except Refused as err:
            await self._refuse(err.refusal, path, send)
            return
        if found is None:
            await self._refuse(question.missing, path, send)
        else:
            await send_reply(send, json_reply(200, found), head_only=method == "HEAD")

    async def _models(
        self, listing: Listing, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        method, path = scope["method"], normal(scope["path"])
        if method != listing.method and (method, listing.method) != ("HEAD", "GET"):
            # Below a model there is nothing else, such as an operation of Gemini's not served.
            await self._refuse_method([] if name else [listing.method], path, send)
            return
        headers = headers_of(scope)
        if await self._principal(key_of(headers, query_of(scope))) is None:
            await self._refuse(NO_KEY, path, send)
            return
        try:
            body = await read_body(receive, headers, self.max_body_bytes)
        except BodyTooLarge:
            await self._refuse(TOO_LARGE, path, send)
            return
        except ClientLeft:
            return
        answer = listing.answer(Asked(self.models(), name, headers, body))
        if answer is None:
            await self._refuse(NO_MODEL, path, send)
            return
        await send_reply(send, json_reply(200, answer), head_only=method == "HEAD")

    async def _exchange(self, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
        headers, query = headers_of(scope), query_of(scope)
        exchange_id = new_id()
        refusal = self._unfit(headers, match.dialect)
        principal = await self._principal(key_of(headers, query))
        if principal is None:
            refusal = NO_KEY
        body = b""
        if refusal is None:
            try:
                body = await read_body(receive, headers, self.max_body_bytes)
            except BodyTooLarge:
                refusal = TOO_LARGE
            except ClientLeft:
                return
        if refusal is not None or principal is None:
            self.house.counters.add(f"refused_{(refusal or NO_KEY).code}_total")
            reply = match.dialect.refuse(refusal or NO_KEY, exchange_id)
            await send_reply(send, reply, exchange_id)
            return
        rest = tuple((k, v) for k, v in query if k != KEY_QUERY)
        media = headers.get("content-type", JSON)
        call = Call(body, scope["method"], match.params, rest, media, match.path)
        name = match.dialect.name
        exchange = Exchange(exchange_id, principal, name, match.path, headers, call)
        await self._answer(exchange, match.dialect, receive, send)

    async def _answer(
        self, exchange: Exchange, dialect: Dialect, receive: Receive, send: Send
    ) -> None:
        """Run the exchange; end it at once if the client leaves."""
        watch = asyncio.ensure_future(_left(receive, _this_task()))
        begun = False
        pings = Pings(send)
        try:
            async with aclosing(run(exchange, dialect, self.house)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Head):
                        await send(start(piece.status, piece.headers))
                        pings.start(piece.ping)
                        begun = True
                    else:
                        await pings.send(piece)
        except asyncio.CancelledError:
            if not (watch.done() and not watch.cancelled()):
                raise
            _this_task().uncancel()
            return
        finally:
            watch.cancel()
            await pings.stop()
        # A stream that broke on our side, or without a word, is not ended as if it were whole.
        if begun and exchange.outcome is not Outcome.FAILED and not exchange.cut_off:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _session(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A socket is opened for whoever may ask, and for what is there; else refused in HTTP."""
        headers, query = headers_of(scope), query_of(scope)
        handshake = Handshake.of(scope, headers)
        exchange_id, path = new_id(), normal(scope["path"])
        match = self.paths.find(SOCKET, path)
        principal = await self._principal(handshake.key or key_of(headers, query))
        refusal = NO_PATH if match is None else self._busy()
        if principal is None:
            refusal = NO_KEY
        if match is None or principal is None or refusal is not None:
            refusal = refusal or NO_KEY
            self.house.counters.add(f"refused_{refusal.code}_total")
            dialect = match.dialect if match else self.paths.nearest(path)
            await sockets.refuse(send, dialect.refuse(refusal, exchange_id), exchange_id)
            return
        rest = tuple((k, v) for k, v in query if k != KEY_QUERY)
        call = Call(b"", "GET", match.params, rest)
        name = match.dialect.name
        exchange = Exchange(exchange_id, principal, name, match.path, handshake.headers, call)
        line = sockets.line(receive, self.max_body_bytes)
        await sockets.serve(run(exchange, match.dialect, self.house, line), line, handshake, send)

    def _busy(self) -> Refusal | None:
        return BUSY if not self.ready().keys().isdisjoint(("keys", "detectors")) else None

    def _unfit(self, headers: Mapping[str, str], dialect: Dialect) -> Refusal | None:
        if headers.get("content-encoding", "identity").lower() != "identity":
            return COMPRESSED
        media = headers.get("content-type", dialect.media[0]).partition(";")[0].strip().lower()
        if media not in dialect.media:
            expected = " or ".join(dialect.media)
            return Refusal("unsupported_media_type", f"Send the body as {expected}.", 415)
        return self._busy()

    async def _principal(self, key: str) -> Principal | None:
        if not key:
            return None
        return self.keys.authenticate(key) or await self.keys.authenticate_async(key)

    async def _refuse_method(self, methods: Collection[str], path: str, send: Send) -> None:
        """Not by this method, or not at all if it is taken by none."""
        taken = [method for method in methods if method != SOCKET]
        words = f"{' and '.join(taken)} only" if taken else "WebSockets only"
        refusal = Refusal("method_not_allowed", f"This path takes {words}.", 405)
        # RFC 9110, section 15.5.6: whoever says so has to say what is allowed.
        allow = {"allow": ", ".join(taken)} if methods else {}
        await self._refuse(refusal if methods else NO_PATH, path, send, allow)

    async def _refuse(
        self, refusal: Refusal, path: str, send: Send, headers: Mapping[str, str] = _NO_HEADERS
    ) -> None:
        exchange_id = new_id()
        reply = self.paths.nearest(path).refuse(refusal, exchange_id)
        reply = Reply(reply.status, {**reply.headers, **headers}, reply.body)
        await send_reply(send, reply, exchange_id)


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a request is served in a task")
    return task


async def _left(receive: Receive, task: asyncio.Task[Any]) -> None:
    """Cancel the task when the client has left."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            task.cancel()
            return
