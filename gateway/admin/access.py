"""Who may look: at the log, holders of a key with the role `admin` or `auditor`.

What may be done about a review, its own roles say; whoever has any role may sign in.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.admin.ports import AdminPorts
from gateway.admin.session import COOKIE, Throttle, key_id_of
from gateway.core.judgement import Principal
from gateway.db import failures

READERS = frozenset({"admin", "auditor"})
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Access:
    """Tells who is asking, by key or by session."""

    def __init__(self, ports: AdminPorts) -> None:
        self._ports = ports
        self._throttle = Throttle()

    async def reader(self, request: Request) -> Principal:
        """Who is asking, who may read the log. Raises as `known`, and 403 for no reader."""
        return reading(await self.known(request))

    async def known(self, request: Request) -> Principal:
        """Who is asking. Raises HTTPException: 401 unknown, 429 too many tries."""
        header = request.headers.get("authorization", "")
        if header:
            scheme, _, key = header.partition(" ")
            return await self.holder(request, key.strip() if scheme.lower() == "bearer" else "")
        who = await self.session(request)
        if who is None:
            raise HTTPException(
                401, "Send a gateway key of an admin or auditor: 'Authorization: Bearer gw_...'.",
                _CHALLENGE,
            )  # fmt: skip
        return who

    async def holder(self, request: Request, key: str) -> Principal:
        """Who holds this key. Raises as `known`."""
        host = request.client.host if request.client else ""
        now_s = self._ports.clock.monotonic_ms() / 1_000
        who = self._ports.keys.authenticate(key)
        if who is not None:
            return who
        wait_s = self._throttle.wait_s(host, now_s)
        if wait_s:
            raise HTTPException(
                429, f"Too many keys that are not valid. Wait {wait_s} s.",
                {"Retry-After": str(wait_s)},
            )  # fmt: skip
        who = await self._ports.keys.authenticate_async(key)
        if who is None:
            self._throttle.fail(host, now_s)
            raise HTTPException(401, "This is not a valid gateway key.", _CHALLENGE)
        return who

    async def session(self, request: Request) -> Principal | None:
        """Who the session cookie names, if the key is still valid; None without a session.

        The database is asked each time, so that a revoked key ends its sessions at once.
        """
        ports = self._ports
        now_ms = ports.clock.now_ms()
        key_id = key_id_of(ports.session_key, request.cookies.get(COOKIE, ""), now_ms)
        if key_id is None:
            return None
        try:
            infos = await asyncio.to_thread(ports.keys.list)
        except failures(ports.engine) as err:
            raise HTTPException(503, "The database does not answer.") from err
        info = next((i for i in infos if i.id == key_id and i.valid(now_ms)), None)
        return info.principal if info else None


def same_site(request: Request) -> bool:
    """Whether a form was sent from our own page, as far as the browser tells."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def with_role(who: Principal) -> Principal:
    """The same, if it has a role at all. Raises HTTPException 403."""
    if not who.roles:
        raise HTTPException(
            403, "This key has no role, so there is nothing here for it. "
            "An operator can make one: gateway keys new NAME --role reviewer",
        )  # fmt: skip
    return who


def reading(who: Principal) -> Principal:
    """The same, if the log may be read. Raises HTTPException 403."""
    if READERS.isdisjoint(who.roles):
        raise HTTPException(
            403, "This key has neither the role admin nor auditor. "
            "An operator can make one: gateway keys new NAME --role auditor",
        )  # fmt: skip
    return who
