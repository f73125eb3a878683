"""What one exchange leaves to stick is durable before its client can build on it.

If it were not, a crash would forget that a conversation was restricted. So nothing of the answer
leaves before it is noted how its conversation began, no id of what the upstream keeps before that
is, and no end of it before its texts are. Notes are written while the upstream works.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence

from gateway.core.errors import StickingUnavailable
from gateway.core.exchange import Exchange
from gateway.pipeline.answered import Answered
from gateway.pipeline.classing import Classing
from gateway.pipeline.house import House
from gateway.pipeline.request import Judged


class Lasting:
    """Of one exchange whose request has gone on; of what is of no class of its own nothing sticks.

    answered: where the answer is to be written down as it leaves; None if that is for nothing.
    """

    def __init__(
        self, exchange: Exchange, judged: Judged, classing: Classing, house: House
    ) -> None:
        """classing: of the answer."""
        self.answered: Answered | None = None
        self._data = exchange.sensitivity
        self._tenant = exchange.principal.tenant
        self._classing = classing
        self._sticking = house.sticking if house.classes().unusual(self._data.sent) else None
        self._pending: list[Future[None]] = []
        self._ended = False
        if self._sticking is not None:
            self.answered = Answered()
            parts, showing = judged.message.parts, judged.showing
            self._add(self._sticking.asked(self._tenant, parts, showing, self._data.sent))

    def kept(self, ids: Sequence[str]) -> None:
        """The upstream keeps something of it under these ids."""
        if self._sticking is not None:
            self._add(self._sticking.kept(self._tenant, ids, self._data.sent))

    def end(self, notices: Sequence[str]) -> None:
        """The answer is over, as far as it gets. notices: what was put under its texts."""
        if self._ended:
            return
        self._ended = True
        self._data.answered = self._data.sent | self._classing.left
        if self._sticking is not None and self.answered is not None:
            texts = self.answered.texts(notices)
            self._add(self._sticking.answered(self._tenant, texts, self._data.answered))

    async def durable(self) -> bool:
        """Wait for all that is to be noted so far. False if some of it could not be."""
        done = True
        while self._pending:
            try:
                await self._pending.pop()
            except StickingUnavailable:
                done = False
        return done

    def _add(self, noted: Future[None] | None) -> None:
        if noted is not None:
            self._pending.append(noted)
