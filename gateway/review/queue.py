"""Where requests wait. The queue is the database; one look at it a moment serves all that wait.

Implements `gateway.core.ports.Reviews`. A caller that leaves stops waiting, and its review stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.core.errors import GatewayError, RecordUnavailable, Refused
from gateway.core.ids import new_id
from gateway.core.judgement import Principal, Refusal
from gateway.core.ports import Clock, Counters, Sink
from gateway.core.reviews import Decision, Held, ReviewState
from gateway.db import failures
from gateway.review import entries
from gateway.review.info import ReviewInfo
from gateway.review.store import WORDS, Store

POLL_S = 0.5
SWEEP_S = 5.0
WAITING = "reviews_waiting"
AWAY = Refusal(
    "review_unavailable",
    "This request must be reviewed by a person first, and the database of reviews does not answer "
    "now. Nothing was sent to the model. Try again shortly.",
    503,
    retry_after_s=5,
)
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many callers may wait in this process, and of one tenant; how many reviews it may have.

    Beyond the first two a caller is told at once; beyond the last no review is opened.
    """

    waiting: int = 100
    waiting_tenant: int = 20
    open_tenant: int = 1_000


class ReviewQueue:
    """Belongs to one event loop."""

    def __init__(
        self, store: Store, sink: Sink, clock: Clock, counters: Counters, limits: Limits
    ) -> None:
        self._store = store
        self._sink = sink
        self._clock = clock
        self._counters = counters
        self._limits = limits
        self._failures = failures(store.engine)
        self._troubles: tuple[type[Exception], ...] = (*self._failures, GatewayError)
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._callers: Counter[str] = Counter()
        self._poller: asyncio.Task[None] | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._closing = False
        counters.values[WAITING] = 0

    async def hold(self, held: Held) -> Decision:
        """What was decided about it, as soon as that is known or its time to wait is over."""
        began_ms = self._clock.monotonic_ms()
        left_s = float(held.order.wait_s)
        while True:
            info = await self._opened(held)
            if info is None:
                return Decision("", ReviewState.WAITING, full=True)
            decided = await self._decision(info)
            if decided is None and left_s > 0 and self._room(held.principal.tenant):
                await self._wait(info, left_s)
                info = await self._asked(self._store.get, info.id) or info
                decided = await self._decision(info)
            waited_ms = round(self._clock.monotonic_ms() - began_ms)
            if decided is not None:
                return _after(decided, waited_ms)
            if info.state is ReviewState.WAITING:
                return Decision(info.id, ReviewState.WAITING, waited_ms)
            # It has expired, or another has used it up: this request needs one of its own, and
            # waits for that no longer than is left.
            left_s = min(left_s, held.order.wait_s - waited_ms / 1_000)

    def own(self, who: Principal, review_id: str) -> dict[str, Any] | None:
        """What the owner of a key may know of a review of its own. Blocks; raises ConfigError."""
        info = self._store.get(review_id)
        if info is None or info.key_id != who.key_id:
            return None
        said = self._store.text(info, WORDS) if info.state is ReviewState.REFUSED else None
        return {
            "id": info.id,
            "object": "review",
            "state": info.state.value,
            "exchange": info.exchange_id,
            "model": info.model,
            "created_at": info.created_ms // 1_000,
            "expires_at": info.expires_ms // 1_000,
            "uses_left": info.uses if info.state.value in ("approved", "edited") else 0,
            "reason": said,
        }

    async def start(self) -> None:
        """Look for reviews whose time is over, until `aclose`."""
        self._sweeper = asyncio.create_task(self._sweep_forever(), name="gateway-reviews")

    def release(self) -> None:
        """The process is about to end: nobody waits any longer."""
        self._closing = True
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)

    async def aclose(self) -> None:
        """Stop looking."""
        self.release()
        for task in (self._poller, self._sweeper):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def sweep(self) -> None:
        """End all reviews whose time is over. Raises what the database and the log raise."""
        for info in await asyncio.to_thread(self._store.due):
            if not await asyncio.to_thread(self._store.take_due, info):
                continue
            if info.state is not ReviewState.REFUSED:
                was = info.state.value
                await self._sink.append(entries.done(entries.EXPIRED, info, None, "time", was=was))
                self._counters.add('reviews_total{decision="expired"}')
            await asyncio.to_thread(self._store.end, info)
        await asyncio.to_thread(self._store.prune)

    async def _opened(self, held: Held) -> ReviewInfo | None:
        """The review of this request, a new one if there is none; None if there are too many."""
        while True:
            found = await self._asked(self._store.find, held.digest)
            if found is not None:
                return found
            tenant = held.principal.tenant
            if await self._asked(self._store.waiting, tenant) >= self._limits.open_tenant:
                self._counters.add("reviews_not_opened_total")
                return None
            made = await self._open(held)
            if made is not None:
                return made

    async def _open(self, held: Held) -> ReviewInfo | None:
        """A new one, on record; None if another process was faster."""
        review_id = new_id()
        if not await self._asked(self._store.open, review_id, held):
            return None
        try:
            await self._sink.append(entries.opened(review_id, held))
        except RecordUnavailable:
            await self._asked(self._store.forget, review_id)
            raise
        await self._asked(self._store.publish, review_id)
        self._counters.add('reviews_total{decision="opened"}')
        return await self._asked(self._store.get, review_id)

    async def _decision(self, info: ReviewInfo) -> Decision | None:
        """What was decided, if it lets or keeps this request; a use of it is spent."""
        if info.state is ReviewState.REFUSED:
            words = await self._asked(self._store.text, info, WORDS)
            return Decision(info.id, info.state, words=str(words or ""))
        if info.state not in (ReviewState.APPROVED, ReviewState.EDITED):
            return None
        texts = await self._asked(self._store.use, info)
        return None if texts is None else Decision(info.id, info.state, texts=texts)

    def _room(self, tenant: str) -> bool:
        limits = self._limits
        return (
            not self._closing
            and self._callers.total() < limits.waiting
            and self._callers[tenant] < limits.waiting_tenant
        )

    async def _wait(self, info: ReviewInfo, at_most_s: float) -> None:
        """Until it is decided or there is no more time."""
        decided: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(info.id, set()).add(decided)
        self._count(info.tenant, 1)
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll(), name="gateway-reviews-poll")
        try:
            async with asyncio.timeout(at_most_s):
                await decided
        except TimeoutError:
            return
        finally:
            self._count(info.tenant, -1)
            self._waiting[info.id].discard(decided)
            if not self._waiting[info.id]:
                del self._waiting[info.id]

    def _count(self, tenant: str, by: int) -> None:
        self._callers[tenant] += by
        if not self._callers[tenant]:
            del self._callers[tenant]
        self._counters.values[WAITING] = self._callers.total()

    async def _poll(self) -> None:
        """Wake those whose review is decided or gone, as long as anybody waits."""
        while self._waiting:
            await asyncio.sleep(POLL_S)
            ids = list(self._waiting)
            try:
                states = await asyncio.to_thread(self._store.states, ids)
            except self._failures as err:
                log.warning("Reviews could not be looked up: %s", type(err).__name__)
                continue
            for review_id in ids:
                if states.get(review_id) is not ReviewState.WAITING:
                    for future in self._waiting.get(review_id, ()):
                        if not future.done():
                            future.set_result(None)
        self._poller = None

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.sweep()
            except self._troubles as err:
                log.warning("Reviews could not be ended in time: %s", type(err).__name__)

    async def _asked(self, ask: Callable[..., T], *given: Any) -> T:
        try:
            return await asyncio.to_thread(ask, *given)
        except self._failures as err:
            raise Refused(AWAY) from err


def _after(decided: Decision, waited_ms: int) -> Decision:
    return Decision(
        decided.review_id, decided.state, waited_ms, words=decided.words, texts=decided.texts
    )
