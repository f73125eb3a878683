"""A circuit for each upstream: one that fails again and again is left alone for a while.

Closed: all calls go through. Open, after so many failures in a row: none does. Half open, when
the rest is over: one call goes through, and how it ends decides.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.core.apis import Answer, Backend, SocketBackend
from gateway.core.calls import Outgoing
from gateway.core.errors import CircuitOpen, UpstreamError
from gateway.core.ports import Clock, Counters


@dataclass(frozen=True, slots=True)
class Limits:
    """failures: so many in a row open the circuit; 0: it never opens. open_s: for how long."""

    failures: int = 5
    open_s: float = 30.0


class Circuit:
    """The state of one upstream. Not about one model, nor about one client."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._row = 0
        self._opened_ms: float | None = None
        self._probe: object | None = None

    @property
    def open(self) -> bool:
        """Whether calls are held off; also while one is let through to see."""
        return self._opened_ms is not None

    @property
    def rest_s(self) -> int:
        """Whole seconds until a call is let through again, at least one if it is open."""
        if self._opened_ms is None:
            return 0
        gone_s = (self._clock.monotonic_ms() - self._opened_ms) / 1000
        return max(1, math.ceil(self._limits.open_s - gone_s))

    def enter(self) -> object:
        """A call begins; give what is returned to `leave`. Raises CircuitOpen."""
        turn = object()
        if self._opened_ms is None:
            return turn
        rested = self._clock.monotonic_ms() - self._opened_ms >= self._limits.open_s * 1000
        if not rested or self._probe is not None:
            raise CircuitOpen("circuit open", retry_after_s=self.rest_s)
        self._probe = turn
        return turn

    def leave(self, turn: object, *, failed: bool | None) -> None:
        """The call has ended. failed: None if that says nothing about the upstream."""
        probe = turn is self._probe
        if probe:
            self._probe = None
        elif self.open:
            # It began before the circuit opened, and tells nothing new.
            return
        if failed:
            self._row += 1
            if probe or self._row == self._limits.failures:
                self._opened_ms = self._clock.monotonic_ms()
        elif failed is False:
            self._row, self._opened_ms = 0, None


class CircuitBackend:
    """A backend that is not asked while its circuit is open.

    A failure is no head, or a status of 5xx, but for 501, which says what the upstream cannot do.
    429 is none: who counts calls is well, and often counts those for one model only. Nor is an
    answer that breaks off later: it is being given already.
    """

    def __init__(
        self, inner: Backend, name: str, limits: Limits, clock: Clock, counters: Counters
    ) -> None:
        """name: of the backend in the catalogue, for the counters."""
        self.circuit = Circuit(limits, clock)
        self._inner = inner
        self._counters = counters
        self._gauge = f'circuit_open{{backend="{name}"}}'
        self._opened = f'circuit_opened_total{{backend="{name}"}}'
        counters.values.setdefault(self._gauge, 0)
        counters.add(self._opened, 0)

    def speaks(self, dialect: str) -> bool:
        """What the backend itself speaks."""
        return self._inner.speaks(dialect)

    async def send(self, call: Outgoing) -> Answer:
        """Send it, if the circuit lets it through. Raises CircuitOpen if not."""
        return await self._try(self._inner.send, call)

    async def connect(self, call: Outgoing) -> Answer:
        """Open a socket, if the circuit lets it through. Raises CircuitOpen if not."""
        if not isinstance(self._inner, SocketBackend):
            raise UpstreamError("this kind of backend opens no sockets")
        return await self._try(self._inner.connect, call)

    async def _try(self, ask: Callable[[Outgoing], Awaitable[Answer]], call: Outgoing) -> Answer:
        turn = self.circuit.enter()
        try:
            answer = await ask(call)
        except UpstreamError:
            self._leave(turn, failed=True)
            raise
        except BaseException:
            self._leave(turn, failed=None)
            raise
        self._leave(turn, failed=answer.status >= 500 and answer.status != 501)
        return answer

    async def aclose(self) -> None:
        """Give back the backend's connections."""
        await self._inner.aclose()

    def _leave(self, turn: object, *, failed: bool | None) -> None:
        before = self.circuit.open
        self.circuit.leave(turn, failed=failed)
        if self.circuit.open != before:
            self._counters.values[self._gauge] = int(self.circuit.open)
            self._counters.add(self._opened, self.circuit.open)
