"""Policies over HTTP: how things stand, and every act that `gateway policy` knows.

Readers of the log may look; acting takes the role `policy` or `admin`. What is done is recorded
with the id of the key that was shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.admin.access import READERS, Access, same_site
from gateway.admin.bodies import json_object
from gateway.admin.ports import AdminPorts
from gateway.core.errors import ConfigError, RecordUnavailable
from gateway.core.judgement import Principal
from gateway.db import failures
from gateway.lifecycle import telling
from gateway.lifecycle.bundles import MAX_BYTES, SignedBundle
from gateway.lifecycle.desk import By

ROOT = "/admin/v1/policies"
ACTORS = frozenset({"admin", "policy"})
# JSON may spell a character in six bytes.
_MAX_BODY_BYTES = 2 * MAX_BYTES

Answer = Callable[[Request], Awaitable[JSONResponse]]


def routes(ports: AdminPorts, access: Access) -> list[Route]:
    """All that begins with `ROOT`."""
    api = _Policies(ports, access)
    acts: dict[str, Callable[[Any, dict[str, Any], By], Any]] = {
        "": api.push,
        "/promote": api.promote,
        "/rollback": api.roll_back,
        "/{digest}/approve": api.approve,
        "/{digest}/activate": api.activate,
        "/{digest}/stage": api.stage,
    }
    return [
        Route(ROOT, api.status),
        Route(f"{ROOT}/history", api.history),
        *(Route(ROOT + path, api.acting(act), methods=["POST"]) for path, act in acts.items()),
        Route(ROOT + "/{digest}", api.bundle),
    ]


class _Policies:
    """The endpoints. Acts run in a thread, for they wait for the database and the log."""

    def __init__(self, ports: AdminPorts, access: Access) -> None:
        self._ports = ports
        self._access = access
        self._desk = ports.desk

    async def status(self, request: Request) -> JSONResponse:
        await self._reader(request)
        return await self._answer(lambda: telling.status(self._desk, self._ports.engine))

    async def history(self, request: Request) -> JSONResponse:
        await self._reader(request)
        return await self._answer(lambda: {"acts": telling.history(self._desk)})

    async def bundle(self, request: Request) -> JSONResponse:
        """One bundle with its texts."""
        await self._reader(request)
        prefix = request.path_params["digest"]

        def read() -> dict[str, Any]:
            digest = self._desk.find(prefix)
            texts = [{"name": name, "text": text} for name, text in self._desk.store.texts(digest)]
            return {"digest": digest, "texts": texts}

        return await self._answer(read)

    def acting(self, act: Callable[[Any, dict[str, Any], By], Any]) -> Answer:
        """The endpoint of an act: (path parameters, body, who) -> what is answered."""

        async def answer(request: Request) -> JSONResponse:
            who = await self._actor(request)
            said = await json_object(request, _MAX_BODY_BYTES)
            by = By(f"key:{who.key_id}", _text(said, "reason"), via="api", key_id=who.key_id)
            return await self._answer(lambda: act(request.path_params, said, by))

        return answer

    def push(self, _: Any, said: dict[str, Any], by: By) -> dict[str, Any]:
        """`texts`: policies, or `bundle`: what `gateway policy sign` wrote."""
        _only(said, ("texts", "bundle", "reason"))
        if _text(said, "bundle"):
            bundle = SignedBundle.parse(said["bundle"])
        else:
            bundle = self._desk.sign(_texts(said))
        return {"digest": self._desk.push(bundle, by)}

    def approve(self, path: Any, said: dict[str, Any], by: By) -> dict[str, Any]:
        _only(said, ("reason",))
        return telling.told(self._desk.approve(path["digest"], by))

    def activate(self, path: Any, said: dict[str, Any], by: By) -> dict[str, Any]:
        _only(said, ("reason",))
        return telling.told(self._desk.activate(path["digest"], by))

    def stage(self, path: Any, said: dict[str, Any], by: By) -> dict[str, Any]:
        _only(said, ("percent", "margin_pm", "minimum", "reason"))
        numbers = {"percent": 0, "margin_pm": 10, "minimum": 100}
        given = {name: _count(said, name, usual) for name, usual in numbers.items()}
        return telling.told(self._desk.stage(path["digest"], by, **given))

    def promote(self, _: Any, said: dict[str, Any], by: By) -> dict[str, Any]:
        _only(said, ("percent", "reason"))
        percent = _count(said, "percent", 0) if "percent" in said else None
        return telling.told(self._desk.promote(by, percent=percent))

    def roll_back(self, _: Any, said: dict[str, Any], by: By) -> dict[str, Any]:
        _only(said, ("reason",))
        return telling.told(self._desk.roll_back(by))

    async def _reader(self, request: Request) -> Principal:
        return _with(await self._access.known(request), READERS | ACTORS)

    async def _actor(self, request: Request) -> Principal:
        """Who acts. A browser's session does only from our own pages."""
        who = _with(await self._access.known(request), ACTORS)
        if "authorization" not in request.headers and not same_site(request):
            raise HTTPException(403, "This was sent from another site.")
        return who

    async def _answer(self, work: Callable[[], dict[str, Any]]) -> JSONResponse:
        try:
            return JSONResponse(await asyncio.to_thread(work))
        except ConfigError as err:
            raise HTTPException(409, str(err)) from err
        except (RecordUnavailable, TimeoutError) as err:
            raise HTTPException(503, "The log cannot record this, so it was not done.") from err
        except failures(self._ports.engine) as err:
            raise HTTPException(503, "The database does not answer.") from err


def _with(who: Principal, roles: Collection[str]) -> Principal:
    if not set(roles) & set(who.roles):
        raise HTTPException(
            403, f"This key has none of the roles {', '.join(sorted(roles))}. "
            "An operator can make one: gateway keys new NAME --role policy",
        )  # fmt: skip
    return who


def _only(said: dict[str, Any], known: Collection[str]) -> None:
    for name in said:
        if name not in known:
            raise ConfigError(f"Unknown member {name[:40]!r}. Known: {', '.join(known)}.")


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name, "")
    if not isinstance(value, str):
        raise HTTPException(400, f"{name}: expected a text.")
    return value


def _count(said: dict[str, Any], name: str, usual: int) -> int:
    value = said.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"{name}: expected a whole number.")
    return value


def _texts(said: dict[str, Any]) -> list[tuple[str, str]]:
    found = said.get("texts")
    if not isinstance(found, list) or not found:
        raise ConfigError("texts: expected a list of policies, each with name and text.")
    for each in found:
        if not isinstance(each, dict) or {*map(type, each.values())} != {str} or len(each) != 2:
            raise ConfigError("texts: expected a name and a text of each policy.")
    return [(_text(each, "name"), _text(each, "text")) for each in found]
