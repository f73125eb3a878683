"""Carries entries out of the log, in the order of the tree, never in a request's way.

Each is delivered at least once: the cursor, which says what comes next, is moved on when a
batch has arrived, so a crash between the two sends that batch again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from gateway.audit.delivery import Batch, Outlet, Undelivered
from gateway.audit.formats import Entry, Format
from gateway.audit.placed import placed
from gateway.core.errors import ConfigError

BATCH = 500
# Between two looks for new entries, and at most between two tries to deliver.
POLL_S, PATIENCE_S = 1.0, 60.0


@dataclass(slots=True)
class Cursor:
    """The place in the tree that comes next, kept in a file; without a path in memory only.

    log: the log's public key; a cursor of another log is refused.
    """

    log: str
    path: Path | None = None
    at: int = 0

    def load(self) -> None:
        """Read it, if it is there. Raises ConfigError."""
        if self.path is None or not self.path.exists():
            return
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            log, at = str(kept["log"]), int(kept["next"])
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise ConfigError(f"{self.path}: expected a cursor of `gateway audit export`.") from err
        if log != self.log:
            raise ConfigError(f"{self.path}: this cursor is of another log, {log[:80]}.")
        self.at = at

    def move(self, to: int) -> None:
        """Keep the new place, by a file that takes the old one's place."""
        self.at = to
        if self.path is None:
            return
        fresh = self.path.with_name(self.path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump({"log": self.log, "next": to}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


def export(
    engine: Engine,
    form: Format,
    to: Outlet,
    cursor: Cursor,
    *,
    until: int | None = None,
    wait: Callable[[float], bool] | None = None,
) -> Iterator[int]:
    """Deliver all entries from the cursor on; gives after each batch how many it had.

    until: the place to stop before. wait: to go on when all is delivered and to try again what
    was not, waits that many seconds and says whether to go on. Without it the first batch that
    is Undelivered raises.
    """
    tries = 0
    while until is None or cursor.at < until:
        limit = BATCH if until is None else min(BATCH, until - cursor.at)
        entries = placed(engine, cursor.at, limit)
        if not entries:
            if wait is None or not wait(POLL_S):
                return
            continue
        batch = _batch(form, entries)
        try:
            if batch.text:
                to.send(batch)
        except Undelivered:
            tries += 1
            if wait is None or not wait(min(2.0**tries, PATIENCE_S)):
                raise
            continue
        tries = 0
        cursor.move(entries[-1]["index"] + 1)
        yield len(entries)


def _batch(form: Format, entries: Sequence[Entry]) -> Batch:
    def each() -> Iterator[tuple[str, str]]:
        for entry in entries:
            if text := form.batch([entry]):
                yield str(entry["id"]), text

    return Batch(form.batch(entries), form.media_type, form.head, each)
