"""Sockets and uvicorn: serves ASGI applications until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import uvicorn

from gateway.core.errors import ConfigError
from gateway.server.heads import LimitedHeads

GRACE_S = 20
_BACKLOG = 1_024
# Beyond this a socket is closed; what is smaller than that and still too large is refused.
_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigError that says what holds the port and how to move on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as err:
        sock.close()
        raise ConfigError(
            f"Cannot listen on {host}:{port}: {err.strerror}. "
            "Another program may hold the port; set GATEWAY_PORT or GATEWAY_ADMIN_PORT."
        ) from err
    sock.listen(_BACKLOG)
    sock.set_inheritable(True)
    return sock


class _Server(uvicorn.Server):
    """Leaves signals alone: one handler stops all servers of the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(
    apps: Sequence[tuple[Any, socket.socket]],
    *,
    on_ready: Callable[[], None],
    on_stop: Callable[[], Awaitable[None]],
    on_stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve each application on its socket until SIGINT or SIGTERM.

    on_ready: called when all accept connections. on_stopping: called at the signal, so that
    requests need not wait for what may take long. on_stop: awaited after the last request.
    Open streams get `GRACE_S` seconds to end.
    """
    servers = [_Server(_config(app)) for app, _ in apps]
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.should_exit = True
        on_stopping()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        tasks = [
            asyncio.create_task(server.serve(sockets=[sock]))
            for server, (_, sock) in zip(servers, apps, strict=True)
        ]
        while not all(server.started or server.should_exit for server in servers):
            await asyncio.sleep(0.01)
            if any(task.done() for task in tasks):
                break
        on_ready()
        await asyncio.gather(*tasks)
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        await on_stop()


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run `main` to its end on uvloop where there is one."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_awaited(main))


async def _awaited(main: Callable[[], Awaitable[None]]) -> None:
    await main()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    # Not made for Windows, so it cannot stand at the top.
    uvloop = importlib.import_module("uvloop")
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=LimitedHeads,
        ws="websockets-sansio",
        ws_max_size=_MAX_MESSAGE_BYTES,
        # A small message cannot become a large one.
        ws_per_message_deflate=False,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_S,
    )
