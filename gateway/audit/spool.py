"""A local file for entries while the database is away: appended to, synced, read back in order.

What stands in it, says `spool_file`.
"""

from __future__ import annotations

import contextlib
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.audit.append import WriteError
from gateway.audit.chain import Head
from gateway.audit.sealing import Kept, spelled
from gateway.audit.spool_file import (
    BESIDE,
    SUFFIX,
    Leftover,
    Row,
    Spooled,
    ending,
    files,
    lock,
    rows_of,
)

# Left to entries that report what has happened, when those that ask are refused already.
_RESERVE_SHARE = 0.1


class Spool:
    """The spool of one process. Its file is there only while entries wait in it.

    folder: made if it is not there, readable for this user only. max_bytes: how large the
    file may become. Used by one thread at a time, but `rows` may be read by another.
    """

    def __init__(self, folder: Path, key: bytes, *, max_bytes: int) -> None:
        self.folder = folder
        self.entries = self.bytes = 0
        self._key = key
        self._max_bytes = max_bytes
        self._file: int | None = None
        self._path = folder
        # (n, where its line begins) of the head after each group.
        self._ends: list[tuple[int, int]] = []

    @property
    def tight(self) -> bool:
        """Whether only entries that report what has happened may still come in."""
        return self.bytes >= self._max_bytes * (1 - _RESERVE_SHARE)

    def begin(self, base: Head) -> None:
        """Make the file. Raises WriteError."""
        name = f"{base.epoch}-{os.getpid()}"
        new, self._path = self.folder / name, self.folder / f"{name}{SUFFIX}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            lock(self._file)
            self._ends = [(base.n, 0)]
            self._write(ending(base, self._key))
            # Under its own name only when it is locked and says what it follows.
            new.rename(self._path)
            _sync_folder(self.folder)
        except OSError as err:
            self._close()
            with contextlib.suppress(OSError):
                new.unlink()
            raise WriteError(f"the audit spool cannot be made: {type(err).__name__}") from err

    def append(self, rows: Sequence[Row], after: Head, kept: Sequence[Kept] = ()) -> None:
        """Write the rows, durably when it returns; all or none. Raises WriteError.

        after: the chain's head with them. kept: what goes beside them.
        """
        beside = {each.payload.entry_id: BESIDE + spelled(each) for each in kept}
        lines = [f"{row[-3]}{beside.get(row[3], '')}\n".encode("ascii") for row in rows]
        cores = b"".join(lines)
        text = cores + ending(after, self._key)
        if self.bytes + len(text) > self._max_bytes:
            raise WriteError("the audit spool is full")
        try:
            self._write(text)
        except OSError as err:
            raise WriteError(f"the audit spool cannot be written: {type(err).__name__}") from err
        self._ends.append((after.n, self.bytes - len(text) + len(cores)))
        self.entries += len(rows)

    def rows(self, *, behind: int = -1) -> Iterator[Spooled]:
        """What has been appended by now, first to last.

        behind: only entries behind that place in the chain.
        """
        group = max(0, bisect_right(self._ends, behind, key=lambda end: end[0]) - 1)
        found = rows_of(self._path, self._key, self.bytes, start=self._ends[group][1])
        return (each for each in found if each.row[2] > behind)

    def leftovers(self) -> Iterator[Leftover]:
        """Files in the folder that no running process holds, oldest chain first; now ours.

        Raises WriteError for one that is damaged, or that another audit key has sealed.
        """
        for path in files(self.folder):
            file = os.open(path, os.O_RDWR)
            try:
                lock(file)
                leftover = Leftover(path, file, self._key)
            except BlockingIOError:
                os.close(file)
                continue
            except WriteError:
                os.close(file)
                raise
            yield leftover

    def clear(self) -> None:
        """All is in the database: remove the file."""
        self._path.unlink(missing_ok=True)
        self._close()

    def _write(self, text: bytes) -> None:
        file = self._file
        if file is None:
            raise OSError("the spool is not open")
        try:
            if os.write(file, text) != len(text):
                raise OSError("the disk is full")
            os.fsync(file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, self.bytes)
            raise
        self.bytes += len(text)

    def _close(self) -> None:
        file, self._file = self._file, None
        self.entries = self.bytes = 0
        if file is not None:
            os.close(file)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
