"""The works that are registered now, in memory: what is added or removed counts within seconds."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import Engine

from gateway.core.ports import Clock
from gateway.core.repeating import Repeating
from gateway.db import failures
from gateway.detectors._verbatim.store import Register, unusable
from gateway.detectors._verbatim.works import Fingerprint, Works

log = logging.getLogger(__name__)


class Registry:
    """Looks at the register every `ttl_s`. While the database is away the last state holds."""

    def __init__(self, engine: Engine, key: bytes, *, clock: Clock, ttl_s: float = 5) -> None:
        self._register = Register(engine, key, clock)
        self._failures = failures(engine)
        self._key = key
        self._looks = Repeating(self._look, every_s=ttl_s, name="gateway-works")
        self._known: dict[tuple[str, int], Fingerprint] = {}
        self.works = Works((), key)
        self.caution = ""

    def refresh(self) -> None:
        """Look now. Blocks; raises what the database raises."""
        infos = self._register.infos()
        lost = unusable(infos)
        self.caution = (
            f"{len(lost)} were registered under another key or by another version, so answers "
            "are not compared with them; 'gateway works list' says which"
            if lost
            else ""
        )
        now = {(info.id, info.created_ms) for info in infos if info.usable}
        if now == self._known.keys():
            return
        new = dict(self._register.fetch([id_ for id_, _ in now - self._known.keys()]))
        known = {each: kept for each, kept in self._known.items() if each in now}
        known |= {each: new[each[0]] for each in now if each[0] in new}
        self.works = Works([(id_, known[id_, made]) for id_, made in sorted(known)], self._key)
        self._known = known

    async def start(self) -> None:
        """Load all works and keep up until `aclose`. Raises as `refresh`."""
        await asyncio.to_thread(self.refresh)
        self._looks.start()

    async def aclose(self) -> None:
        """Stop looking."""
        await self._looks.aclose()

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self.refresh)
        except self._failures as err:
            log.warning("The registered works could not be loaded: %s", type(err).__name__)
