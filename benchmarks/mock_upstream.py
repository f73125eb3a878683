"""A cheap upstream that speaks every measured API, and counts what it was asked.

Bare protocols on uvloop and httptools, so that it takes little of the machine from the
gateway under test. `…-words-N` answers with N words, `…-words-N-every-Mms` streams them M
milliseconds apart; every answer's words are new, and the last ones are a checksum of the rest.
`GET /counts` tells what has arrived.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import zlib
from collections import Counter
from typing import Any

import httptools
import uvloop

from benchmarks.apis import CREATED, Api, all_apis, to_json
from benchmarks.texts import MAIL_DOMAIN

_MODEL = re.compile(rb"[a-z]+-words-(\d+)(?:-every-(\d+)ms)?")
_STREAM = re.compile(rb'"stream"\s*:\s*true')
_APIS = {api.path.encode(): api for api in all_apis().values()}
_KEY_HEADERS = (b"authorization", b"x-api-key", b"x-goog-api-key")
_MARK = MAIL_DOMAIN.encode()
_VOCABULARY = (
    "able about above across again almost along also always among another answer around away "
    "back basket because become before begin below better between board bottom branch bread "
    "bridge bright broad build button candle carry castle centre change circle clear climb "
    "close cloud collect colour common copper corner cotton course cover cross curtain daily "
    "dance decide deep design detail divide double draw early earth eight engine enough equal "
    "evening every exact example family farmer field figure finger finish flower follow forest "
    "forward garden gentle glass gravel great green ground group grow handle happen harbour "
    "heavy history honey house hundred island journey kitchen ladder language large later "
    "leather letter level light little local machine market matter measure middle minute "
    "mirror moment morning mountain music narrow nature needle north number object ocean often "
    "orange order other paper part pattern pencil people picture plain planet plenty pocket "
    "possible pottery practice present quarter quiet quite rather reason record river rough "
    "round sailor sample season second sentence several shadow sharp shelter short silver "
    "simple single slow small smooth soft space square station steady stone story straight "
    "strange street strong summer surface table teacher thick thread thunder timber together "
    "travel under until useful valley village visit voice wagon water weather wheel whole "
    "window winter wonder wooden yellow young"
)
_WORDS = tuple(_VOCABULARY.split())
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
_END = b"0\r\n\r\n"
_CHECKS = 3


def checked(words: list[str]) -> list[str]:
    """These words and some more that tell whether they arrived as they are."""
    number = zlib.crc32(" ".join(words).encode())
    checks = []
    for _ in range(_CHECKS):
        number, at = divmod(number, len(_WORDS))
        checks.append(_WORDS[at])
    return words + checks


def is_whole(text: str) -> bool:
    """Whether a text ends with the checksum of its words."""
    words = text.split()
    return len(words) > _CHECKS and checked(words[:-_CHECKS]) == words


def _whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _chunk(event: bytes) -> bytes:
    """One event in one chunk of the transfer coding."""
    return b"%x\r\n%s\r\n" % (len(event), event)


class _Connection(asyncio.Protocol):
    def __init__(self, counts: Counter[str], credential: bytes) -> None:
        self._counts = counts
        self._credential = credential
        self._parser = httptools.HttpRequestParser(self)
        self._pieces: list[bytes] = []
        self._url = b""
        self._known = False
        self._task: asyncio.Task[None] | None = None

    # uvloop's transports are not of asyncio's classes.
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._pieces, self._url, self._known = [], b"", False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in _KEY_HEADERS:
            self._known = self._known or value.removeprefix(b"Bearer ") == self._credential

    def on_body(self, data: bytes) -> None:
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        api = _APIS.get(_MODEL.sub(b"{model}", self._url))
        if api is not None:
            self._complete(api, b"".join(self._pieces))
        elif self._url == b"/counts":
            self._transport.write(_whole(to_json(dict(self._counts))))
        else:
            self._transport.write(_whole(b'{"error":{"message":"no such path"}}', b"404 Not Found"))

    def _complete(self, api: Api, body: bytes) -> None:
        counts = self._counts
        counts["requests"] += 1
        counts["body_bytes"] += len(body)
        counts["personal"] += _MARK in body
        counts["strangers"] += not self._known
        asked = _MODEL.search(self._url) or _MODEL.search(body)
        words = checked(random.choices(_WORDS, k=int(asked[1]) - _CHECKS if asked else 1))
        if api.name == "chat" and not _STREAM.search(body):
            self._transport.write(_unary(words))
            return
        counts["streams"] += 1
        head = _STREAM_HEAD % api.media.encode()
        chunks = [_chunk(event) for event in api.tell([word + " " for word in words])]
        if asked and asked[2]:
            pause_s = int(asked[2]) / 1000
            self._task = asyncio.ensure_future(self._paced(head, chunks, pause_s))
        else:
            self._transport.write(b"".join((head, *chunks, _END)))

    async def _paced(self, head: bytes, chunks: list[bytes], pause_s: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        self._transport.write(head)
        for chunk in chunks:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due += pause_s
            self._transport.write(chunk)
        self._transport.write(_END)


def _unary(words: list[str]) -> bytes:
    message = {"role": "assistant", "content": " ".join(words), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 50, "completion_tokens": 50, "total_tokens": 100}
    answer = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": CREATED,
        "model": "words",
        "choices": [choice],
        "usage": usage,
    }
    return _whole(to_json(answer))


async def _serve(credential: bytes) -> None:
    counts: Counter[str] = Counter(requests=0, streams=0, body_bytes=0, personal=0, strangers=0)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(counts, credential), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--credential", required=True, help="the key that callers must send")
    uvloop.run(_serve(arguments.parse_args().credential.encode()))
