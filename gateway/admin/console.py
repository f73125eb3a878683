"""The page: readiness, policies, models, the last exchanges. No script, nothing from elsewhere."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from gateway.admin import html, reads
from gateway.admin.ports import AdminPorts
from gateway.audit.line import line
from gateway.core.judgement import Principal

SHOWN = 50
_STYLE = Path(__file__).with_name("page.css")
# What the page's links may ask for.
_ASKED = ("outcome", "after")


class Console:
    """Renders the page. `policy` is its Content-Security-Policy: this style sheet and our forms."""

    def __init__(self, ports: AdminPorts) -> None:
        self._ports = ports
        self._style = _STYLE.read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self.policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )

    def sign_in(self, status: int, problem: str = "") -> HTMLResponse:
        """The form that asks for a key."""
        ready = not self._ports.problems()
        body = html.sign_in(ready=ready, problem=problem, version=self._ports.version)
        return HTMLResponse(html.page("Sign in", self._style, body), status)

    def page(
        self, who: Principal, title: str, body: str, *, here: str, reads: bool, status: int = 200
    ) -> HTMLResponse:
        """A page under the bar. here: what of the bar it is. reads: whether all of it is open."""
        bar = html.header(who.name, self._ports.version, here=here, reads=reads)
        whole = f"{bar}\n{body}\n</main>"
        return HTMLResponse(html.page(title, self._style, whole), status)

    async def overview(self, request: Request, who: Principal) -> HTMLResponse:
        """The whole page. A log that cannot be read leaves a remark in its place."""
        ports = self._ports
        asked = {n: request.query_params[n] for n in _ASKED if request.query_params.get(n)}
        body = [
            html.header(who.name, ports.version, here="overview"),
            html.state(
                problems=ports.problems(), warnings=ports.warnings(), bundle=ports.bundle(),
                detectors=ports.detectors, counters=ports.counters.values,
            ),
            html.models(ports.models()),
            await self._log(who, asked),
        ]  # fmt: skip
        return HTMLResponse(html.page("Overview", self._style, "\n".join(body)))

    async def _log(self, who: Principal, asked: Mapping[str, str]) -> str:
        ports = self._ports
        try:
            found = reads.search(QueryParams(urlencode(asked)), limit=SHOWN)
            rows = await reads.entries(ports, who, found, via="page")
            infos = await asyncio.to_thread(ports.keys.list)
        except HTTPException as err:
            return html.log_missing(str(err.detail))
        older = reads.place(rows, found.limit)
        return html.log(
            [line(row) for row in rows],
            keys={info.id: info.name for info in infos},
            outcome=asked.get("outcome", ""),
            older=urlencode({**asked, "after": older}) if older else "",
            paged="after" in asked,
        )
