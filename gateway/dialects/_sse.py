"""Server-sent events as they really arrive: cut anywhere, any line ending, BOM, comments."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from gateway.core.errors import UpstreamError

MAX_EVENT_BYTES = 16 * 1024 * 1024

# Longest first; a lone CR counts as an ending only when the next byte is known.
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r(?!\n)|\r\n\n|\n\r\n|\n\r(?!\n)|\r\n\r(?!\n)|\r\r\n")
# Nobody judges these lines, so they may say little.
_HARMLESS = re.compile(rb"(?:event|id): ?(?!.*\d{9})[A-Za-z0-9._:-]{0,128}[ ]?|retry: ?\d{0,7}")
# More than all APIs have, and longer than any; a name is looked at once.
_NAMES, _MAX_NAME_BYTES = 256, 160
_LINE = re.compile(rb"\r\n|\n|\r")


class Event(NamedTuple):
    """One event: its raw bytes with the blank line, its name, and where its data stands.

    start, end: the span of the data within raw. Data that came in several lines, or beside
    lines that no client reads, was joined, and raw carries it in one line.
    """

    raw: bytes
    name: str
    data: bytes
    start: int
    end: int


class Events:
    """Cuts bytes into events, and reads their lines."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._first = True

    def feed(self, data: bytes) -> list[bytes]:
        """The bytes of events completed by these. Raises UpstreamError if one has no end."""
        buffer = self._buffer
        searched = max(0, len(buffer) - 4)
        buffer += data
        out = _cut(buffer, searched)
        if len(buffer) > MAX_EVENT_BYTES:
            raise UpstreamError("an event of the upstream's stream is too large")
        return out

    def flush(self) -> list[bytes]:
        """What is left: an event whose blank line never came."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return [rest] if rest else []

    def event(self, raw: bytes) -> Event:
        """What the lines of an event say. The first of a stream must be the first asked for."""
        usual = self._usual(raw)
        if usual is not None:
            self._first = False
            return usual
        at = 3 if self._first and raw.startswith(b"\xef\xbb\xbf") else 0
        self._first = False
        name, other = "", False
        spans: list[tuple[int, int]] = []
        while at < len(raw):
            match = _LINE.search(raw, at)
            end = match.start() if match else len(raw)
            if raw.startswith(b"data:", at):
                begin = at + 5
                spans.append((begin + (raw[begin : begin + 1] == b" "), end))
            elif end > at and not _HARMLESS.fullmatch(raw, at, end):
                other = True
            elif raw.startswith(b"event:", at):
                name = raw[at + 6 : end].strip().decode("ascii")
            at = match.end() if match else len(raw)
        if not spans:
            return Event(raw, name, b"", 0, 0)
        if len(spans) > 1 or other:
            raw, spans = _joined(raw, spans)
        start, end = spans[0]
        return Event(raw, name, raw[start:end], start, end)

    def _usual(self, raw: bytes) -> Event | None:
        """An event of one line of data, perhaps behind its name, as nearly all are."""
        feed = b"\r\n" if raw.endswith(b"\r\n") else b"\n"
        end = len(raw) - 2 * len(feed)
        first = raw.find(b"\n") + 1 - len(feed)
        if not raw.endswith(feed + feed) or raw.find(b"\r", 0, end) >= 0:
            return None
        if first == end:
            return Event(raw, "", raw[6:end], 6, end) if raw.startswith(b"data: ") else None
        start = first + 7
        if not raw.startswith(b"data: ", first + 1) or raw.find(b"\n", start) != end:
            return None
        name = _name(raw[:first]) if first < _MAX_NAME_BYTES else ""
        return Event(raw, name, raw[start:end], start, end) if name else None


@lru_cache(maxsize=_NAMES)
def _name(line: bytes) -> str:
    """The name that a line gives to its event; empty if it does anything else."""
    harmless = line.startswith(b"event:") and _HARMLESS.fullmatch(line)
    return line[6:].strip().decode("ascii") if harmless else ""


def _cut(buffer: bytearray, start: int) -> list[bytes]:
    """Take the events out of a buffer in which none ends before `start`."""
    returns = buffer.count(b"\r", start)
    if not returns or returns == buffer.count(b"\n", start) == buffer.count(b"\r\n", start):
        blank = b"\r\n\r\n" if returns else b"\n\n"
        if buffer.find(blank, start) < 0:
            return []
        *events, buffer[:] = bytes(buffer).split(blank)
        return [event + blank for event in events]
    events, done = [], 0
    for match in _END.finditer(buffer, start):
        if match.end() == len(buffer) and buffer.endswith(b"\r"):
            break
        events.append(bytes(buffer[done : match.end()]))
        done = match.end()
    del buffer[:done]
    return events


def _joined(raw: bytes, spans: list[tuple[int, int]]) -> tuple[bytes, list[tuple[int, int]]]:
    """An event with its data in one line: the same JSON, editable.

    Comments and fields that no client reads are left out, for nobody judges them.
    """
    data = b" ".join(raw[start:end] for start, end in spans)
    others = b"".join(line + b"\n" for line in _LINE.split(raw) if _HARMLESS.fullmatch(line))
    start = len(others) + 6
    return others + b"data: " + data + b"\n\n", [(start, start + len(data))]
