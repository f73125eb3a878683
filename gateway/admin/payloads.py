"""What is kept of texts, for programs, as JSON: asked for with a reason, each time on record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.admin.access import Access, same_site
from gateway.admin.bodies import json_object
from gateway.admin.ports import AdminPorts
from gateway.audit.custody import Actor
from gateway.audit.reading import MayNotRead, Readings
from gateway.core.errors import ConfigError, RecordUnavailable
from gateway.core.judgement import Principal
from gateway.core.ports import Entry
from gateway.db import failures

ROLE = "payload_reader"
MAX_BODY_BYTES = 16_384
_RECORD_S = 15
_PATH = "/admin/v1/payloads"


def routes(ports: AdminPorts, access: Access) -> list[Route]:
    """What the admin app serves of kept texts."""
    api = _Api(ports, access)
    return [
        Route(_PATH + "/readings", api.listing),
        Route(_PATH + "/readings/{id}/approve", api.approve, methods=["POST"]),
        Route(_PATH + "/{exchange_id}", api.read, methods=["POST"]),
    ]


class _Api:
    def __init__(self, ports: AdminPorts, access: Access) -> None:
        self._ports = ports
        self._access = access
        self._failures = failures(ports.engine)

    async def listing(self, request: Request) -> Response:
        """Who may read what now, or waits for it."""
        who = await self._reader(request)
        found = await self._asked(self._readings(who).listing)
        return JSONResponse({"readings": [asdict(each) for each in found]})

    async def read(self, request: Request) -> Response:
        """The texts of an exchange; 202 if somebody else must approve it first."""
        who = await self._reader(request)
        by, readings = await self._by(request, who), self._readings(who)
        asked = await self._asked(readings.ask, by, request.path_params["exchange_id"])
        if not asked.approved:
            return JSONResponse({"reading": asdict(asked)}, 202)
        texts = await self._asked(readings.read, by, asked.reading_id)
        return JSONResponse({"reading": asdict(asked), "payloads": texts})

    async def approve(self, request: Request) -> Response:
        """Let somebody else read."""
        who = await self._reader(request)
        by, readings = await self._by(request, who), self._readings(who)
        approved = await self._asked(readings.approve, by, request.path_params["id"])
        return JSONResponse({"reading": asdict(approved)})

    async def _reader(self, request: Request) -> Principal:
        who = await self._access.known(request)
        if ROLE not in who.roles:
            raise HTTPException(
                403, f"This key has not the role {ROLE}, and no other reads texts. An operator can "
                f"make one: gateway keys new NAME --role {ROLE}",
            )  # fmt: skip
        return who

    async def _by(self, request: Request, who: Principal) -> Actor:
        if not same_site(request):
            raise HTTPException(403, "This was sent from another site.")
        said = await json_object(request, MAX_BODY_BYTES)
        reason = said.get("reason")
        if not (isinstance(reason, str) and reason.strip()) or set(said) != {"reason"}:
            raise HTTPException(400, 'Expected {"reason": WHY}.')
        return Actor(who.name, reason, via="admin", key_id=who.key_id)

    def _readings(self, who: Principal) -> Readings:
        ports, loop = self._ports, asyncio.get_running_loop()

        async def append(entry: Entry) -> None:
            await ports.sink.append(entry)

        def record(entry: Entry) -> None:
            asyncio.run_coroutine_threadsafe(append(entry), loop).result(_RECORD_S)

        return Readings(
            ports.engine,
            ports.payload_keys,
            ports.payload_leave,
            record=record,
            clock=ports.clock,
            tenant=None if "admin" in who.roles else who.tenant,
        )

    async def _asked(self, ask: Callable[..., Any], *given: Any) -> Any:
        try:
            return await asyncio.to_thread(ask, *given)
        except MayNotRead as err:
            raise HTTPException(409, str(err)) from err
        except ConfigError as err:
            raise HTTPException(404, str(err)) from err
        except (RecordUnavailable, TimeoutError) as err:
            raise HTTPException(503, "The log cannot record this, so it was not done.") from err
        except self._failures as err:
            raise HTTPException(503, "The database does not answer.") from err
