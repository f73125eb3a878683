"""The quiet values that count now, in memory: what is marked or ended counts within seconds."""

from __future__ import annotations

import asyncio
import logging

from gateway.core.ports import Clock, Quiet
from gateway.core.repeating import Repeating
from gateway.db import failures
from gateway.quieting.store import Keys, QuietValue, Store, digest_of

log = logging.getLogger(__name__)

REFRESH_S = 5


class Registry:
    """Looks at the table every `ttl_s`. While the database is away the last state holds."""

    def __init__(self, store: Store, keys: Keys, *, clock: Clock, ttl_s: float = REFRESH_S) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._looks = Repeating(self._look, every_s=ttl_s, name="gateway-quiet-values")
        self._failures = failures(store.engine)
        self._stamp: object = None
        self._known: dict[str, dict[str, QuietValue]] = {}

    def quiet(self, tenant: str) -> Quiet | None:
        """What tells of this tenant's findings which are quiet; None if none are. No I/O."""
        known = self._known.get(tenant)
        if not known:
            return None
        key = self._keys(tenant)

        def ask(category: str, value: str) -> str:
            found = known.get(digest_of(key, category, value))
            return found.id if found is not None and found.counts(self._clock.now_ms()) else ""

        return ask

    def refresh(self) -> None:
        """Look now. Blocks; raises what the database raises."""
        stamp = self._store.stamp()
        if stamp == self._stamp:
            return
        known: dict[str, dict[str, QuietValue]] = {}
        for each in self._store.all():
            known.setdefault(each.tenant, {})[each.digest] = each
        self._known, self._stamp = known, stamp

    async def start(self) -> None:
        """Load all and keep up until `aclose`. Raises as `refresh`."""
        await asyncio.to_thread(self.refresh)
        self._looks.start()

    async def aclose(self) -> None:
        """Stop looking."""
        await self._looks.aclose()

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self.refresh)
        except self._failures as err:
            log.warning("The quiet values could not be loaded: %s", type(err).__name__)
