"""What one upstream call costs with each HTTP client library that is installed.

    python -m benchmarks.http_clients

Each library posts the same 200 B requests to the mock upstream over kept connections, 16 at
a time, and reads the answers in pieces as they arrive. CPU is this process's, all threads;
the mock is a process of its own. Libraries take turns, and the median of the rounds is told.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import resource
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from benchmarks.servers import helper

ROUNDS = 3
AT_ONCE = 16
CALLS = {"unary": 800, "stream": 120}
Ask = Callable[[bytes], Awaitable[int]]


@asynccontextmanager
async def with_aiohttp(url: str) -> AsyncIterator[Ask]:
    import aiohttp

    async with aiohttp.ClientSession() as session:

        async def ask(body: bytes) -> int:
            async with session.post(url, data=body, headers=HEADERS) as response:
                return sum([len(piece) async for piece in response.content.iter_any()])

        yield ask


@asynccontextmanager
async def with_httpx(url: str) -> AsyncIterator[Ask]:
    import httpx

    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=1000)
    async with httpx.AsyncClient(limits=limits) as client:

        async def ask(body: bytes) -> int:
            async with client.stream("POST", url, content=body, headers=HEADERS) as response:
                return sum([len(piece) async for piece in response.aiter_bytes()])

        yield ask


@asynccontextmanager
async def with_pyreqwest(url: str) -> AsyncIterator[Ask]:
    from pyreqwest.client import ClientBuilder

    async with ClientBuilder().build() as client:

        async def ask(body: bytes) -> int:
            request = client.post(url).headers(HEADERS).body_bytes(body).build_streamed()
            total = 0
            async with request as response:
                while (piece := await response.body_reader.read_chunk()) is not None:
                    total += len(piece)
            return total

        yield ask


HEADERS = {"content-type": "application/json", "authorization": "Bearer mock"}
LIBRARIES: dict[str, Callable[[str], Any]] = {
    "aiohttp": with_aiohttp,
    "httpx": with_httpx,
    "pyreqwest": with_pyreqwest,
}


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def cost_us(ask: Ask, body: bytes, calls: int) -> float:
    """CPU microseconds of one call; every answer must hold something."""
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            if not await ask(body):
                raise SystemExit("an answer was empty")

    await ask(body)
    before = cpu_s()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return (cpu_s() - before) * 1e6 / calls


async def measure(url: str) -> dict[str, dict[str, int]]:
    installed = [name for name in LIBRARIES if importlib.util.find_spec(name)]
    found: dict[str, dict[str, list[float]]] = {
        name: {kind: [] for kind in CALLS} for name in installed
    }
    for _ in range(ROUNDS):
        for name in installed:
            async with LIBRARIES[name](url) as ask:
                for kind, calls in CALLS.items():
                    body = _body(stream=kind == "stream")
                    found[name][kind].append(await cost_us(ask, body, calls))
    return {
        name: {kind: round(statistics.median(costs)) for kind, costs in kinds.items()}
        for name, kinds in found.items()
    }


def _body(*, stream: bool) -> bytes:
    message = {"role": "user", "content": "x" * 120}
    return json.dumps({"model": "words-100", "stream": stream, "messages": [message]}).encode()


if __name__ == "__main__":
    with helper("mock_upstream", "--credential", "mock") as target:
        url = f"http://127.0.0.1:{target.port}/v1/chat/completions"
        print(json.dumps(uvloop.run(measure(url)), indent=2))
