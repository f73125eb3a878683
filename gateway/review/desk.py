"""What reviewers do: look, read, approve, edit, refuse. Each is on record before it is so.

Nobody decides about a request of his own key or of one of the same name, and nobody without the
roles that its rules ask for sees that it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeVar

from gateway.core.errors import ConfigError, GatewayError, RecordUnavailable
from gateway.core.judgement import Principal
from gateway.core.people import same_person
from gateway.core.ports import Counters, Sink
from gateway.core.reviews import ReviewState
from gateway.db import failures
from gateway.review import entries
from gateway.review.info import ReviewInfo
from gateway.review.store import EDIT, REQUEST, WORDS, Store

MAX_WORDS = 2_000
MAX_LISTED = 200
T = TypeVar("T")


class CannotReview(GatewayError):
    """What a reviewer asked for is not done. status: as in HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Desk:
    """One per process. via: how its users come, for the record."""

    def __init__(self, store: Store, sink: Sink, counters: Counters, *, via: str) -> None:
        self._store = store
        self._sink = sink
        self._counters = counters
        self._via = via
        self._failures = failures(store.engine)

    async def listing(
        self,
        who: Principal,
        states: Collection[ReviewState],
        *,
        limit: int = MAX_LISTED,
        after: tuple[int, str] | None = None,
    ) -> tuple[list[ReviewInfo], tuple[int, str] | None]:
        """Those that `who` may decide, oldest first, and where the next page starts, if any.

        A page may hold fewer than `limit` although another follows.
        """
        tenant = None if "admin" in who.roles else who.tenant
        limit = max(1, min(limit, MAX_LISTED))

        def read() -> list[ReviewInfo]:
            return self._store.listing(states, tenant=tenant, limit=limit, after=after)

        found = await self._asked(read)
        more = (found[-1].created_ms, found[-1].id) if len(found) == limit else None
        return [info for info in found if info.fits(who)], more

    async def read(
        self, who: Principal, review_id: str
    ) -> tuple[ReviewInfo, Mapping[str, Any] | None]:
        """A review, and what its request says; None once it is decided. Raises CannotReview."""
        info = await self._find(who, review_id)
        if info.state is not ReviewState.WAITING:
            return info, None
        await self._record(entries.READ, info, who)
        try:
            said = await self._asked(self._store.text, info, REQUEST)
        except ConfigError as err:
            raise CannotReview(500, str(err)) from err
        return info, said

    async def approve(self, who: Principal, review_id: str) -> ReviewInfo:
        """Let the request go on as it is. Raises CannotReview."""
        return await self._decide(who, review_id, ReviewState.APPROVED, {})

    async def refuse(self, who: Principal, review_id: str, words: str) -> ReviewInfo:
        """Let it not go on. words: what its caller is told. Raises CannotReview."""
        words = words.strip()
        if not words or len(words) > MAX_WORDS:
            raise CannotReview(400, f"Say why, in 1 to {MAX_WORDS} characters.")
        return await self._decide(who, review_id, ReviewState.REFUSED, {WORDS: words})

    async def edit(self, who: Principal, review_id: str, texts: Mapping[str, str]) -> ReviewInfo:
        """Let it go on with other texts, by path, which are judged first. Raises CannotReview."""
        info = await self._find(who, review_id)
        try:
            said = await self._asked(self._store.text, info, REQUEST)
        except ConfigError as err:
            raise CannotReview(500, str(err)) from err
        if said is None:
            raise _decided(info)
        changed = _changed(said["texts"], texts)
        return await self._decide(
            who, review_id, ReviewState.EDITED, {EDIT: changed}, texts=len(changed)
        )

    async def _decide(
        self,
        who: Principal,
        review_id: str,
        state: ReviewState,
        kept: Mapping[str, Any],
        **more: Any,
    ) -> ReviewInfo:
        info = await self._find(who, review_id)
        if info.key_id == who.key_id or same_person(info.key_name, who.name):
            raise CannotReview(403, "Nobody decides about a request of his own key.")
        taken_ms = None
        if info.state is ReviewState.WAITING:
            taken_ms = await self._asked(self._store.take, review_id)
        if taken_ms is None:
            raise _decided(await self._find(who, review_id))
        try:
            await self._record(f"review.{state.value}", info, who, **more)
        except CannotReview:
            await self._asked(self._store.give_back, review_id, taken_ms)
            raise
        settle = partial(self._store.decide, taken_ms=taken_ms)
        if not await self._asked(settle, info, state, who.key_id, kept):
            raise CannotReview(503, "The database took too long. See whether it is decided.")
        self._counters.add(f'reviews_total{{decision="{state.value}"}}')
        return await self._find(who, review_id)

    async def _find(self, who: Principal, review_id: str) -> ReviewInfo:
        info = await self._asked(self._store.get, review_id)
        # The same for what is not there and what is not for these eyes.
        if info is None or not info.fits(who):
            raise CannotReview(404, "There is no such review that a key with these roles may see.")
        return info

    async def _record(self, kind: str, info: ReviewInfo, who: Principal, **more: Any) -> None:
        try:
            await self._sink.append(entries.done(kind, info, who, self._via, **more))
        except RecordUnavailable as err:
            raise CannotReview(503, "The log cannot record this, so it is not done.") from err

    async def _asked(self, ask: Callable[..., T], *given: Any) -> T:
        try:
            return await asyncio.to_thread(ask, *given)
        except self._failures as err:
            raise CannotReview(503, "The database does not answer.") from err


def _decided(info: ReviewInfo) -> CannotReview:
    if info.state is ReviewState.WAITING:
        return CannotReview(409, "Somebody else is deciding about it just now, or it has expired.")
    return CannotReview(409, f"It is decided: {info.state.value}.")


def _changed(shown: list[dict[str, Any]], texts: Mapping[str, str]) -> dict[str, str]:
    """Those texts that differ from what was shown. Raises CannotReview."""
    known = {each["path"]: each for each in shown}
    changed: dict[str, str] = {}
    for path, text in texts.items():
        if path not in known:
            raise CannotReview(400, "The request has no text at one of these paths.")
        # A page sends back line ends of one kind only.
        if text in (known[path]["text"], known[path]["text"].replace("\r\n", "\n")):
            continue
        if known[path]["fixed"]:
            raise CannotReview(400, "One of these texts cannot be edited: it is signed or no body.")
        changed[path] = text
    if not changed:
        raise CannotReview(400, "Nothing is changed. Approve it, or change a text.")
    return changed
