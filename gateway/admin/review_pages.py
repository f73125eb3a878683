"""The pages of reviews: the queue, one request with what was found in it, and the decision.

No script: a decision is a form, and what comes back says what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.admin import review_html as html
from gateway.admin.access import READERS, Access, same_site
from gateway.admin.bodies import form
from gateway.admin.console import Console
from gateway.admin.ports import AdminPorts
from gateway.admin.review_api import MAX_BODY_BYTES
from gateway.core.judgement import Principal
from gateway.core.reviews import ReviewState
from gateway.review.desk import MAX_LISTED, CannotReview
from gateway.review.info import ReviewInfo

_ENDED = tuple(state for state in ReviewState if state is not ReviewState.WAITING)
_MAX_FIELDS = 10_000


def routes(ports: AdminPorts, access: Access, console: Console) -> list[Route]:
    """What the admin app serves of reviews to people."""
    pages = _Pages(ports, access, console)
    return [
        Route("/reviews", pages.queue),
        Route("/reviews/{id}", pages.one),
        Route("/reviews/{id}", pages.decide, methods=["POST"]),
    ]


class _Pages:
    def __init__(self, ports: AdminPorts, access: Access, console: Console) -> None:
        self._ports = ports
        self._desk = ports.reviews
        self._access = access
        self._console = console

    async def queue(self, request: Request) -> Response:
        """What waits for whoever asks, the oldest first; or what was decided."""
        who = await self._access.session(request)
        if who is None:
            return self._console.sign_in(401)
        ended = request.query_params.get("show") == "ended"
        states = _ENDED if ended else (ReviewState.WAITING,)
        try:
            found, more = await self._desk.listing(who, states, limit=MAX_LISTED)
        except CannotReview as err:
            return self._page(who, "Reviews", html.problem(str(err)), err.status)
        now_ms = self._ports.clock.now_ms()
        body = html.queue(
            found, who=who, now_ms=now_ms, ended=ended, more=more is not None,
            said=_said(request.query_params),
        )  # fmt: skip
        return self._page(who, "Reviews", body)

    async def one(self, request: Request) -> Response:
        """One request. That it was read is on record."""
        who = await self._access.session(request)
        if who is None:
            return self._console.sign_in(401)
        return await self._shown(who, request.path_params["id"])

    async def decide(self, request: Request) -> Response:
        """A form of the page: the button says what is to be done."""
        if not same_site(request):
            raise HTTPException(403, "This form was sent from another site.")
        who = await self._access.session(request)
        if who is None:
            return self._console.sign_in(401)
        id_ = request.path_params["id"]
        sent = await form(request, MAX_BODY_BYTES, fields=_MAX_FIELDS)
        try:
            info = await self._done(who, id_, sent)
        except CannotReview as err:
            return await self._shown(who, id_, str(err), err.status)
        return RedirectResponse(f"/reviews?done={info.state.value}", 303)

    async def _done(self, who: Principal, id_: str, said: Mapping[str, str]) -> ReviewInfo:
        verb = said.get("do", "")
        if verb == "approve":
            return await self._desk.approve(who, id_)
        if verb == "refuse":
            return await self._desk.refuse(who, id_, said.get("words", ""))
        if verb == "edit":
            # Browsers send line ends as CR LF (HTML, "Constructing the entry list").
            texts = {
                name.removeprefix("text:"): value.replace("\r\n", "\n")
                for name, value in said.items()
                if name.startswith("text:")
            }
            return await self._desk.edit(who, id_, texts)
        raise CannotReview(400, "Approve it, edit it or refuse it.")

    async def _shown(
        self, who: Principal, id_: str, problem: str = "", status: int = 200
    ) -> Response:
        try:
            info, said = await self._desk.read(who, id_)
        except CannotReview as err:
            return self._page(who, "Review", html.problem(problem or str(err)), err.status)
        now_ms = self._ports.clock.now_ms()
        body = html.one(info, said, own=info.key_id == who.key_id, now_ms=now_ms, problem=problem)
        return self._page(who, "Review", body, status)

    def _page(self, who: Principal, title: str, body: str, status: int = 200) -> Response:
        reads = not READERS.isdisjoint(who.roles)
        return self._console.page(who, title, body, here="reviews", reads=reads, status=status)


def _said(params: Mapping[str, str]) -> str:
    """What a decision came to, for the page that follows it."""
    done = params.get("done", "")
    return done if done in list(ReviewState) else ""
