"""A door on loopback, served as it is in earnest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn

from gateway.core.apis import Dialect
from gateway.core.exchange import Exchange
from gateway.core.judgement import Principal
from gateway.labels.headers import headers
from gateway.server import listen
from gateway.server.door import Door
from gateway.server.openapi import page
from gateway.server.owned import Owned
from gateway.server.paths import Table
from tests.pipeline.fakes import CHAT, WHO, Backend, Bundle, Sink, house

MODELS = [{"id": "m", "object": "model", "created": 0, "owned_by": "p"}]


class Keys:
    """One key."""

    def authenticate(self, key: str) -> Principal | None:
        return WHO if key == "gw_good" else None

    async def authenticate_async(self, key: str) -> Principal | None:
        return WHO if key == "gw_new" else None


@dataclass
class Site:
    """A served door and what stands behind it."""

    port: int
    door: Door
    backend: Backend
    sink: Sink
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _labels(exchange: Exchange) -> dict[str, str]:
    return headers(exchange, now_s=1_767_000_000, policy="p", revision="p@1")


def wait_for(true: Callable[[], bool]) -> None:
    """Fails if it does not come true."""
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert true()


async def _explain(who: Principal, exchange_id: str) -> None:
    """Nothing is on record here."""


def new_door(
    backend: Backend,
    sink: Sink,
    bundle: Bundle,
    problems: dict[str, str],
    max_body: int,
    dialects: Sequence[Dialect] = (CHAT,),
    **parts: Any,
) -> Door:
    table = Table(dialects)
    return Door(
        house=house(backend, bundle, sink=sink, labels=_labels, **parts),
        keys=Keys(),
        paths=table,
        models=lambda: MODELS,
        ready=lambda: problems,
        warnings=dict,
        max_body_bytes=max_body,
        owned=Owned(_explain, _explain, _explain, _explain),
        openapi=page(table),
    )


@contextmanager
def serving() -> Iterator[Callable[..., Site]]:
    """Serves a door in a thread with a loop of its own, with the servers of `gateway serve`."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(
        backend: Backend,
        rules: Any = None,
        max_body: int = 10_000,
        dialects: Sequence[Dialect] = (CHAT,),
        **parts: Any,
    ) -> Site:
        sink, problems = Sink(), dict[str, str]()
        bundle = rules if isinstance(rules, Bundle) else Bundle(rules or {})
        door = new_door(backend, sink, bundle, problems, max_body, dialects, **parts)
        sock = listen.bind("127.0.0.1", 0)
        server = listen._Server(listen._config(door))

        async def main() -> None:
            await server.serve(sockets=[sock])

        thread = threading.Thread(target=listen.run, args=(main,))
        thread.start()
        running.append((server, thread))
        return Site(sock.getsockname()[1], door, backend, sink, problems)

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    with serving() as start:
        yield start
