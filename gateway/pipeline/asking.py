"""The client's side of a session: each of its events is judged before it goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.core.apis import SessionDialect
from gateway.core.calls import Call
from gateway.core.errors import Refused
from gateway.core.exchange import Exchange
from gateway.core.judgement import Refusal
from gateway.core.message import Direction, Message, Part
from gateway.core.ports import Vault
from gateway.core.standing import State
from gateway.pipeline.classing import Classing, settle_more
from gateway.pipeline.guard import Guard
from gateway.pipeline.house import House
from gateway.pipeline.media import Media
from gateway.pipeline.request import (
    Judged,
    assessing,
    context,
    edits_of,
    may_leave,
    modalities,
    passed,
    placeholders,
    readable,
)
from gateway.pipeline.shadow import listening
from gateway.pipeline.shapes import shapes_of

BINARY = Refusal("unsupported_frame", "Events are JSON in text frames; a binary frame is none.")
TOO_LARGE = Refusal("event_too_large", "The event is larger than this gateway takes.")
OTHER_MODEL = Refusal(
    "model_fixed", "A session stays with the model it was opened for. Open another for another."
)


_REMEMBERED_PARTS = 256
_USER = "user"


def _about(state: State) -> tuple[str, str, str]:
    """What tells states apart; their words tell times as well."""
    return state.code, state.profile, state.clause


@dataclass(frozen=True, slots=True)
class Heard:
    """What becomes of one event: it goes on, or its client is told why not. One is empty."""

    onward: bytes = b""
    complaint: bytes = b""


class Told:
    """What the client of a session has said lately, its users apart from all others.

    Its instructions are mostly said once, and must not be forgotten for what is said later.
    """

    def __init__(self, parts: Iterable[Part]) -> None:
        self._users: deque[Part] = deque(maxlen=_REMEMBERED_PARTS)
        self._others: deque[Part] = deque(maxlen=_REMEMBERED_PARTS)
        self.add(parts)

    def add(self, parts: Iterable[Part]) -> None:
        """It goes on."""
        for part in parts:
            (self._users if part.role == _USER else self._others).append(part)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All that is remembered."""
        return (*self._others, *self._users)


class Asking:
    """Judges events one by one; a blocked one is not forwarded, and the session goes on."""

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
        max_bytes: int,
    ) -> None:
        """said: what looked like a placeholder so far; this adds what the client says.

        told: this adds what the client says next.
        """
        self._context = context(exchange, Direction.REQUEST, judged.message, judged.route)
        self._judge = judged.bundle.bind(self._context)
        self._exchange = exchange
        self._judged = judged
        self._dialect = dialect
        self._house = house
        self._vault = vault
        self._said = said
        self._told = told
        self._max_bytes = max_bytes
        self._shapes = shapes_of(dialect)
        self._media = Media(exchange.request, self._shapes)
        self._opened = frozenset(_about(state) for state in exchange.terms.states)

    async def hear(self, event: str | bytes) -> Heard:
        """One event, as text; bytes are a binary frame."""
        body = event if isinstance(event, bytes) else event.encode()
        side = self._exchange.request
        side.bytes += len(body)
        try:
            if isinstance(event, bytes):
                raise Refused(BINARY)
            if len(body) > self._max_bytes:
                raise Refused(TOO_LARGE)
            return Heard(onward=await self._read(body))
        except Refused as err:
            refusal = err.refusal
            self._house.counters.add(f"refused_{refusal.code}_total")
            if refusal.rule:
                self._exchange.refusal = refusal
            shown = b"" if refusal in (BINARY, TOO_LARGE) else body
            return Heard(complaint=self._dialect.complain(refusal, self._exchange.id, shown))

    def _stand(self, message: Message, guard: Guard) -> None:
        """Judge what terms ask more than when the session was opened.

        An event may hold what the opening did not, and what was accepted may end meanwhile.
        """
        exchange = self._exchange
        kinds = modalities(message)
        standing = self._house.terms(exchange.principal, self._judged.route, kinds)
        more = tuple(each for each in standing.states if _about(each) not in self._opened)
        if not more:
            return
        known = {_about(each) for each in exchange.terms.states}
        new = (each for each in more if _about(each) not in known)
        exchange.terms = replace(exchange.terms, states=(*exchange.terms.states, *new))
        guard.terms(replace(standing, states=more))

    async def _read(self, body: bytes) -> bytes:
        """The event as it may go on. Raises Refused."""
        message = readable(self._dialect, Call(body))
        if message.model not in ("", self._judged.message.model):
            raise Refused(OTHER_MODEL)
        self._said |= placeholders([p for p in message.parts if p.sealed or p.fixed])
        self._told.add(message.parts)
        exchange, house = self._exchange, self._house
        began = house.clock.monotonic_ms()
        side = exchange.request
        bundle, data = self._judged.bundle, exchange.sensitivity
        also = assessing(self._context, bundle, house, exchange=exchange, vault=self._vault)
        classing = Classing(house.classes(), self._judged.route, weighs=self._judge.weighs)
        guard = Guard(
            self._judge,
            house.inspector,
            house.actions,
            self._vault,
            side,
            following=house.following,
            assessing=also,
            classing=classing,
            listening=listening(exchange, self._context, house, side),
            quiet=house.quiet(exchange.principal.tenant),
        )
        self._stand(message, guard)
        self._media.judge(message.opaque, guard)
        passages = await passed(guard, message, self._shapes, self._vault)
        exchange.judged_ms += house.clock.monotonic_ms() - began
        settle_more(data, classing)
        try:
            may_leave(guard, exchange, self._context, bundle)
            data.given = data.sent
        finally:
            data.sent = data.given
            self._context = replace(self._context, data=data.shown)
            self._judge = bundle.bind(self._context)
        # From now on it stands there, and what is given out next must differ from it.
        self._said |= placeholders(message.parts)
        edits = edits_of(message, passages)
        return self._dialect.forward(message, edits, self._judged.route)
