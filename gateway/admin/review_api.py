"""Reviews as JSON: list, read, approve, edit, refuse. Which of them, the key's roles say."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.admin.access import Access, same_site
from gateway.admin.bodies import json_object
from gateway.admin.ports import AdminPorts
from gateway.core.reviews import ReviewState
from gateway.review.desk import MAX_LISTED, CannotReview
from gateway.review.info import facts

MAX_BODY_BYTES = 8 * 1024 * 1024
_PATH = "/admin/v1/reviews"
_PARAMETERS = ("state", "limit", "after")


def routes(ports: AdminPorts, access: Access) -> list[Route]:
    """What the admin app serves of reviews to programs."""
    api = _Api(ports, access)
    return [
        Route(_PATH, api.listing),
        Route(_PATH + "/{id}", api.show),
        Route(_PATH + "/{id}/{verb}", api.decide, methods=["POST"]),
    ]


class _Api:
    def __init__(self, ports: AdminPorts, access: Access) -> None:
        self._desk = ports.reviews
        self._access = access

    async def listing(self, request: Request) -> Response:
        """?state=waiting (or any, or several with commas), ?limit, ?after: `next` of the page."""
        who = await self._access.known(request)
        asked = request.query_params
        unknown = sorted(set(asked) - set(_PARAMETERS))
        if unknown:
            known = ", ".join(_PARAMETERS)
            raise HTTPException(400, f"Unknown parameter {unknown[0][:40]!r}. Known: {known}.")
        limit = asked.get("limit", "100")
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= MAX_LISTED:
            raise HTTPException(400, f"limit: expected a number from 1 to {MAX_LISTED}.")
        try:
            found, after = await self._desk.listing(
                who,
                states(asked.get("state", "waiting")),
                limit=int(limit),
                after=_place(asked.get("after", "")),
            )
        except CannotReview as err:
            raise refused(err) from err
        following = f"{after[0]}.{after[1]}" if after else None
        return JSONResponse({"reviews": [facts(info) for info in found], "next": following})

    async def show(self, request: Request) -> Response:
        """One review, with what its request says as long as it waits."""
        who = await self._access.known(request)
        try:
            info, said = await self._desk.read(who, request.path_params["id"])
        except CannotReview as err:
            raise refused(err) from err
        return JSONResponse({**facts(info), "own": info.key_id == who.key_id, "request": said})

    async def decide(self, request: Request) -> Response:
        """approve: {}. edit: {"texts": {path: text}}. refuse: {"words": "..."}."""
        who = await self._access.known(request)
        if not same_site(request):
            raise HTTPException(403, "This was sent from another site.")
        id_, verb, body = request.path_params["id"], request.path_params["verb"], {}
        if verb not in _FIELDS:
            raise HTTPException(404, f"A review takes {', '.join(_FIELDS)}.")
        body = await _body(request, verb)
        try:
            if verb == "approve":
                info = await self._desk.approve(who, id_)
            elif verb == "edit":
                info = await self._desk.edit(who, id_, body["texts"])
            else:
                info = await self._desk.refuse(who, id_, body["words"])
        except CannotReview as err:
            raise refused(err) from err
        return JSONResponse(facts(info))


def states(text: str) -> list[ReviewState]:
    """The states that a query names. Raises HTTPException 400."""
    if text == "any":
        return list(ReviewState)
    try:
        return [ReviewState(word.strip()) for word in text.split(",")]
    except ValueError:
        known = ", ".join(["any", *ReviewState])
        raise HTTPException(400, f"state: unknown {text[:40]!r}. Known: {known}.") from None


def refused(err: CannotReview) -> HTTPException:
    """What a reviewer is told whose wish is not done."""
    return HTTPException(err.status, str(err))


# What each takes.
_FIELDS = {"approve": (), "edit": ("texts",), "refuse": ("words",)}


async def _body(request: Request, verb: str) -> dict[str, Any]:
    value = await json_object(request, MAX_BODY_BYTES)
    wanted = _FIELDS[verb]
    if set(value) != set(wanted):
        names = " and ".join(repr(name) for name in wanted) or "nothing in it"
        raise HTTPException(400, f"{verb}: expected a JSON object with {names}.")
    texts = value.get("texts", {})
    if not isinstance(texts, dict) or not all(isinstance(t, str) for t in texts.values()):
        raise HTTPException(400, "texts: expected texts by path.")
    if not isinstance(value.get("words", ""), str):
        raise HTTPException(400, "words: expected a text.")
    return value


def _place(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    ms, _, id_ = text.partition(".")
    if not (ms.isascii() and ms.isdigit() and len(ms) <= 15 and id_):
        raise HTTPException(400, "after: expected `next` of the page before.")
    return int(ms), id_
