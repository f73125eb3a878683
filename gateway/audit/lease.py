"""Who of several processes on one database sequences. The others wait, and take over.

Only to spare work: two at once could not harm the tree, for the same leaf cannot be
written twice.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text

from gateway.db import failures

if sys.platform != "win32":
    import fcntl

_LOCK = 0x6757_7365  # any fixed number that no other application is likely to use


class Lease(Protocol):
    """Held by one process at a time, until it lets go or ends."""

    def take(self) -> bool:
        """Whether it is ours, now. Does not wait. Raises what the database raises."""

    def release(self) -> None:
        """Let another have it."""


def lease(engine: Engine) -> Lease:
    """The one for sequencing this database."""
    if engine.dialect.name == "postgresql":
        return _AdvisoryLock(engine)
    return _LockedFile(Path(f"{engine.url.database}-sequencer"))


class _AdvisoryLock:
    """A session's lock of PostgreSQL: it ends with the connection, however that ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._failures = failures(engine)
        self._session: Connection | None = None

    def take(self) -> bool:
        if self._session is not None:
            try:
                self._session.execute(text("SELECT 1"))
            except self._failures:
                self.release()
                raise
            return True
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            statement = text("SELECT pg_try_advisory_lock(:key)")
            taken = bool(session.execute(statement, {"key": _LOCK}).scalar_one())
        except BaseException:
            session.close()
            raise
        if taken:
            self._session = session
        else:
            session.close()
        return taken

    def release(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(*self._failures):
                session.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            # Not back to the pool: if that failed, the lock ends with the connection.
            session.invalidate()
            session.close()


class _LockedFile:
    """A lock on a file beside the SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        if self._file is None:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if not _locked(handle):
                os.close(handle)
                return False
            self._file = handle
        return True

    def release(self) -> None:
        handle, self._file = self._file, None
        if handle is not None:
            os.close(handle)


def _locked(handle: int) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
