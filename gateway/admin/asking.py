"""Saved questions over the log, as JSON. Only an admin sees what other tenants did."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.admin import reads
from gateway.admin.access import Access
from gateway.admin.ports import AdminPorts
from gateway.audit import questions
from gateway.audit.questions import Answer
from gateway.core.errors import ConfigError

PARAMETERS = ("since_ms", "until_ms", "tenant", "subject")


def routes(ports: AdminPorts, access: Access) -> list[Route]:
    """The endpoints: which questions there are, and what the log answers to one."""
    asking = _Asking(ports, access)
    return [
        Route("/admin/v1/audit/questions", asking.known),
        Route("/admin/v1/audit/questions/{name}", asking.answer),
    ]


class _Asking:
    def __init__(self, ports: AdminPorts, access: Access) -> None:
        self._ports = ports
        self._access = access

    async def known(self, request: Request) -> Response:
        """Which questions there are."""
        await self._access.reader(request)
        found = questions.saved().values()
        return JSONResponse({"questions": [{"name": q.name, "title": q.title} for q in found]})

    async def answer(self, request: Request) -> Response:
        """What the log answers, once the read is on record."""
        who = await self._access.reader(request)
        try:
            question = questions.named(request.path_params["name"])
        except ConfigError as err:
            raise HTTPException(404, str(err)) from err
        asked = request.query_params
        unknown = sorted(set(asked) - set(PARAMETERS))
        if unknown:
            raise HTTPException(
                400, f"Unknown parameter {unknown[0][:40]!r}. Known: {', '.join(PARAMETERS)}."
            )
        times = {name: reads.count(asked, name) for name in PARAMETERS[:2] if asked.get(name)}
        tenant = asked.get("tenant", "") if reads.sees_all(who) else who.tenant
        subject = asked.get("subject", "")

        def ask() -> Answer:
            return questions.ask(
                self._ports.engine, question, tenant=tenant, subject=subject, **times
            )

        try:
            found = await reads.asked(self._ports, who, ask, question=question.name)
        except ConfigError as err:
            raise HTTPException(400, str(err)) from err
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        return JSONResponse({"question": question.name, "rows": rows, "cut": found.cut})
