"""Sockets of clients at the door."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from gateway.server.sockets import Handshake
from tests.e2e.running import until
from tests.pipeline.fakes import Bundle, Sink
from tests.pipeline.talking import REALTIME, SocketBackend, item
from tests.server.conftest import Site, new_door

KEY = {"authorization": "Bearer gw_good"}


@pytest.mark.parametrize(
    ("offered", "key", "protocol", "beta"),
    [
        ([], "", None, None),
        (["realtime"], "", "realtime", None),
        (["realtime", "openai-insecure-api-key.gw_good"], "gw_good", "realtime", None),
        (["openai-insecure-api-key.gw_good"], "gw_good", None, None),
        (["realtime", "openai-beta.realtime-v1"], "", "realtime", "realtime=v1"),
        (["something-else"], "", None, None),
    ],
)
def test_a_key_in_a_subprotocol_is_taken_and_not_kept(
    offered: list[str], key: str, protocol: str | None, beta: str | None
) -> None:
    headers = {"sec-websocket-protocol": ", ".join(offered), "x-a": "1"}
    found = Handshake.of({"subprotocols": offered}, headers)
    assert (found.key, found.protocol, found.headers.get("openai-beta")) == (key, protocol, beta)
    assert "gw_good" not in str(found.headers)


async def refusal(site: Site, path: str, headers: dict[str, str]) -> tuple[int, Any]:
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    async with (
        aiohttp.ClientSession() as http,
        http.get(site.url + path, headers={**upgrade, **headers}) as answer,
    ):
        return answer.status, (await answer.json())["error"]["code"]


@pytest.mark.parametrize(
    ("path", "headers", "told"),
    [
        ("/v1/realtime?model=m", {}, (401, "invalid_api_key")),
        ("/v1/realtime?model=m", {"authorization": "Bearer no"}, (401, "invalid_api_key")),
        ("/v1/nothing", KEY, (404, "unknown_path")),
        ("/v1/nothing", {}, (401, "invalid_api_key")),
        ("/v1/realtime", KEY, (400, "unreadable_body")),
        ("/v1/realtime?model=m&call_id=rtc_1", KEY, (400, "unreadable_body")),
        ("/v1/realtime?model=none", KEY, (404, "model_not_found")),
    ],
)
def test_a_handshake_is_refused_in_plain_http(
    serve: Any, path: str, headers: dict[str, str], told: tuple[int, str]
) -> None:
    site = serve(SocketBackend(), dialects=[REALTIME])
    assert asyncio.run(refusal(site, path, headers)) == told
    assert site.backend.asked == []


def test_a_gateway_that_is_not_ready_opens_none(serve: Any) -> None:
    site = serve(SocketBackend(), dialects=[REALTIME])
    site.problems["detectors"] = "away"
    assert asyncio.run(refusal(site, "/v1/realtime?model=m", KEY)) == (503, "not_ready")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_asks_for_no_socket_is_told_so(serve: Any, method: str) -> None:
    site = serve(SocketBackend(), dialects=[REALTIME])

    async def ask() -> int:
        url = site.url + "/v1/realtime?model=m"
        async with aiohttp.ClientSession() as http, http.request(method, url, headers=KEY) as got:
            return got.status

    assert asyncio.run(ask()) == 405


def test_a_session_is_labelled_and_closed_with_the_upstreams_code(serve: Any) -> None:
    backend = SocketBackend({"type": "session.created"}, code=3007)
    backend.quiet.set()
    site = serve(backend, dialects=[REALTIME])

    async def ask() -> tuple[Any, int | None, list[str]]:
        url = site.url + "/v1/realtime?model=m"
        async with aiohttp.ClientSession() as http, http.ws_connect(url, headers=KEY) as ws:
            told = [message.data async for message in ws]
            return ws._response.headers, ws.close_code, told

    headers, code, told = asyncio.run(ask())
    assert headers["gw-request-id"] == headers["x-request-id"]
    assert "ai-disclosure" in headers
    assert "sec-websocket-extensions" not in headers
    assert (code, told) == (3007, ['{"type": "session.created"}'])


def test_a_client_that_is_cut_off_is_on_record_as_gone(serve: Any) -> None:
    backend = SocketBackend(fail="stays")
    site = serve(backend, dialects=[REALTIME])

    async def leave() -> None:
        url = site.url + "/v1/realtime?model=m"
        async with aiohttp.ClientSession() as http:
            ws = await http.ws_connect(url, headers=KEY)
            await ws.send_json(item("Hello."))
            await asyncio.to_thread(until, lambda: bool(backend.heard))
            ws._response.connection.transport.abort()
            await asyncio.to_thread(until, lambda: len(site.sink.kinds) == 2)

    asyncio.run(asyncio.wait_for(leave(), 10))
    assert site.sink.closed["outcome"] == "disconnected"
    assert backend.closed == 1


def test_a_door_without_such_a_dialect_has_no_such_path() -> None:
    door = new_door(SocketBackend(), Sink(), Bundle({}), {}, 1_000)
    assert door.paths.find("WS", "/v1/realtime") is None
