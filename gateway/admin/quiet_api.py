"""Quiet values for programs: a value that was found falsely is marked, listed and ended here.

Each act is on record before it counts. The value itself is neither kept nor told again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.admin.access import Access, reading, same_site
from gateway.admin.bodies import json_object
from gateway.admin.ports import AdminPorts
from gateway.core.errors import ConfigError, RecordUnavailable
from gateway.core.judgement import Principal
from gateway.core.ports import Entry
from gateway.db import failures
from gateway.quieting.store import ENDED, QUIETED, FalseHit, QuietValue

MAX_BODY_BYTES = 32_768
_PATH = "/admin/v1/quiet-values"
_NEEDED = {"category", "value"}
_TEXTS = (*sorted(_NEEDED), "tenant", "reason")


def routes(ports: AdminPorts, access: Access) -> list[Route]:
    """What the admin app serves of them."""
    api = _Api(ports, access)
    return [
        Route(_PATH, api.listing),
        Route(_PATH, api.mark, methods=["POST"]),
        Route(_PATH + "/{id}", api.end, methods=["DELETE"]),
    ]


class _Api:
    def __init__(self, ports: AdminPorts, access: Access) -> None:
        self._ports = ports
        self._access = access
        self._failures = failures(ports.engine)

    async def listing(self, request: Request) -> Response:
        """For readers; who is no admin sees its own tenant's."""
        who = reading(await self._access.known(request))
        tenant = None if "admin" in who.roles else who.tenant
        found: list[QuietValue] = await self._asked(lambda: self._ports.quiet.all(tenant))
        return JSONResponse({"quiet_values": [asdict(each) for each in found]})

    async def mark(self, request: Request) -> Response:
        who = await self._acting(request)
        said = _checked(await json_object(request, MAX_BODY_BYTES))
        made: QuietValue = await self._asked(lambda: self._ports.quiet.read(_false_hit(said, who)))
        await self._record(who, QUIETED, made)
        await self._asked(lambda: self._ports.quiet.add(made))
        return JSONResponse(asdict(made), 201)

    async def end(self, request: Request) -> Response:
        who = await self._acting(request)
        id_ = request.path_params["id"]
        known: QuietValue | None = await self._asked(lambda: self._ports.quiet.get(id_))
        if known is None:
            raise HTTPException(404, "There is no such quiet value.")
        await self._record(who, ENDED, known)
        await self._asked(lambda: self._ports.quiet.end(id_))
        return JSONResponse({"id": id_, "ended": True})

    async def _acting(self, request: Request) -> Principal:
        who = await self._access.known(request)
        if not same_site(request):
            raise HTTPException(403, "This was sent from another site.")
        if "admin" not in who.roles:
            raise HTTPException(403, "Only a key with the role admin marks false hits.")
        return who

    async def _record(self, who: Principal, kind: str, value: QuietValue) -> None:
        entry = Entry(
            exchange_id="",
            kind=kind,
            core={"via": "admin", **value.core},
            tenant=value.tenant,
            application=who.application,
            key_id=who.key_id,
        )
        try:
            await self._ports.sink.append(entry)
        except RecordUnavailable as err:
            raise HTTPException(503, "The log cannot record this, so it was not done.") from err

    async def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return await asyncio.to_thread(ask)
        except ConfigError as err:
            raise HTTPException(409, str(err)) from err
        except self._failures as err:
            raise HTTPException(503, "The database does not answer.") from err


def _false_hit(said: dict[str, Any], who: Principal) -> FalseHit:
    return FalseHit(
        said.get("tenant") or who.tenant,
        said["category"],
        said["value"],
        said.get("reason", ""),
        who.key_id,
        said.get("days", 0),
    )


def _checked(said: dict[str, Any]) -> dict[str, Any]:
    """What was sent. Raises HTTPException 400, which does not quote it."""
    whole = isinstance(said.get("days", 0), int) and not isinstance(said.get("days", 0), bool)
    texts = all(isinstance(said.get(name, ""), str) for name in _TEXTS)
    if not said.keys() >= _NEEDED or said.keys() - {*_TEXTS, "days"} or not (whole and texts):
        raise HTTPException(
            400, "Expected 'category' and 'value', and maybe 'tenant', 'reason' and 'days'."
        )
    return said
