"""Reviews in SQL. Each call is one short transaction, and blocks.

Whoever changes a review takes it first, so that of several at once one does and all others know.
What is taken by a process that then dies can be taken again after a while.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.core.ports import Clock
from gateway.core.reviews import Held, ReviewState
from gateway.db import flush, snapshot, writing
from gateway.review.erasing import erase
from gateway.review.info import ReviewInfo, of_row, state_of, values
from gateway.review.sealed import Seals
from gateway.review.tables import DECIDING, OPENING, review, review_text

REQUEST, EDIT, WORDS = "request", "edit", "words"
# After so long whoever took a review is taken to be gone.
STALE_MS = 30_000
# Ended reviews can be asked for so long; the audit log knows them for ever.
KEPT_MS = 30 * 24 * 60 * 60 * 1_000
_AT_ONCE = 500
_DECIDED = (ReviewState.APPROVED.value, ReviewState.EDITED.value)
_COUNTING = (*_DECIDED, ReviewState.REFUSED.value)
_UNDECIDED = (OPENING, ReviewState.WAITING.value, DECIDING)


class Store:
    """The two tables. seals: for what requests say."""

    def __init__(self, engine: Engine, seals: Seals, clock: Clock) -> None:
        self.engine = engine
        self._seals = seals
        self._clock = clock
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def find(self, digest: str) -> ReviewInfo | None:
        """The review of this request that counts now."""
        now_ms = self._clock.now_ms()
        stale = and_(review.c.state == OPENING, review.c.touched_ms < now_ms - STALE_MS)
        found = self._rows(review.c.digest == digest, review.c.expires_ms > now_ms, ~stale)
        return found[0] if found else None

    def get(self, review_id: str) -> ReviewInfo | None:
        """A review by its id."""
        found = self._rows(review.c.id == review_id, review.c.state != OPENING)
        return found[0] if found else None

    def states(self, ids: Collection[str]) -> dict[str, ReviewState]:
        """How these stand; those that are gone are left out."""
        wanted = select(review.c.id, review.c.state).where(review.c.id.in_(ids))
        with snapshot(self.engine) as connection:
            return {row.id: state_of(row.state) for row in connection.execute(wanted)}

    def waiting(self, tenant: str) -> int:
        """How many of a tenant's are not decided."""
        counted = select(func.count()).where(
            review.c.tenant == tenant, review.c.state.in_(_UNDECIDED)
        )
        with snapshot(self.engine) as connection:
            return int(connection.execute(counted).scalar_one())

    def listing(
        self,
        states: Collection[ReviewState],
        *,
        tenant: str | None,
        limit: int,
        after: tuple[int, str] | None = None,
    ) -> list[ReviewInfo]:
        """Reviews, oldest first; of one tenant, or of all. after: time and id of the last one."""
        words = {state.value for state in states}
        if ReviewState.WAITING in states:
            words.add(DECIDING)
        where: list[ColumnElement[bool]] = [review.c.state.in_(words)]
        if tenant is not None:
            where.append(review.c.tenant == tenant)
        if after is not None:
            where.append(tuple_(review.c.created_ms, review.c.id) > tuple_(*after))
        return self._rows(*where, limit=limit)

    def text(self, info: ReviewInfo, name: str) -> Any:
        """What is stored under this name; None if nothing is. Raises ConfigError."""
        with snapshot(self.engine) as connection:
            return self._text(connection, info, name)

    def open(self, review_id: str, held: Held) -> bool:
        """Store one that is on record next. False if there is one for the same request."""
        shown = {
            "texts": [asdict(each) for each in held.texts],
            "attached": [asdict(each) for each in held.attached],
        }
        now_ms, tenant = self._clock.now_ms(), held.principal.tenant
        # What nobody looks for by it any more must not stand in the way of a new one.
        lapsed = or_(
            review.c.expires_ms <= now_ms,
            and_(review.c.state == OPENING, review.c.touched_ms < now_ms - STALE_MS),
        )
        with writing(self.engine) as connection:
            connection.execute(
                update(review).where(review.c.digest == held.digest, lapsed).values(digest=None)
            )
            new = self._insert(review).values(values(review_id, held, now_ms))
            unless_there = new.on_conflict_do_nothing().returning(review.c.id)
            if connection.execute(unless_there).scalar_one_or_none() is None:
                return False
            self._put(connection, tenant, review_id, {REQUEST: shown})
            return True

    def publish(self, review_id: str) -> None:
        """It is on record: from now on it can be decided."""
        self._change(review_id, review.c.state == OPENING, state=ReviewState.WAITING.value)

    def forget(self, review_id: str) -> None:
        """It could not be put on record, so it never was."""
        with writing(self.engine) as connection:
            connection.execute(delete(review).where(review.c.id == review_id))
            erase(connection, [review_id])
        flush(self.engine)

    def take(self, review_id: str) -> int | None:
        """Begin to decide it; when. None if it is decided, or somebody else is about to."""
        now_ms = self._clock.now_ms()
        free = and_(_free(now_ms), review.c.expires_ms > now_ms)
        taken = self._change(review_id, free, state=DECIDING, touched_ms=now_ms)
        return now_ms if taken else None

    def give_back(self, review_id: str, taken_ms: int) -> None:
        """Leave one undecided after all, unless somebody else has taken it since."""
        self._change(review_id, _taken(taken_ms), state=ReviewState.WAITING.value)

    def decide(
        self,
        info: ReviewInfo,
        state: ReviewState,
        by: str,
        texts: Mapping[str, Any],
        *,
        taken_ms: int,
    ) -> bool:
        """Settle one that was taken; what the request says is deleted. texts: what to keep.

        False if it was taken so long ago that somebody else has taken it since.
        """
        now_ms = self._clock.now_ms()
        settled = (
            update(review)
            .where(review.c.id == info.id, _taken(taken_ms))
            .values(
                state=state.value,
                decided_ms=now_ms,
                decided_by=by,
                expires_ms=now_ms + info.valid_s * 1_000,
            )
        )
        with writing(self.engine) as connection:
            if connection.execute(settled).rowcount != 1:
                return False
            erase(connection, [info.id])
            self._put(connection, info.tenant, info.id, texts)
        flush(self.engine)
        return True

    def use(self, info: ReviewInfo) -> dict[str, str] | None:
        """Let the request through once: the texts to put in place of its own.

        None if it may not, or no more.
        """
        mine = (
            review.c.id == info.id,
            review.c.state.in_(_DECIDED),
            review.c.uses > 0,
            review.c.expires_ms > self._clock.now_ms(),
        )
        spent = case((review.c.uses > 1, review.c.digest), else_=None)
        with writing(self.engine) as connection:
            texts = self._text(connection, info, EDIT) or {}
            left = connection.execute(
                update(review)
                .where(*mine)
                .values(uses=review.c.uses - 1, digest=spent)
                .returning(review.c.uses)
            ).scalar_one_or_none()
            if left == 0:
                erase(connection, [info.id])
        if left == 0:
            flush(self.engine)
        return None if left is None else dict(texts)

    def due(self) -> list[ReviewInfo]:
        """Those whose time is over: to be decided, or to be used."""
        return self._rows(_due(self._clock.now_ms()))

    def take_due(self, info: ReviewInfo) -> bool:
        """Begin to end one. False if another process does."""
        now_ms = self._clock.now_ms()
        fresh = review.c.touched_ms <= review.c.expires_ms
        stale = review.c.touched_ms < now_ms - STALE_MS
        return self._change(info.id, and_(_due(now_ms), or_(fresh, stale)), touched_ms=now_ms)

    def end(self, info: ReviewInfo) -> None:
        """Its time is over. Nothing of what was said is kept; a refusal stays one."""
        refused = info.state is ReviewState.REFUSED
        state = ReviewState.REFUSED if refused else ReviewState.EXPIRED
        with writing(self.engine) as connection:
            connection.execute(
                update(review)
                .where(review.c.id == info.id)
                .values(state=state.value, digest=None, uses=0)
            )
            erase(connection, [info.id])
        flush(self.engine)

    def prune(self) -> None:
        """Let go of what ended long ago, and of what was never put on record."""
        now_ms = self._clock.now_ms()
        over = and_(review.c.digest.is_(None), review.c.expires_ms < now_ms - KEPT_MS)
        lost = and_(review.c.state == OPENING, review.c.touched_ms < now_ms - 2 * STALE_MS)
        with writing(self.engine) as connection:
            ids = connection.scalars(
                select(review.c.id).where(or_(over, lost)).limit(_AT_ONCE)
            ).all()
            if not ids:
                return
            connection.execute(delete(review).where(review.c.id.in_(ids)))
            erase(connection, ids)
        flush(self.engine)

    def _rows(self, *where: ColumnElement[bool], limit: int = _AT_ONCE) -> list[ReviewInfo]:
        statement = (
            select(review).where(*where).order_by(review.c.created_ms, review.c.id).limit(limit)
        )
        with snapshot(self.engine) as connection:
            return [of_row(row) for row in connection.execute(statement)]

    def _change(self, review_id: str, where: ColumnElement[bool], **to: Any) -> bool:
        statement = update(review).where(review.c.id == review_id, where).values(**to)
        with writing(self.engine) as connection:
            return connection.execute(statement).rowcount == 1

    def _put(
        self, connection: Connection, tenant: str, review_id: str, texts: Mapping[str, Any]
    ) -> None:
        rows: Sequence[dict[str, Any]] = [
            {
                "review_id": review_id,
                "name": name,
                "sealed": self._seals.seal(tenant, review_id, name, value),
            }
            for name, value in texts.items()
        ]
        if rows:
            connection.execute(insert(review_text), rows)

    def _text(self, connection: Connection, info: ReviewInfo, name: str) -> Any:
        sealed = connection.execute(
            select(review_text.c.sealed).where(
                review_text.c.review_id == info.id, review_text.c.name == name
            )
        ).scalar_one_or_none()
        return None if sealed is None else self._seals.open(info.tenant, info.id, name, sealed)


def _free(now_ms: int) -> ColumnElement[bool]:
    """Nobody is deciding it."""
    stale = and_(review.c.state == DECIDING, review.c.touched_ms < now_ms - STALE_MS)
    return or_(review.c.state == ReviewState.WAITING.value, stale)


def _taken(at_ms: int) -> ColumnElement[bool]:
    """Who took it then still has it."""
    return and_(review.c.state == DECIDING, review.c.touched_ms == at_ms)


def _due(now_ms: int) -> ColumnElement[bool]:
    """Its time is over, and it has not ended yet."""
    counting = and_(review.c.state.in_(_COUNTING), review.c.uses > 0)
    return and_(review.c.expires_ms <= now_ms, or_(_free(now_ms), counting))
