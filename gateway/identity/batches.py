"""Rows for one table from many callers: those that come while a transaction runs share the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]


class Batches:
    """Writes rows in the background, one transaction at a time.

    write: makes all of these durable; blocks. failures: what it may raise.
    """

    def __init__(
        self,
        write: Callable[[list[Row]], None],
        failures: tuple[type[Exception], ...],
        *,
        name: str,
    ) -> None:
        self._write = write
        self._failures = failures
        self._name = name
        self._waiting: list[tuple[Sequence[Row], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    def add(self, rows: Sequence[Row]) -> asyncio.Future[None]:
        """Done as soon as these are durable. Fails with what `write` raised."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, durable))
        if self._writer is None:
            self._writer = asyncio.create_task(self._run(), name=self._name)
        return durable

    async def aclose(self) -> None:
        """Wait for what is being written."""
        if self._writer is not None:
            await self._writer

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            failed: Exception | None = None
            try:
                await asyncio.to_thread(self._write, [row for rows, _ in batch for row in rows])
            except self._failures as err:
                failed = err
            for _, durable in batch:
                if durable.done():
                    continue
                if failed is None:
                    durable.set_result(None)
                else:
                    durable.set_exception(failed)
        self._writer = None
