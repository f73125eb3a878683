"""Looks now and then whether the audit log's partitions reach far enough ahead."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy import Engine

from gateway.audit.partitions import caution
from gateway.core.ports import Clock
from gateway.db import failures

log = logging.getLogger(__name__)
EVERY_S = 3_600.0


class MonthWatch:
    """`caution` says what is to be done before long; empty if nothing is."""

    def __init__(self, engine: Engine, *, clock: Clock, every_s: float = EVERY_S) -> None:
        self._engine = engine
        self._clock = clock
        self._every_s = every_s
        self._failures = failures(engine)
        self._task: asyncio.Task[None] | None = None
        self.caution = ""

    def start(self) -> None:
        """Look from now on, until `aclose`. SQLite has no partitions to look for."""
        if self._engine.dialect.name == "postgresql":
            self._task = asyncio.create_task(self._keep_up(), name="gateway-months")

    async def aclose(self) -> None:
        """Stop looking."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _keep_up(self) -> None:
        while True:
            try:
                now_ms = self._clock.now_ms()
                self.caution = await asyncio.to_thread(caution, self._engine, now_ms)
            except self._failures as err:
                log.warning("The log's partitions could not be read: %s", type(err).__name__)
            await asyncio.sleep(self._every_s)
