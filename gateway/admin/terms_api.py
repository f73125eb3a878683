"""Terms of use for programs, as JSON, and for people, as a page with forms."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.admin import terms_html
from gateway.admin.access import Access, same_site
from gateway.admin.bodies import form, json_object
from gateway.admin.console import Console
from gateway.admin.ports import AdminPorts
from gateway.admin.terms_acts import Terms, checked

MAX_BODY_BYTES = 16_384
_PATH = "/admin/v1/terms"


def routes(ports: AdminPorts, access: Access, console: Console) -> list[Route]:
    """What the admin app serves of terms of use."""
    api = _Api(ports, access, console)
    return [
        Route(_PATH, api.listing),
        Route(_PATH + "/acts", api.acts),
        Route(_PATH + "/profiles/{id:path}", api.show),
        Route(_PATH + "/{verb}", api.do, methods=["POST"]),
        Route("/terms", api.page),
        Route("/terms/{verb}", api.submit, methods=["POST"]),
    ]


class _Api:
    def __init__(self, ports: AdminPorts, access: Access, console: Console) -> None:
        self._terms = Terms(ports)
        self._access = access
        self._console = console

    async def listing(self, request: Request) -> Response:
        who = await self._access.known(request)
        return JSONResponse({"profiles": await self._terms.listing(who)})

    async def acts(self, request: Request) -> Response:
        who = await self._access.known(request)
        return JSONResponse({"acts": await self._terms.acts(who)})

    async def show(self, request: Request) -> Response:
        who = await self._access.known(request)
        return JSONResponse(await self._terms.show(who, request.path_params["id"]))

    async def do(self, request: Request) -> Response:
        """approve, accept, attest or withdraw, as `terms_acts.VERBS` has it."""
        who = await self._access.known(request)
        _own_site(request)
        said = checked(request.path_params["verb"], await json_object(request, MAX_BODY_BYTES))
        return JSONResponse(await self._terms.do(who, request.path_params["verb"], said))

    async def page(self, request: Request) -> Response:
        """All profiles, to read, approve and accept."""
        return await self._page(request)

    async def submit(self, request: Request) -> Response:
        """The same acts by forms of the page."""
        who = await self._access.known(request)
        _own_site(request)
        sent = await form(request, MAX_BODY_BYTES)
        try:
            given = {name: value.strip() for name, value in sent.items() if value.strip()}
            said = checked(request.path_params["verb"], given)
            await self._terms.do(who, request.path_params["verb"], said)
        except HTTPException as err:
            return await self._page(request, str(err.detail), err.status_code)
        return RedirectResponse("/terms", 303)

    async def _page(self, request: Request, problem: str = "", status: int = 200) -> Response:
        try:
            who = await self._access.session(request)
            if who is None:
                return self._console.sign_in(401)
            profiles, acts = await self._terms.profiles(who), await self._terms.acts(who)
        except HTTPException as err:
            return self._console.sign_in(err.status_code, str(err.detail))
        body = terms_html.terms(profiles, acts, acting="admin" in who.roles, problem=problem)
        return self._console.page(
            who, "Terms of use", body, here="terms", reads=True, status=status
        )


def _own_site(request: Request) -> None:
    if not same_site(request):
        raise HTTPException(403, "This was sent from another site.")
