"""The upstream's side of a session: each turn is judged, released and stopped by itself."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from gateway.core.apis import Reader, SessionDialect
from gateway.core.errors import UpstreamError
from gateway.core.exchange import Exchange
from gateway.core.message import ALL, Direction, Frame
from gateway.core.ports import Vault
from gateway.pipeline.answer import Release
from gateway.pipeline.asking import Told
from gateway.pipeline.guard import Guard
from gateway.pipeline.house import House
from gateway.pipeline.media import Media
from gateway.pipeline.request import Judged, assessing, context, placeholders
from gateway.pipeline.response import MODEL_CHARS
from gateway.pipeline.shadow import listening
from gateway.pipeline.shapes import shapes_of

_MAX_OPEN = 256
# How many responses that are over are known as such.
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Said:
    """What an event leads to. out: events for the client. back: one for the upstream."""

    out: bytes = b""
    back: bytes = b""


@dataclass(slots=True)
class _Turn:
    """stopped: nothing more of it may leave; what still arrives of it is only counted."""

    reader: Reader
    guard: Guard
    release: Release
    stopped: bool = False


class Turns:
    """Takes the upstream's events, gives back what may leave, in order within each turn."""

    def __init__(
        self,
        exchange: Exchange,
        judged: Judged,
        dialect: SessionDialect,
        house: House,
        *,
        vault: Vault,
        said: set[str],
        told: Told,
    ) -> None:
        """said: what looked like a placeholder so far; this adds what the upstream says.

        told: by the client, as it grows.
        """
        self._context = context(exchange, Direction.RESPONSE, judged.message, judged.route)
        self._bundle = judged.bundle
        self._judge = judged.bundle.bind(self._context)
        self._exchange = exchange
        self._restore = judged.route.restore
        self._speech = dialect.speech()
        self._house = house
        self._vault = vault
        self._said = said
        self._told = told
        self._shapes = shapes_of(dialect)
        self._media = Media(exchange.response, self._shapes)
        self._open: dict[str, _Turn] = {}
        self._over: deque[str] = deque(maxlen=_REMEMBERED)

    async def hear(self, data: bytes) -> Said:
        """One event. Raises UpstreamError if it is none."""
        name = self._speech.turn(data)
        if name is None:
            return Said()
        turn = self._open.get(name) or self._begin(name)
        (frame,) = turn.reader.feed(data)
        if frame.fragments and name in self._over:
            raise UpstreamError("the upstream goes on with a response that is over")
        self._said |= placeholders(frame.parts)
        over = ALL in frame.closes
        if over:
            self._open.pop(name, None)
            if turn.reader.streamed:
                self._over.append(name)
        said = Said() if turn.stopped else await self._judged(turn, name, frame, over=over)
        if over:
            self._count(turn.reader)
        self._exchange.answer_model = self._speech.model[:MODEL_CHARS]
        return said

    async def end(self) -> bytes:
        """What may still leave of turns whose end never came."""
        self._exchange.counted = not any(turn.reader.streamed for turn in self._open.values())
        out = b""
        for turn in self._open.values():
            if not turn.stopped:
                out += await turn.release.feed((), final=True)
                out += self._last_words(turn)
            self._count(turn.reader)
        self._open.clear()
        return out

    def _begin(self, name: str) -> _Turn:
        if len(self._open) >= _MAX_OPEN:
            raise UpstreamError("the upstream has too many turns open at once")
        house, side = self._house, self._exchange.response
        reader = self._speech.reader(name)
        if self._judge.weighs:
            data = self._exchange.sensitivity.shown
            self._context = replace(self._context, data=data)
            self._judge = self._bundle.bind(self._context)
        guard = Guard(
            self._judge,
            house.inspector,
            house.actions,
            self._vault,
            side,
            following=house.following,
            said=self._told.parts,
            restore=self._restore,
            assessing=assessing(
                self._context, self._bundle, house, exchange=self._exchange, vault=self._vault
            ),
            listening=listening(self._exchange, self._context, house, side, self._told.parts),
            quiet=house.quiet(self._exchange.principal.tenant),
        )
        if reader.streamed:
            guard.announce("ANSWER")
        release = Release(guard, reader, self._shapes, notice=reader.streamed)
        turn = _Turn(reader, guard, release)
        if name:
            self._open[name] = turn
        return turn

    async def _judged(self, turn: _Turn, name: str, frame: Frame, *, over: bool) -> Said:
        began = self._house.clock.monotonic_ms()
        self._media.judge(frame.opaque, turn.guard)
        out = await turn.release.feed([frame._replace(opaque=())], final=over)
        self._exchange.judged_ms += self._house.clock.monotonic_ms() - began
        last = self._last_words(turn)
        if not turn.stopped:
            return Said(out)
        return Said(out + last, b"" if over else self._speech.cancel(name))

    def _last_words(self, turn: _Turn) -> bytes:
        """Of a turn that was refused just now; empty for any other."""
        refusal = turn.guard.refusal
        if refusal is None:
            return b""
        turn.stopped = True
        self._exchange.refusal = refusal
        return turn.reader.stop(refusal, self._exchange.id, turn.release.ended)

    def _count(self, reader: Reader) -> None:
        usage = self._exchange.usage
        for name, count in reader.usage.items():
            usage[name] = usage.get(name, 0) + count
