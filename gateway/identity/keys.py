"""Looks up who is asking, from memory: the event loop never waits for the database.

A snapshot of all keys is loaded every few seconds. When the database is away the last
one stays valid for a while; after that nobody is let in.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
from collections.abc import Sequence

from sqlalchemy import Engine

from gateway.core.judgement import Principal
from gateway.core.ports import Clock
from gateway.core.repeating import Repeating
from gateway.db import failures
from gateway.identity.keytable import KeyInfo, KeyTable, split

MISS_PAUSE_S = 0.5
_NOBODY = hashlib.sha256(b"no such key").digest()

log = logging.getLogger(__name__)


class KeyStore:
    """Gateway keys: `new`, `list` and `revoke` block; `authenticate` never does.

    ttl_s: how old the snapshot gets before it is loaded again, so how late a revocation
    by another process takes effect. grace_s: for how long an older one will still do
    while the database is away.
    """

    def __init__(
        self, engine: Engine, *, clock: Clock, ttl_s: float = 5, grace_s: float = 300
    ) -> None:
        self._table = KeyTable(engine, clock)
        self._failures = failures(engine)
        self._clock = clock
        self._looks = Repeating(self._try_refresh, every_s=ttl_s, name="gateway-keys")
        self._max_age_ms = (ttl_s + grace_s) * 1_000
        self._keys: dict[str, tuple[KeyInfo, bytes]] = {}
        self._loaded_ms: float | None = None
        self._upcoming: asyncio.Task[None] | None = None

    def new(
        self,
        name: str,
        *,
        tenant: str = "default",
        application: str = "",
        team: str = "",
        roles: Sequence[str] = (),
        expires_ms: int | None = None,
        data_class: str = "",
    ) -> tuple[Principal, str]:
        """Make a key; the text is shown here and never again. Works elsewhere within the ttl."""
        made = self._table.new(
            name,
            tenant=tenant,
            application=application,
            team=team,
            roles=roles,
            expires_ms=expires_ms,
            data_class=data_class,
        )
        self.refresh()
        return made

    def list(self) -> Sequence[KeyInfo]:
        """All keys, oldest first, the revoked ones too."""
        return [info for info, _ in self._table.load().values()]

    def revoke(self, key_id: str) -> bool:
        """Revoke a key: here at once, in other processes within the ttl. False if not valid."""
        done = self._table.revoke(key_id)
        self.refresh()
        return done

    def refresh(self) -> None:
        """Load the snapshot now. Blocks; raises what the database raises."""
        started_ms = self._clock.monotonic_ms()
        self._keys = self._table.load()
        self._loaded_ms = started_ms

    @property
    def ready(self) -> bool:
        """Whether the snapshot is fresh enough to let anybody in."""
        if self._loaded_ms is None:
            return False
        return self._clock.monotonic_ms() - self._loaded_ms <= self._max_age_ms

    def authenticate(self, key: str) -> Principal | None:
        """Who holds this key; None for an unknown, revoked or expired one, or if not `ready`."""
        if not self.ready:
            return None
        key_id, digest = split(key) or ("", b"")
        info, expected = self._keys.get(key_id, (None, _NOBODY))
        # Compared for unknown ids too, so that time does not tell which ids exist.
        same = hmac.compare_digest(digest, expected)
        if not same or info is None or not info.valid(self._clock.now_ms()):
            return None
        return info.principal

    async def authenticate_async(self, key: str) -> Principal | None:
        """As `authenticate`, but an id not seen before is looked for in the database first.

        All such misses share one look, at most every half second, so that guessing keys
        costs the guesser time and the database nothing.
        """
        who = self.authenticate(key)
        parts = split(key)
        if who is not None or parts is None or parts[0] in self._keys:
            return who
        await self._look_again()
        return self.authenticate(key)

    async def start(self) -> None:
        """Load the first snapshot and keep it fresh until `aclose`. Raises as `refresh`."""
        await asyncio.to_thread(self.refresh)
        self._looks.start()

    async def aclose(self) -> None:
        """Stop refreshing."""
        await self._looks.aclose()
        task, self._upcoming = self._upcoming, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _look_again(self) -> None:
        if self._upcoming is None:
            self._upcoming = asyncio.create_task(self._look_soon())
        await asyncio.shield(self._upcoming)

    async def _look_soon(self) -> None:
        age_s = (self._clock.monotonic_ms() - (self._loaded_ms or 0.0)) / 1_000
        await asyncio.sleep(min(MISS_PAUSE_S, max(0.0, MISS_PAUSE_S - age_s)))
        # From here on a miss may be newer than what is being read, so it asks anew.
        self._upcoming = None
        await self._try_refresh()

    async def _try_refresh(self) -> None:
        try:
            await asyncio.to_thread(self.refresh)
        except self._failures as err:
            log.warning("The gateway keys could not be loaded: %s", type(err).__name__)
