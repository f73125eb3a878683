from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest

from gateway.core.errors import ConfigError
from gateway.server import listen


def test_a_port_that_is_taken_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}.*GATEWAY_PORT"):
            listen.bind("127.0.0.1", port)


def test_one_signal_stops_all_servers_and_says_so_last() -> None:
    told: list[str] = []

    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    def ready() -> None:
        told.append("ready")
        os.kill(os.getpid(), signal.SIGTERM)

    async def stopped() -> None:
        told.append("stopped")

    async def main() -> None:
        apps = [(app, listen.bind("127.0.0.1", 0)) for _ in range(2)]
        await asyncio.wait_for(listen.serve(apps, on_ready=ready, on_stop=stopped), 10)

    listen.run(main)
    assert told == ["ready", "stopped"]
