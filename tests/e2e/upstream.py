"""A real HTTP server that speaks OpenAI's chat completions, and keeps what it was sent.

How it behaves is in the model's name: `up-echo`, `impatient-hang`, `up-status-429-x`. What
stands before the first hyphen chooses the gateway's route; what follows the behaviour is
the test's own.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
PACE_S = 0.002
SLOW_S = 0.05


@dataclass
class Received:
    """One request as it came in. gone: set once its connection has ended."""

    head: bytes
    body: bytes
    answered: bool = False
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def raw(self) -> bytes:
        return self.head + self.body

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}


class Upstream:
    """Serves from a thread of its own while used as a context manager."""

    credential = "sk-proj-" + "Zq81nRbXk2LwYpHs6Jd3T3BlbkFJGf7Me5UcaotixyZq81nR"

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Upstream:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def of(self, model: str) -> list[Received]:
        """The requests for this model so far."""
        return [r for r in list(self.requests) if r.json["model"] == model]

    def wait_for(self, model: str, count: int = 1, within_s: float = 10) -> list[Received]:
        """The requests for this model, once there are so many."""
        deadline = time.monotonic() + within_s
        while len(found := self.of(model)) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} requests for {model}"
            time.sleep(0.005)
        return found

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=512)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = b""
        try:
            while True:
                head = first + await reader.readuntil(b"\r\n\r\n")
                request = Received(head, b"")
                request.body = await reader.readexactly(int(request.headers["content-length"]))
                self.requests.append(request)
                # Reads the next request's first byte, or learns that the other side is gone.
                more = asyncio.create_task(reader.read(1))
                answering = asyncio.create_task(self._answer(Call(request, writer)))
                await asyncio.wait((more, answering), return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    request.gone.set()
                    answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)
                first = await more
                if not first:
                    request.gone.set()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, call: Call) -> None:
        with suppress(ConnectionError):
            await BEHAVIOURS[call.json["model"].split("-")[1]](call)
            call.request.answered = True


class Call:
    """One request being answered."""

    def __init__(self, request: Received, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.json = request.json
        self.text = last_user_text(self.json)
        self.streamed = self.json.get("stream") is True
        self._writer = writer

    async def whole(self, status: int, body: bytes, **headers: str) -> None:
        """Answer at once."""
        self._head(status, {"content-length": str(len(body)), **headers})
        self._writer.write(body)
        await self._writer.drain()

    async def choices(self, messages: Iterable[Json], finish: str = "stop") -> None:
        """Answer with one completion."""
        listed = [
            {"index": i, "message": message, "logprobs": None, "finish_reason": finish}
            for i, message in enumerate(messages)
        ]
        body = {**self._common("chat.completion"), "choices": listed, "usage": USAGE}
        await self.whole(200, json.dumps(body).encode())

    async def deltas(self, deltas: Iterable[tuple[int, Json]], *, pace_s: float = PACE_S) -> None:
        """Answer event by event: (choice, delta)."""
        self.begin()
        for index, delta in deltas:
            await self.event({"index": index, "delta": delta, "finish_reason": None})
            await asyncio.sleep(pace_s)

    async def end(self, choices: int = 1, finish: str = "stop") -> None:
        """The stream's last events."""
        for index in range(choices):
            await self.event({"index": index, "delta": {}, "finish_reason": finish})
        if (self.json.get("stream_options") or {}).get("include_usage"):
            await self._data(
                {**self._common("chat.completion.chunk"), "choices": [], "usage": USAGE}
            )
        await self._piece(b"data: [DONE]\n\n")
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    def begin(self) -> None:
        kind = {"content-type": "text/event-stream; charset=utf-8"}
        self._head(200, {**kind, "transfer-encoding": "chunked"})

    async def event(self, choice: Json) -> None:
        await self._data({**self._common("chat.completion.chunk"), "choices": [choice]})

    def cut(self) -> None:
        """Break the connection off."""
        self._writer.transport.abort()

    def _common(self, kind: str) -> Json:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": self.json["model"]}

    async def _data(self, value: Json) -> None:
        await self._piece(b"data: " + json.dumps(value).encode() + b"\n\n")

    async def _piece(self, data: bytes) -> None:
        self._writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await self._writer.drain()

    def _head(self, status: int, headers: Json) -> None:
        headers = {
            "content-type": "application/json",
            "set-cookie": "upstream=1",
            "x-request-id": "upstream-7",
            **headers,
        }
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        self._writer.write(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode())


def last_user_text(body: Json) -> str:
    """What the user said last, as it arrived here."""
    said = [m["content"] for m in body["messages"] if m.get("role") == "user"]
    if not said:
        return ""
    if isinstance(said[-1], str):
        return said[-1]
    return "".join(item.get("text", "") for item in said[-1])


