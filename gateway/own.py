"""What the owner of a key may read about its exchanges. Each read is on record itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from gateway import db
from gateway.audit.own import explained
from gateway.audit.prove import Unplaced, prove_own
from gateway.audit.query import READ
from gateway.audit.tiles import MissingTile
from gateway.core.errors import ConfigError, RecordUnavailable, Refused
from gateway.core.judgement import Principal, Refusal
from gateway.core.note import Key, NoteError
from gateway.core.ports import Entry, Sink

NO_LOG = Refusal(
    "log_unavailable", "The log cannot be read now. Try again shortly.", 503, retry_after_s=5
)

NO_PROOF_YET = Refusal(
    "proof_not_ready",
    "This exchange has no place in the signed log yet. It gets one within seconds of its end.",
    503,
    retry_after_s=2,
)


NO_REVIEWS = Refusal(
    "reviews_unavailable",
    "Reviews cannot be read now. Try again shortly.",
    503,
    retry_after_s=5,
)


@dataclass(frozen=True, slots=True)
class OwnReads:
    """Answers an owner's questions from the log.

    key: by which the log's checkpoints are signed. reviews: (who, id) -> what the owner may know
    of a review.
    """

    engine: Engine
    sink: Sink
    key: Key
    reviews: Callable[[Principal, str], dict[str, Any] | None]

    async def explain(self, who: Principal, exchange_id: str) -> dict[str, Any] | None:
        """What was decided about an exchange made with this key; None if none was.

        Raises Refused if the log cannot be asked.
        """
        return await self._own(who, "explain", explained, exchange_id, who.key_id)

    async def prove(self, who: Principal, exchange_id: str) -> dict[str, Any] | None:
        """The proof that the log has an exchange made with this key; None if none was.

        Raises Refused, also if it is too early for a proof.
        """
        try:
            return await self._own(who, "proof", prove_own, exchange_id, who.key_id, self.key)
        except Unplaced as err:
            raise Refused(NO_PROOF_YET) from err

    async def review(self, who: Principal, review_id: str) -> dict[str, Any] | None:
        """How the review of a request made with this key stands; None if there is none.

        It is asked for again and again, and says nothing that its owner was not told: it is
        not on record. Raises Refused.
        """
        try:
            return await asyncio.to_thread(self.reviews, who, review_id)
        except ConfigError as err:
            raise Refused(NO_REVIEWS) from err
        except db.failures(self.engine) as err:
            raise Refused(NO_REVIEWS) from err

    async def _own(
        self, who: Principal, via: str, read: Callable[..., dict[str, Any] | None], *given: Any
    ) -> dict[str, Any] | None:
        try:
            found = await asyncio.to_thread(read, self.engine, *given)
            if found is not None:
                await self.sink.append(_read_by(who, given[0], via))
        except (RecordUnavailable, NoteError, MissingTile) as err:
            raise Refused(NO_LOG) from err
        except db.failures(self.engine) as err:
            raise Refused(NO_LOG) from err
        return found


def _read_by(who: Principal, exchange_id: str, via: str) -> Entry:
    return Entry(
        exchange_id=exchange_id,
        kind=READ,
        core={"via": via, "filters": ["exchange_id"], "count": 1},
        tenant=who.tenant,
        application=who.application,
        key_id=who.key_id,
    )
