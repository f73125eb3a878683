"""The admin app's routes. Probes and metrics are open; everything else asks for a key.

It never stands on the port where traffic comes in. Content is shown of held requests alone, to
their reviewers: the log holds none.
"""

from __future__ import annotations

from dataclasses import asdict

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.admin import asking, bodies, metrics, payloads, policies, quiet_api, reads, terms_api
from gateway.admin import review_api as api
from gateway.admin import review_pages as pages
from gateway.admin.access import READERS, Access, same_site, with_role
from gateway.admin.console import Console
from gateway.admin.nul import WithoutNul
from gateway.admin.ports import AdminPorts
from gateway.admin.session import COOKIE, SESSION_S, issue

_MAX_FORM_BYTES = 4_096


def build(ports: AdminPorts) -> ASGIApp:
    """The ASGI application."""
    admin = _Admin(ports)
    app = Starlette(
        routes=[
            Route("/livez", admin.probe),
            Route("/readyz", admin.probe),
            Route("/metrics", admin.metrics),
            Route("/admin/v1/status", admin.status),
            Route("/admin/v1/exchanges", admin.exchanges),
            Route("/admin/v1/exchanges/{id}", admin.exchange),
            *api.routes(ports, admin.access),
            *asking.routes(ports, admin.access),
            *pages.routes(ports, admin.access, admin.console),
            *payloads.routes(ports, admin.access),
            *policies.routes(ports, admin.access),
            *quiet_api.routes(ports, admin.access),
            *terms_api.routes(ports, admin.access, admin.console),
            Route("/", admin.page),
            Route("/login", admin.login, methods=["POST"]),
            Route("/logout", admin.logout, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _refused},
    )
    return _Guarded(WithoutNul(app), admin.console.policy)


class _Admin:
    """The endpoints."""

    def __init__(self, ports: AdminPorts) -> None:
        self._ports = ports
        self.access = Access(ports)
        self.console = Console(ports)

    async def probe(self, request: Request) -> Response:
        reply = self._ports.probe(request.url.path)
        return Response(reply.body, reply.status, dict(reply.headers))

    async def metrics(self, _request: Request) -> Response:
        ports = self._ports
        text = metrics.exposition(
            dict(ports.counters.values),
            ready=not ports.problems(),
            version=ports.version,
            bundle=ports.bundle().digest,
        )
        return PlainTextResponse(text, media_type=metrics.CONTENT_TYPE)

    async def status(self, request: Request) -> Response:
        await self.access.reader(request)
        ports = self._ports
        return JSONResponse(
            {
                "version": ports.version,
                "ready": not ports.problems(),
                "problems": dict(ports.problems()),
                "warnings": dict(ports.warnings()),
                "bundle": asdict(ports.bundle()),
                "detectors": [asdict(detector) for detector in ports.detectors],
                "models": [asdict(model) for model in ports.models()],
                "counters": dict(ports.counters.values),
            }
        )

    async def exchanges(self, request: Request) -> Response:
        who = await self.access.reader(request)
        found = reads.search(request.query_params)
        rows = await reads.entries(self._ports, who, found, via="api")
        return JSONResponse({"entries": rows, "next": reads.place(rows, found.limit)})

    async def exchange(self, request: Request) -> Response:
        who = await self.access.reader(request)
        return JSONResponse(await reads.exchange(self._ports, who, request.path_params["id"]))

    async def page(self, request: Request) -> Response:
        try:
            who = await self.access.session(request)
            if who is None:
                return self.console.sign_in(401 if COOKIE in request.cookies else 200)
            if READERS.isdisjoint(who.roles):
                return RedirectResponse("/reviews", 303)
            return await self.console.overview(request, who)
        except HTTPException as err:
            return self.console.sign_in(err.status_code, str(err.detail))

    async def login(self, request: Request) -> Response:
        if not same_site(request):
            raise HTTPException(403, "This form was sent from another site.")
        sent = await bodies.form(request, _MAX_FORM_BYTES, fields=4)
        key = sent.get("key", "").strip()
        try:
            who = with_role(await self.access.holder(request, key))
        except HTTPException as err:
            return self.console.sign_in(err.status_code, str(err.detail))
        ports = self._ports
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            issue(ports.session_key, who.key_id, ports.clock.now_ms()),
            max_age=SESSION_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    async def logout(self, request: Request) -> Response:
        if not same_site(request):
            raise HTTPException(403, "This form was sent from another site.")
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer


async def _refused(_request: Request, err: Exception) -> Response:
    if not isinstance(err, HTTPException):
        raise err
    return JSONResponse(
        {"error": {"status": err.status_code, "message": err.detail}},
        err.status_code,
        dict(err.headers or {}),
    )


class _Guarded:
    """Puts the headers on every answer that keep pages from being framed, kept or guessed at."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = [
            (b"content-security-policy", policy.encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            # Not no-referrer: forms would then come with the origin "null".
            (b"referrer-policy", b"same-origin"),
            (b"cache-control", b"no-store"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; add to the head."""

        async def added(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self._app(scope, receive, added)
