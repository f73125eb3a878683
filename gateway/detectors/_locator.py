"""All triggers in one pass: where does some detector need to look?

Hyperscan scans the folded text (`_fold`) in byte mode; nothing here backtracks. Compiled
databases are kept in a folder, so that only the first start pays for compiling them.
Scanning is for one thread at a time.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import hyperscan

from gateway.core.errors import ConfigError
from gateway.core.ports import Trigger
from gateway.detectors._fold import fold
from gateway.detectors._marks import MAX_CHARS
from gateway.detectors._view import View, view

log = logging.getLogger(__name__)

_FORMAT = b"1"


class Locator:
    """The triggers of several detectors, compiled.

    reach_chars: a finding starts at most this many characters before the first place that
    `locate` tells within it. If it reads as it is written, that is a trigger's end. Else what
    stands before its first mark is as long as it reads, so a trigger's reach at most, and the
    mark's end is told as soon as the mark has arrived: together, the reach of a trigger and
    the length of the longest mark.
    """

    def __init__(self, triggers: Mapping[str, Sequence[Trigger]], cache_dir: Path) -> None:
        """Compiles, or loads from cache_dir, which must belong to us alone.

        Blocks: about a second if nothing is cached, else milliseconds. Raises ConfigError
        for a trigger that cannot be compiled.
        """
        self._detectors = sorted(triggers)
        rows = [(name, trigger) for name in self._detectors for trigger in triggers[name]]
        reach_chars = max((trigger.reach_chars for _, trigger in rows), default=0)
        self.reach_chars = reach_chars + MAX_CHARS if rows else 0
        self._hints = {
            name: sorted({trigger.hint for trigger in triggers[name]}) for name in self._detectors
        }
        # For `hints` one match a trigger is enough, which keeps texts full of digits cheap.
        # For `locate` all triggers of a detector share one id: one match an offset. A
        # database for each detector costs less than one for all: hyperscan passes over text
        # that holds nothing a pattern begins with the faster, the more alike they are.
        self._first = {
            name: _database(
                _numbered(triggers[name], self._hints[name]),
                hyperscan.HS_FLAG_SINGLEMATCH,
                cache_dir,
            )
            for name in self._detectors
        }
        self._all = {
            name: _database([(0, trigger) for trigger in triggers[name]], 0, cache_dir)
            for name in self._detectors
        }

    def locate(self, text: str, detectors: Collection[str]) -> list[int]:
        """Where to look for these detectors, in characters, ascending, each place once.

        That is where their triggers end, in the text and in its view, and where marks end:
        what holds a mark may read differently before any trigger says so.
        """
        seen = view(text)
        ends = self.ends(text, seen, detectors)
        if seen is None or self._all.keys().isdisjoint(detectors):
            return ends
        return sorted({*ends, *seen.marks})

    def ends(self, text: str, seen: View | None, detectors: Collection[str]) -> list[int]:
        """Where the triggers end in a text and in its view, ascending, each place once."""
        found = self._ends(text, detectors)
        if seen is not None:
            found.update(map(seen.end, self._ends(seen.text, detectors)))
        return sorted(found)

    def _ends(self, text: str, detectors: Collection[str]) -> set[int]:
        found: list[int] = []
        append = found.append
        folded = fold(text)
        for name in detectors:
            database = self._all.get(name)
            if database is not None:
                database.scan(folded, match_event_handler=lambda n, s, end, f, c: append(end))
        return set(found)

    def hints(self, text: str, detectors: Collection[str]) -> dict[str, list[str]]:
        """The hints of triggers that fire somewhere in the text, by detector."""
        out: dict[str, list[str]] = {}
        folded = fold(text)
        for name in detectors:
            database = self._first.get(name)
            found: list[int] = []
            if database is not None:
                _scan(database, folded, found)
            if found:
                hints = self._hints[name]
                out[name] = [hints[number] for number in sorted(set(found))]
        return out


def _numbered(triggers: Sequence[Trigger], hints: Sequence[str]) -> list[tuple[int, Trigger]]:
    places = {hint: number for number, hint in enumerate(hints)}
    return [(places[trigger.hint], trigger) for trigger in triggers]


def _scan(database: hyperscan.Database, folded: bytes, found: list[int]) -> None:
    append = found.append
    database.scan(
        folded, match_event_handler=lambda number, start, end, flags, context: append(number)
    )


def _database(
    rows: list[tuple[int, Trigger]], flags: int, cache_dir: Path
) -> hyperscan.Database | None:
    if not rows:
        return None
    path = cache_dir / f"triggers-{_key(rows, flags)}.hs"
    database = _read(path)
    if database is None:
        database = _compile(rows, flags)
        _write(path, hyperscan.dumpb(database))
    database.scratch = hyperscan.Scratch(database)
    return database


def _compile(rows: list[tuple[int, Trigger]], flags: int) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    caseless = hyperscan.HS_FLAG_CASELESS
    try:
        database.compile(
            expressions=[trigger.pattern.encode("ascii") for _, trigger in rows],
            ids=[number for number, _ in rows],
            elements=len(rows),
            flags=[flags | (caseless if trigger.ignore_case else 0) for _, trigger in rows],
        )
    except (hyperscan.HyperscanError, UnicodeEncodeError) as err:
        hints = ", ".join(sorted({trigger.hint for _, trigger in rows}))
        raise ConfigError(f"A trigger cannot be compiled ({err}); one of: {hints}.") from err
    return database


def _key(rows: list[tuple[int, Trigger]], flags: int) -> str:
    digest = hashlib.sha256(b"%s %s %d" % (_FORMAT, version("hyperscan").encode(), flags))
    for number, trigger in rows:
        digest.update(f"\n{number} {trigger.ignore_case:d} {trigger.pattern}".encode())
    return digest.hexdigest()[:32]


def _read(path: Path) -> hyperscan.Database | None:
    """A database kept earlier; None if there is none or it is damaged or from another machine."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        log.warning("%s is damaged; compiling the triggers again", path)
        return None
    try:
        return hyperscan.loadb(data[32:], hyperscan.HS_MODE_BLOCK)
    except hyperscan.HyperscanError:
        return None


def _write(path: Path, data: bytes) -> None:
    """Keeps it, in one step: other processes see all of it or nothing. A cache may fail."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".triggers-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(data).digest() + data)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as err:
        log.warning("compiled triggers cannot be kept in %s: %s", path.parent, err.strerror)
