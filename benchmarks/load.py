"""The load: some connections, each of which asks again as soon as it has its answer.

Every answer is checked: its status, the number of its events, and a checksum of its text
that the mock upstream put beside it.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httptools

from benchmarks.mock_upstream import is_whole
from benchmarks.processes import usage, yardstick_us
from benchmarks.texts import Texts
from benchmarks.workloads import Workload

# A gateway writes the end of its record right after the answer; that is part of the price.
_SETTLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Target:
    """What is measured. pid: the root of its process tree."""

    name: str
    port: int
    key: str
    pid: int


@dataclass(slots=True)
class Taken:
    """Times of what was answered, in seconds, and why the rest was not.

    first_s: until the first text, or the whole of an answer that is no stream.
    """

    whole_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


async def measure(
    target: Target, workload: Workload, *, texts: Texts, requests: int, concurrency: int
) -> dict[str, object]:
    """Send so many requests; what came of them."""
    yardsticks = [yardstick_us()]
    before = usage(target.pid)
    began = time.perf_counter()
    taken = await drive(target, workload, texts=texts, requests=requests, concurrency=concurrency)
    wall_s = time.perf_counter() - began
    await asyncio.sleep(_SETTLE_S)
    after = usage(target.pid)
    yardsticks.append(yardstick_us())
    answered = len(taken.whole_s)
    return {
        "requests": requests,
        "answered": answered,
        "errors": dict(taken.errors),
        "concurrency": concurrency,
        "cpu_ms": round((after.cpu_ms - before.cpu_ms) / requests, 3),
        "rps": round(answered / wall_s, 1),
        "p50_ms": percentile_ms(taken.whole_s, 0.50),
        "p99_ms": percentile_ms(taken.whole_s, 0.99),
        "first_p50_ms": percentile_ms(taken.first_s, 0.50),
        "first_p99_ms": percentile_ms(taken.first_s, 0.99),
        "rss_mb": after.rss_mb,
        "yardstick_us": round(sum(yardsticks) / 2, 1),
        "processes": after.processes,
    }


async def drive(
    target: Target, workload: Workload, *, texts: Texts, requests: int, concurrency: int
) -> Taken:
    """Send so many requests over so many connections; every one is answered or an error."""
    taken = Taken()
    left = iter(range(requests))
    loop = asyncio.get_running_loop()

    async def ask(number: int) -> None:
        for _ in left:
            body = workload.body(texts, number)
            client = clients.get(number)
            if client is None or client.closed:
                _, client = await loop.create_connection(_Client, "127.0.0.1", target.port)
                clients[number] = client
            began = time.perf_counter()
            try:
                answer = await client.ask(_request(target, workload.path, body))
            except OSError as err:
                taken.errors[type(err).__name__] += 1
                continue
            trouble = check(workload, answer.status, answer.body)
            if trouble:
                taken.errors[trouble] += 1
                continue
            taken.whole_s.append(time.perf_counter() - began)
            taken.first_s.append(_first_text(workload, answer) - began)

    clients: dict[int, _Client] = {}
    async with asyncio.TaskGroup() as group:
        for number in range(min(concurrency, requests)):
            group.create_task(ask(number))
    for client in clients.values():
        client.close()
    return taken


def check(workload: Workload, status: int, body: bytes) -> str:
    """What is wrong with an answer; empty if nothing is."""
    if status != 200:
        return f"status {status}"
    if workload.chunks:
        pieces = workload.api.text(body)
        if workload.api.last not in body or len(pieces) < workload.chunks:
            return "events missing"
        text = b"".join(pieces[: workload.chunks]).decode()
    else:
        try:
            text = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError):
            return "not a completion"
    return "" if is_whole(text) else "text changed"


def _first_text(workload: Workload, answer: _Answer) -> float:
    """When the first text was there."""
    if not workload.chunks:
        return answer.pieces[0][0]
    return next(at for at, piece in answer.pieces if workload.api.text(piece))


def percentile_ms(values_s: list[float], share: float) -> float | None:
    """The nearest-rank percentile in milliseconds; None of nothing."""
    if not values_s:
        return None
    rank = max(1, math.ceil(share * len(values_s)))
    return round(sorted(values_s)[rank - 1] * 1000, 2)


async def get_json(port: int, path: str) -> tuple[int, object]:
    """A plain GET from loopback."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(_Client, "127.0.0.1", port)
    answer = await client.ask(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
    client.close()
    return answer.status, json.loads(answer.body)


def _request(target: Target, path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{target.port}\r\n"
        f"authorization: Bearer {target.key}\r\ncontent-type: application/json\r\n"
        f"accept: */*\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True, slots=True)
class _Answer:
    """pieces: when each arrived, and its bytes."""

    status: int
    body: bytes
    pieces: list[tuple[float, bytes]]


class _Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.closed = False
        self._waiter: asyncio.Future[_Answer] | None = None

    # uvloop's transports are not of asyncio's classes.
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionResetError("cut off"))

    async def ask(self, request: bytes) -> _Answer:
        self._waiter = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[tuple[float, bytes]] = []
        self._transport.write(request)
        return await self._waiter

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        self._pieces.append((time.perf_counter(), data))

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.closed = True
        if self._waiter is not None and not self._waiter.done():
            body = b"".join(data for _, data in self._pieces)
            answer = _Answer(self._parser.get_status_code(), body, self._pieces)
            self._waiter.set_result(answer)
