"""The ASGI application that clients talk to. Plain ASGI: nothing stands between bytes and pipeline.

Paths are looked up as they are after normalising; what is not known is refused.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

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
from gateway.server.body import BodyTooLarge, ClientLeft, read_body
from gateway.server.keepalive import Pings
from gateway.server.listings import Asked, Listing
from gateway.server.paths import SOCKET, Match, Table, normal
from gateway.server.sockets import Handshake

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Explain = Callable[[Principal, str], Awaitable[dict[str, Any] | None]]

_JSON = "application/json"
_NO_HEADERS: Mapping[str, str] = {}
_EXPLAIN = re.compile(r"/v1/exchanges/(?P<id>[^/]{1,100})/explain", re.IGNORECASE)
_NOTICES = re.compile(r"/v1/models/(?P<id>.{1,200})/notices", re.IGNORECASE)
_PROOF = re.compile(r"/v1/audit/(?P<id>[^/]{1,100})/proof", re.IGNORECASE)
_REVIEW = re.compile(r"/v1/reviews/(?P<id>[^/]{1,100})", re.IGNORECASE)

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
# Where the vendors' clients put their key; the first that is there counts.
KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
KEY_QUERY = "key"
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

    explain: what is known of an exchange to whoever made it, or None; raises Refused.
    prove: the proof that the log has it, likewise. review: how a review stands, likewise.
    notices: what users of a model must be shown.
    models: what there is to list (see `listings`), as OpenAI has it. ready: problems that keep
    it from serving, by part; empty if there are none. warnings: what is wrong but does not.
    openapi: the document that says what is served; empty if it is not told.
    """

    house: House
    keys: Keys
    paths: Table
    models: Callable[[], list[dict[str, Any]]]
    ready: Callable[[], Mapping[str, str]]
    warnings: Callable[[], Mapping[str, str]]
    max_body_bytes: int
    explain: Explain | None = None
    prove: Explain | None = None
    review: Explain | None = None
    notices: Explain | None = None
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
                await _send(send, page, head_only=method == "HEAD")
            else:
                await self._refuse_method(["GET"], path, send)
        elif (own := self._own(path)) is not None:
            await self._tell(*own, scope, send)
        elif (listed := listings.find(path)) is not None:
            await self._models(*listed, scope, receive, send)
        else:
            await self._refuse_method(self.paths.methods(path), path, send)

    def _open(self, path: str) -> Reply | None:
        """What anybody may read: how this process is, and what it serves."""
        if path in PROBES:
            return probe(path, self.ready(), self.warnings())
        if path == OPENAPI and self.openapi:
            return Reply(200, {"content-type": _JSON}, self.openapi)
        return None

    def _own(self, path: str) -> tuple[str, Explain, Refusal] | None:
        """An id, what tells its owner of it, and what is said if there is nothing to tell.

        None if the path is no such thing. A model's name keeps its spelling.
        """
        if self.notices is not None and (found := _NOTICES.fullmatch(path)):
            return found["id"], self.notices, NO_MODEL
        for form, tell, missing in (
            (_EXPLAIN, self.explain, _NO_EXCHANGE),
            (_PROOF, self.prove, _NO_EXCHANGE),
            (_REVIEW, self.review, _NO_REVIEW),
        ):
            if tell is not None and (found := form.fullmatch(path)):
                return found["id"].lower(), tell, missing
        return None

    async def _tell(
        self, id_: str, tell: Explain, missing: Refusal, scope: Scope, send: Send
    ) -> None:
        method, path = scope["method"], normal(scope["path"])
        if method not in ("GET", "HEAD"):
            await self._refuse_method(["GET"], path, send)
            return
        principal = await self._principal(_key(_headers(scope), _query(scope)))
        if principal is None:
            await self._refuse(NO_KEY, path, send)
            return
        try:
            found = await tell(principal, id_)
        except Refused as err:
            await self._refuse(err.refusal, path, send)
            return
        if found is None:
            await self._refuse(missing, path, send)
        else:
            await _send(send, _json(200, found), head_only=method == "HEAD")

    async def _models(
        self, listing: Listing, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        method, path = scope["method"], normal(scope["path"])
        if method != listing.method and (method, listing.method) != ("HEAD", "GET"):
            # Below a model there is nothing else, such as an operation of Gemini's not served.
            await self._refuse_method([] if name else [listing.method], path, send)
            return
        headers = _headers(scope)
        if await self._principal(_key(headers, _query(scope))) is None:
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
        await _send(send, _json(200, answer), head_only=method == "HEAD")

    async def _exchange(self, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
        headers, query = _headers(scope), _query(scope)
        exchange_id = new_id()
        refusal = self._unfit(headers, match.dialect)
        principal = await self._principal(_key(headers, query))
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
            await _send(send, reply, exchange_id)
            return
        rest = tuple((k, v) for k, v in query if k != KEY_QUERY)
        media = headers.get("content-type", _JSON)
        call = Call(body, scope["method"], match.params, rest, media, match.path)
        name = match.dialect.name
        exchange = Exchange(exchange_id, principal, name, match.path, headers, call)
        await self._answer(exchange, match.dialect, receive, send)

    async def _answer(
        self, exchange: Exchange, dialect: Dialect, receive: Receive, send: Send
    ) -> None:
        """Run the exchange; end it at once if the client leaves."""
        watch = asyncio.ensure_future(_left(receive, _this_task()))
        started = False
        pings = Pings(send)
        try:
            async with aclosing(run(exchange, dialect, self.house)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Head):
                        await send(_start(piece.status, piece.headers))
                        pings.start(piece.ping)
                        started = True
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
        if started and exchange.outcome is not Outcome.FAILED and not exchange.cut_off:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _session(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A socket is opened for whoever may ask, and for what is there; else refused in HTTP."""
        headers, query = _headers(scope), _query(scope)
        handshake = Handshake.of(scope, headers)
        exchange_id, path = new_id(), normal(scope["path"])
        match = self.paths.find(SOCKET, path)
        principal = await self._principal(handshake.key or _key(headers, query))
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
        await _send(send, reply, exchange_id)


# The last is where Anthropic's coding client looks whether its gateway is there
# (code.claude.com, LLM gateway protocol, 2026).
PROBES = ("/livez", "/readyz", "/api/hello")
OPENAPI = "/openapi.json"
# The same for what others made and for what nobody did, so that guessing tells nothing.
_NO_EXCHANGE = Refusal("not_found", "No exchange with this id was made with this key.", 404)
_NO_REVIEW = Refusal("not_found", "No request made with this key has such a review.", 404)


def probe(path: str, problems: Mapping[str, str], warnings: Mapping[str, str]) -> Reply:
    """The answer to /readyz (503 with the problems by part), and to the others (always well)."""
    if path != "/readyz":
        return _json(200, {"status": "ok"})
    if not problems:
        return _json(200, {"status": "ok", **({"warnings": dict(warnings)} if warnings else {})})
    return _json(503, {"status": "not ready", "problems": dict(problems)})


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


def _headers(scope: Scope) -> dict[str, str]:
    """By name in lower case. Lines of one name are one list (RFC 9110, section 5.3).

    So what may stand there only once, such as a key or a type, is no longer one if it came twice.
    """
    found: dict[str, str] = {}
    for raw_name, raw in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _query(scope: Scope) -> list[tuple[str, str]]:
    text = scope.get("query_string", b"").decode("latin-1")
    return parse_qsl(text, keep_blank_values=True)


def _key(headers: Mapping[str, str], query: list[tuple[str, str]]) -> str:
    """The gateway key of a request, wherever its client's vendor puts keys; empty if nowhere."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    for name in KEY_HEADERS:
        if headers.get(name):
            return headers[name].strip()
    return dict(query).get(KEY_QUERY, "")


def _json(status: int, value: Any) -> Reply:
    return Reply(status, {"content-type": _JSON}, json.dumps(value).encode())


def _start(status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    pairs = [(k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


async def _send(
    send: Send, reply: Reply, exchange_id: str = "", *, head_only: bool = False
) -> None:
    headers = {**reply.headers, "content-length": str(len(reply.body))}
    if exchange_id:
        headers |= {
            "x-request-id": exchange_id,
            "gw-request-id": exchange_id,
            "gw-decision": "error",
            "ai-disclosure": "mode=none",
        }
    await send(_start(reply.status, headers))
    body = b"" if head_only else reply.body
    await send({"type": "http.response.body", "body": body, "more_body": False})
