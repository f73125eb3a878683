"""A local file for entries while the database is away: appended to, synced, read back in order.

Each line is an entry's `core`, as it will stand in the log, or the end of a group: a JSON list
that names the chain's head after it, with the head's seal. The first line is the head that the
database had last. What follows the last whole group was never confirmed to anybody.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gateway.audit import chain
from gateway.audit.append import WriteError
from gateway.audit.chain import Head
from gateway.audit.sealing import Kept, read, spelled
from gateway.audit.tables import TEXTS

if sys.platform != "win32":
    import fcntl

SUFFIX = ".spool"
# Left to entries that report what has happened, when those that ask are refused already.
_RESERVE_SHARE = 0.1

# Between an entry's core, which holds no such character, and what goes beside it.
_BESIDE = "\t"

Row = tuple[Any, ...]


class Spooled(NamedTuple):
    """A row of `audit_entry`, and what goes beside it."""

    row: Row
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A spool file. held: whether a running process holds it."""

    path: Path
    replica: str
    entries: int
    bytes: int
    held: bool


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
            _lock(self._file)
            self._ends = [(base.n, 0)]
            self._write(_end(base, self._key))
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
        beside = {each.payload.entry_id: _BESIDE + spelled(each) for each in kept}
        lines = [f"{row[-3]}{beside.get(row[3], '')}\n".encode("ascii") for row in rows]
        cores = b"".join(lines)
        text = cores + _end(after, self._key)
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
        found = _rows(self._path, self._key, self.bytes, start=self._ends[group][1])
        return (each for each in found if each.row[2] > behind)

    def leftovers(self) -> Iterator[Leftover]:
        """Files in the folder that no running process holds, oldest chain first; now ours.

        Raises WriteError for one that is damaged, or that another audit key has sealed.
        """
        for path in _files(self.folder):
            file = os.open(path, os.O_RDWR)
            try:
                _lock(file)
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


class Leftover:
    """The spool file of a process that has ended; ours from now on.

    base: the head that its first entry follows.
    """

    def __init__(self, path: Path, file: int, key: bytes) -> None:
        self.path = path
        self.base = _base(path, key)
        self._file = file
        self._key = key

    def rows(self) -> Iterator[Spooled]:
        """Its entries, first to last."""
        return _rows(self.path, self._key, self.path.stat().st_size)

    def remove(self) -> None:
        """All is in the database: remove the file."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leave it to others, or to a later start."""
        os.close(self._file)


def found(folder: Path) -> list[Found]:
    """The spool files in a folder, whoever holds them; seals are not checked."""
    out = []
    for path in _files(folder):
        with path.open("rb") as file:
            held = False
            try:
                _lock(file.fileno())
            except OSError:
                held = True
            lines = file.readlines()
        entries = sum(line.startswith(b"{") for line in lines)
        replica = json.loads(lines[0])[1] if lines and lines[0].endswith(b"\n") else ""
        out.append(Found(path, replica, entries, path.stat().st_size, held))
    return out


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def _lock(file: int) -> None:
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _end(head: Head, key: bytes) -> bytes:
    values = [
        "chain",
        head.replica,
        head.epoch,
        head.ordinal,
        head.n,
        head.hash.hex(),
        head.opened_ms,
        head.closed_ms,
        head.mac(key).hex(),
    ]
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def _head(line: bytes, key: bytes) -> Head | None:
    """The head that a line names; None if it is cut off or its seal does not fit."""
    try:
        _, replica, epoch, ordinal, n, digest, opened_ms, closed_ms, mac = json.loads(line)
        head = Head(replica, epoch, ordinal, n, bytes.fromhex(digest), opened_ms, closed_ms)
        return head if hmac.compare_digest(bytes.fromhex(mac), head.mac(key)) else None
    except (ValueError, TypeError):
        return None


def _base(path: Path, key: bytes) -> Head:
    with path.open("rb") as file:
        head = _head(file.readline(), key)
    if head is None:
        raise _damaged(path)
    return head


def _damaged(path: Path) -> WriteError:
    return WriteError(
        f"{path}: expected entries of a chain, sealed with this keyring's audit key; they are "
        "damaged or another log's. Keep the file as evidence, elsewhere"
    )


def _rows(path: Path, key: bytes, size: int, *, start: int = 0) -> Iterator[Spooled]:
    """start: where the line of the head that the first of them follows begins."""
    group: list[bytes] = []
    with path.open("rb") as file:
        file.seek(start)
        head = _head(file.readline(), key)
        if head is None:
            raise _damaged(path)
        while file.tell() < size and (line := file.readline()):
            if line.startswith(b"{"):
                group.append(line)
                continue
            end = _head(line, key)
            rows = _follow(head, group)
            if end is None or not rows or rows[-1].row[-1] != end.hash:
                if any(_head(later, key) for later in file):
                    raise _damaged(path)
                return
            yield from rows
            head, group = end, []


def _follow(head: Head, lines: Sequence[bytes]) -> list[Spooled]:
    out: list[Spooled] = []
    n, prev = head.n, head.hash
    for line in lines:
        text, _, beside = line.rstrip(b"\n").partition(_BESIDE.encode())
        try:
            core, kept = json.loads(text), read(beside)
        except (ValueError, TypeError):
            return []
        n += 1
        texts = [core[name] for name in TEXTS]
        digest = chain.entry_hash(prev, text)
        place = (head.replica, head.epoch, n, core["id"], core["ts_ms"])
        out.append(Spooled((*place, *texts, text.decode("ascii"), prev, digest), kept))
        prev = digest
    return out


def after(head: Head, row: Row) -> Head:
    """The head of this chain with the row at its end."""
    return head.moved(row, closed_ms=row[4] if row[_KIND] == chain.CHAIN_CLOSED else None)


_KIND = 5 + TEXTS.index("kind")
