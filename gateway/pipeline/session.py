"""A session: one exchange over a socket, in which both sides go on talking.

What the client says and what the upstream says are judged as requests and answers are;
only the order differs, for here it is nobody's turn.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from gateway.core.apis import MESSAGE_END, SessionDialect, Socket
from gateway.core.errors import UpstreamError
from gateway.core.exchange import Exchange, Outcome
from gateway.core.ports import Surroundings
from gateway.pipeline.asking import Asking, Told
from gateway.pipeline.house import House
from gateway.pipeline.request import Judged
from gateway.pipeline.response import UPSTREAM_WORDS, Head
from gateway.pipeline.turns import Turns

SWITCHED = 101
# Close codes (RFC 6455, section 7.4.1) of which the other side may be told; so may it of those
# from 3000 on, which belong to applications.
_TOLD = frozenset({1000, 1001, 1008, 1011, 1012, 1013})
_WELL = frozenset({1000, 1001, 1005})
_FAILED = 1011
_NO_CODE = 1005


@dataclass(slots=True)
class Line:
    """The client's end of a socket.

    heard: what the client sends, str for text and bytes for binary, until it leaves.
    max_bytes: of one message. left: the code with which the client left. close: the code with
    which it is to be told that the session is over.
    """

    heard: AsyncIterator[str | bytes]
    max_bytes: int
    left: int = _NO_CODE
    close: int = _FAILED


async def converse(
    exchange: Exchange,
    judged: Judged,
    socket: Socket,
    dialect: SessionDialect,
    house: House,
    line: Line,
) -> AsyncGenerator[Head | bytes, None]:
    """The Head, then each message for the client, until one side leaves."""
    exchange.status = SWITCHED
    yield Head(SWITCHED, {dialect.id_header: exchange.id, **house.labels(exchange)})
    talk = _Talk(exchange, judged, socket, dialect, house, line)
    pumps = [asyncio.ensure_future(pump) for pump in (talk.ask(), talk.answer())]
    for pump in pumps:
        pump.add_done_callback(talk.over)
    try:
        async with aclosing(talk.messages()) as messages:
            async for message in messages:
                yield message
        await _ended(pumps)
        _settle(exchange, line, socket, left=pumps[0].done())
    except UpstreamError as err:
        exchange.outcome, exchange.error = Outcome.UPSTREAM_ERROR, err.code
        last = dialect.broken(UPSTREAM_WORDS[err.code], exchange.id)
        yield talk.counted(last.removesuffix(MESSAGE_END))
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        talk.seal()


class _Talk:
    """Both directions. One message at a time waits for the client, so neither side runs ahead."""

    def __init__(
        self,
        exchange: Exchange,
        judged: Judged,
        socket: Socket,
        dialect: SessionDialect,
        house: House,
        line: Line,
    ) -> None:
        said: set[str] = set()
        told = Told(judged.message.parts)
        around = Surroundings(
            bound=lambda word: any(word in each for each in said),
            holds=lambda characters: any(characters in part.text for part in told.parts),
            opening=exchange.id,
        )
        vault = house.vault(exchange.principal.tenant, around)
        self._asking = Asking(
            exchange,
            judged,
            dialect,
            house,
            vault=vault,
            said=said,
            told=told,
            max_bytes=line.max_bytes,
        )
        self._turns = Turns(exchange, judged, dialect, house, vault=vault, said=said, told=told)
        self._exchange = exchange
        self._socket = socket
        self._line = line
        self._vault = vault
        self._house = house
        self._out: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._sent, self._told = hashlib.sha256(), hashlib.sha256()

    async def ask(self) -> None:
        """What the client says, to the upstream."""
        async for event in self._line.heard:
            heard = await self._asking.hear(event)
            if heard.onward:
                await self._send(heard.onward)
            await self._say(heard.complaint)

    async def answer(self) -> None:
        """What the upstream says, to the client."""
        async for data in self._socket.body:
            said = await self._turns.hear(data)
            if said.back:
                await self._send(said.back)
            await self._say(said.out)
        await self._say(await self._turns.end())

    def over(self, pump: object) -> None:
        """One side has nothing more to say."""
        self._out.put_nowait(None)

    async def messages(self) -> AsyncGenerator[bytes, None]:
        """What may go to the client, message by message, until one side has left."""
        while (message := await self._out.get()) is not None:
            yield self.counted(message)
            self._out.task_done()

    def counted(self, message: bytes) -> bytes:
        """The message, noted as one that left."""
        self._exchange.response.bytes += len(message)
        self._told.update(message)
        return message

    def seal(self) -> None:
        """Note what both sides got, and what was restored."""
        exchange, tenant = self._exchange, self._exchange.principal.tenant
        exchange.request.digest = self._house.seal(tenant, self._sent.digest())
        exchange.response.digest = self._house.seal(tenant, self._told.digest())
        exchange.restored = self._vault.restored

    async def _say(self, events: bytes) -> None:
        """Hand these to the client, and wait until it has taken them."""
        for message in events.split(MESSAGE_END):
            if message:
                self._out.put_nowait(message)
        await self._out.join()

    async def _send(self, message: bytes) -> None:
        self._sent.update(message)
        await self._socket.send(message)


async def _ended(pumps: Sequence[asyncio.Future[None]]) -> None:
    """Raise what ended a side, if it was an error."""
    for pump in pumps:
        if pump.done():
            await pump


def _settle(exchange: Exchange, line: Line, socket: Socket, *, left: bool) -> None:
    """Note how the session ended, and with which code its client is told so."""
    code = line.left if left else socket.code()
    line.close = code if code in _TOLD or code >= 3000 else 1000 if code in _WELL else _FAILED
    if code in _WELL or code >= 3000:
        exchange.outcome = Outcome.BLOCKED if exchange.refusal else Outcome.COMPLETED
    elif left:
        exchange.outcome = Outcome.DISCONNECTED
    else:
        exchange.outcome, exchange.error = Outcome.UPSTREAM_ERROR, "upstream_closed"
