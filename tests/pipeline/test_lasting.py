"""What makes a conversation one of a class is durable before its client can build on it."""

from __future__ import annotations

import asyncio
import json
from asyncio import Future
from collections.abc import Collection, Mapping, Sequence

import pytest

from gateway.core.calls import Call
from gateway.core.exchange import Exchange, Outcome
from gateway.pipeline.run import run
from gateway.pipeline.sticking import Sticking
from tests.pipeline.fakes import CHAT, WHO, Backend, Shelf
from tests.pipeline.test_classing import CLASSES, KEY
from tests.pipeline.test_kept import Keeping
from tests.pipeline.test_sticking import ANSWER, Shop, seal, talk


class Notes:
    """Notes that take a while; what happens is written down in `log`."""

    def __init__(self, log: list[str]) -> None:
        self._log = log
        self.known: dict[str, Sequence[str]] = {}

    def concerns(self, tenant: str) -> bool:
        return True

    async def find(self, tenant: str, digests: Collection[str]) -> frozenset[str]:
        return frozenset(name for d in digests for name in self.known.get(d, ()))

    def put(self, tenant: str, notes: Mapping[str, Sequence[str]]) -> Future[None]:
        loop = asyncio.get_running_loop()
        noted: Future[None] = loop.create_future()

        def durable() -> None:
            if not noted.done():
                self.known |= notes
                self._log.append(f"noted {len(notes)}")
                noted.set_result(None)

        loop.call_later(0.01, durable)
        return noted


async def events(
    shop: Shop, log: list[str], *, stop_at: str = "", dialect: object = CHAT, body: bytes = b""
) -> Exchange:
    body = body or talk("Hello.")
    headers = {"gw-data-class": "restricted"}
    exchange = Exchange("id-1", WHO, CHAT.name, CHAT.paths[0], headers, Call(body))
    pieces = run(exchange, dialect, shop.house(near=True, shelf=Shelf(log=log)))
    async for piece in pieces:
        told = "said" if isinstance(piece, bytes) else "head"
        log.append("last" if exchange.ends and told == "said" else told)
        if told == stop_at:
            break
    await pieces.aclose()
    return exchange


def shop(log: list[str]) -> Shop:
    made = Shop()
    made.sticking = Sticking(seal, Notes(log), classes=lambda: CLASSES)
    return made


def streamed() -> Backend:
    deltas = [{"index": 0, "delta": {"content": ANSWER[n : n + 30]}} for n in range(0, 98, 30)]
    told = [f"data: {json.dumps({'choices': [each]})}\n\n".encode() for each in deltas]
    return Backend(*told, b"data: [DONE]\n\n", kind="text/event-stream")


def test_an_answer_leaves_when_all_of_it_is_noted() -> None:
    log: list[str] = []
    asyncio.run(events(shop(log), log))
    assert log == ["noted 1", "noted 1", "head", "last"]


def test_a_stream_begins_when_its_beginning_is_noted_and_ends_when_its_texts_are() -> None:
    log: list[str] = []
    made = shop(log)
    made.near = streamed()
    asyncio.run(events(made, log))
    assert log[:2] == ["noted 1", "head"]
    assert log[log.index("last") - 1] == "noted 1"
    assert log.count("said") > 1


def test_no_id_is_told_before_its_class_is_noted() -> None:
    log: list[str] = []
    made = shop(log)
    made.rules.rules["KEY"] = "flag"
    asyncio.run(events(made, log, dialect=Keeping(), body=talk(KEY)))
    assert log.index("head") > max(n for n, each in enumerate(log) if "noted" in each)
    assert sum("noted" in each for each in log) == 3


def test_a_client_who_leaves_is_not_waited_for() -> None:
    log: list[str] = []
    made = shop(log)
    made.near = streamed()
    exchange = asyncio.run(events(made, log, stop_at="head"))
    assert exchange.outcome is Outcome.DISCONNECTED


@pytest.mark.parametrize("label", ["internal", ""])
def test_nothing_waits_for_usual_data(label: str) -> None:
    log: list[str] = []
    made = shop(log)
    made.first(label=label)
    assert log == []
