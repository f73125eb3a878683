"""Looks now and then whether the audit log's partitions reach far enough ahead."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import Engine

from gateway.audit.partitions import caution
from gateway.core.ports import Clock
from gateway.core.repeating import Repeating
from gateway.db import failures

log = logging.getLogger(__name__)
EVERY_S = 3_600.0


class MonthWatch:
    """`caution` says what is to be done before long; empty if nothing is."""

    def __init__(self, engine: Engine, *, clock: Clock, every_s: float = EVERY_S) -> None:
        self._engine = engine
        self._clock = clock
        self._failures = failures(engine)
        self._looks = Repeating(self._look, every_s=every_s, name="gateway-months", at_once=True)
        self.caution = ""

    def start(self) -> None:
        """Look from now on, until `aclose`. SQLite has no partitions to look for."""
        if self._engine.dialect.name == "postgresql":
            self._looks.start()

    async def aclose(self) -> None:
        """Stop looking."""
        await self._looks.aclose()

    async def _look(self) -> None:
        try:
            self.caution = await asyncio.to_thread(caution, self._engine, self._clock.now_ms())
        except self._failures as err:
            log.warning("The log's partitions could not be read: %s", type(err).__name__)