def pieces(text: str, size: int = 3) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


async def echo(call: Call, pace_s: float = PACE_S) -> None:
    """Say what the user said."""
    if not call.streamed:
        await call.choices([{"role": "assistant", "content": call.text, "refusal": None}])
        return
    start = (0, {"role": "assistant", "content": ""})
    rest = [(0, {"content": piece}) for piece in pieces(call.text)]
    await call.deltas([start, *rest], pace_s=pace_s)
    await call.end()


async def slow(call: Call) -> None:
    """The same, slowly."""
    await echo(call, SLOW_S)


async def tools(call: Call) -> None:
    """Call a tool with what the user said."""
    arguments = json.dumps({"to": call.text, "copies": 1})
    function = {"name": "send", "arguments": arguments}
    shape = {"id": "call_1", "type": "function"}
    if not call.streamed:
        calls = [{**shape, "function": function}]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        await call.choices([message], "tool_calls")
        return
    first = {"index": 0, **shape, "function": {"name": "send", "arguments": ""}}
    rest = [{"index": 0, "function": {"arguments": p}} for p in pieces(arguments)]
    start = {"role": "assistant", "content": None}
    deltas = [{**start, "tool_calls": [first]}, *({"tool_calls": [r]} for r in rest)]
    await call.deltas((0, delta) for delta in deltas)
    await call.end(finish="tool_calls")


async def structured(call: Call) -> None:
    """Say it in JSON, oddly spaced: an answer that must not be tidied up."""
    content = '{"said" :  ' + json.dumps(call.text) + ', "n":1.0 }'
    if not call.streamed:
        await call.choices([{"role": "assistant", "content": content}])
        return
    await call.deltas((0, {"content": piece}) for piece in pieces(content))
    await call.end()


async def several(call: Call) -> None:
    """As many choices as asked for, each with its number."""
    count = call.json["n"]
    texts = [f"{i}: {call.text}" for i in range(count)]
    if not call.streamed:
        await call.choices({"role": "assistant", "content": text} for text in texts)
        return
    rounds = zip(*(pieces(text) for text in texts), strict=True)
    await call.deltas((i, {"content": p}) for rnd in rounds for i, p in enumerate(rnd))
    await call.end(count)


async def status(call: Call) -> None:
    """An error; it quotes the credential and the user, as some upstreams do."""
    number = int(call.json["model"].split("-")[2])
    error = {
        "message": f"No: {call.request.headers.get('authorization')} said {call.text}",
        "type": "upstream_words",
        "param": None,
        "code": "its_own_code",
    }
    body = json.dumps({"error": error, "odd": 1.50}, indent=1).encode()
    waits = {"retry-after": "7", "retry-after-ms": "5"}
    await call.whole(number, body, **waits, **{"x-ratelimit-limit-requests": "10"})


async def hang(call: Call) -> None:
    """Never answer."""
    await asyncio.sleep(3600)


async def stall(call: Call) -> None:
    """Fall silent in mid-stream."""
    await call.deltas((0, {"content": f"word{i} "}) for i in range(60))
    await asyncio.sleep(3600)


async def cut(call: Call) -> None:
    """Break off in mid-stream."""
    await call.deltas((0, {"content": f"word{i} "}) for i in range(60))
    call.cut()


async def endless(call: Call) -> None:
    """Talk until nobody listens."""
    await call.deltas(((0, {"content": "and so on "}) for _ in range(10_000)), pace_s=0.01)


async def tell(call: Call) -> None:
    """Tell a card number that nobody asked for."""
    await say(call, "Take 4012 8888 8888 1881 then, it is free to use by all.")


async def word(call: Call) -> None:
    """Say the third word of the model's name."""
    await say(call, f"The word is {call.json['model'].split('-')[2]}.")


async def betray(call: Call) -> None:
    """Say what the system said."""
    (told,) = [m["content"] for m in call.json["messages"] if m["role"] == "system"]
    await say(call, f"I was told: {told}")


async def say(call: Call, answer: str) -> None:
    if not call.streamed:
        await call.choices([{"role": "assistant", "content": answer}])
        return
    await call.deltas((0, {"content": piece}) for piece in pieces(answer))
    await call.end()


BEHAVIOURS: dict[str, Callable[[Call], Awaitable[None]]] = {
    "echo": echo,
    "slow": slow,
    "tools": tools,
    "json": structured,
    "several": several,
    "status": status,
    "hang": hang,
    "stall": stall,
    "cut": cut,
    "endless": endless,
    "tell": tell,
    "word": word,
    "betray": betray,
}
