"""Server-sent events as they really arrive: cut anywhere, any line ending, BOM, comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from gateway.core.errors import UpstreamError

MAX_EVENT_BYTES = 16 * 1024 * 1024

# Longest first; a lone CR counts as an ending only when the next byte is known.
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r(?!\n)|\r\n\n|\n\r\n|\n\r(?!\n)|\r\n\r(?!\n)|\r\r\n")
# Nobody judges these lines, so they may say little.
_HARMLESS = re.compile(rb"(?:event|id): ?(?!.*\d{9})[A-Za-z0-9._:-]{0,128}[ ]?|retry: ?\d{0,7}")
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
    """Cuts bytes into events."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._first = True

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by these bytes. Raises UpstreamError if one grows beyond all bounds."""
        buffer = self._buffer
        searched = max(0, len(buffer) - 4)
        buffer += data
        out: list[Event] = []
        start = 0
        for end in _ends(buffer, searched):
            out.append(self._event(bytes(buffer[start:end])))
            start = end
        del buffer[:start]
        if len(buffer) > MAX_EVENT_BYTES:
            raise UpstreamError("an event of the upstream's stream is too large")
        return out

    def flush(self) -> list[Event]:
        """What is left: an event whose blank line never came."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return [self._event(rest)] if rest else []

    def _event(self, raw: bytes) -> Event:
        if _one_line(raw):
            self._first = False
            return Event(raw, "", raw[6:-2], 6, len(raw) - 2)
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


def _one_line(raw: bytes) -> bool:
    """Whether an event is one line of data and the usual line feeds, as nearly all are."""
    return (
        raw.startswith(b"data: ")
        and raw.find(b"\n") == len(raw) - 2
        and raw.endswith(b"\n")
        and b"\r" not in raw
    )


def _ends(buffer: bytearray, start: int) -> Iterator[int]:
    """Where events end, looking from `start` on."""
    if buffer.find(b"\r", start) < 0:
        end = buffer.find(b"\n\n", start)
        while end >= 0:
            yield end + 2
            end = buffer.find(b"\n\n", end + 2)
        return
    for match in _END.finditer(buffer, start):
        if match.end() == len(buffer) and buffer.endswith(b"\r"):
            break
        yield match.end()


def _joined(raw: bytes, spans: list[tuple[int, int]]) -> tuple[bytes, list[tuple[int, int]]]:
    """An event with its data in one line: the same JSON, editable.

    Comments and fields that no client reads are left out, for nobody judges them.
    """
    data = b" ".join(raw[start:end] for start, end in spans)
    others = b"".join(line + b"\n" for line in _LINE.split(raw) if _HARMLESS.fullmatch(line))
    start = len(others) + 6
    return others + b"data: " + data + b"\n\n", [(start, start + len(data))]
