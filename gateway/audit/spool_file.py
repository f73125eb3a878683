"""What stands in a spool file, and how it is read back.

Each line is an entry's `core`, as it will stand in the log, or the end of a group: a JSON list
that names the chain's head after it, with the head's seal. The first line is the head that the
database had last. What follows the last whole group was never confirmed to anybody.
"""

from __future__ import annotations

import hmac
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gateway.audit import chain
from gateway.audit.append import WriteError
from gateway.audit.chain import Head
from gateway.audit.sealing import Kept, read
from gateway.audit.tables import TEXTS

if sys.platform != "win32":
    import fcntl

SUFFIX = ".spool"
# Between an entry's core, which holds no such character, and what goes beside it.
BESIDE = "\t"

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
        return rows_of(self.path, self._key, self.path.stat().st_size)

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
    for path in files(folder):
        with path.open("rb") as file:
            held = False
            try:
                lock(file.fileno())
            except OSError:
                held = True
            lines = file.readlines()
        entries = sum(line.startswith(b"{") for line in lines)
        replica = json.loads(lines[0])[1] if lines and lines[0].endswith(b"\n") else ""
        out.append(Found(path, replica, entries, path.stat().st_size, held))
    return out


def files(folder: Path) -> list[Path]:
    """The spool files in a folder, oldest chain first."""
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def lock(file: int) -> None:
    """Hold a file until it is closed. Raises BlockingIOError if another process holds it."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def ending(head: Head, key: bytes) -> bytes:
    """The line that ends a group, or stands first."""
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


def rows_of(path: Path, key: bytes, size: int, *, start: int = 0) -> Iterator[Spooled]:
    """The whole groups of a file, up to so many bytes. Raises WriteError if it is damaged.

    start: where the line of the head that the first of them follows begins.
    """
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
        text, _, beside = line.rstrip(b"\n").partition(BESIDE.encode())
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


def head_after(head: Head, row: Row) -> Head:
    """The head of this chain with the row at its end."""
    return head.moved(row, closed_ms=row[4] if row[_KIND] == chain.CHAIN_CLOSED else None)


_KIND = 5 + TEXTS.index("kind")
