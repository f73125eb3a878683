"""A stream that is one JSON array: its elements as they arrive, cut anywhere on their way."""

from __future__ import annotations

import re

from gateway.core.errors import UpstreamError
from gateway.dialects._sse import MAX_EVENT_BYTES, Event

_MARK = re.compile(rb'["{}\[\],]')
_STRING_MARK = re.compile(rb'["\\]')
_SPACE = b" \t\r\n"
_BETWEEN = _SPACE + b",["


class Elements:
    """Cuts bytes into the elements of an array.

    What stands between two elements belongs to the bytes of the second. The array's end is an
    event without data. A body that is no array is one element.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0  # how far the buffer was looked through
        self._blank = 0  # how far it is known to hold nothing but separators
        self._depth = 0
        self._quoted = False
        self._array = self._listed = False

    def feed(self, data: bytes) -> list[bytes]:
        """Elements completed by these bytes. Raises UpstreamError if one has no end."""
        self._buffer += data
        out: list[bytes] = []
        while (mark := self._next()) is not None:
            self._step(mark, out)
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise UpstreamError("an event of the upstream's stream is too large")
        return out

    def flush(self) -> list[bytes]:
        """What is left: an element whose end never came, or what follows the array."""
        return [self._cut(len(self._buffer))] if self._buffer else []

    def event(self, raw: bytes) -> Event:
        """An element without what stands around it."""
        start = len(raw) - len(raw.lstrip(_BETWEEN if self._listed else _SPACE))
        stop = max(start, len(raw.rstrip(_SPACE)))
        if self._listed and raw[start:stop] == b"]":
            return Event(raw, "", b"", 0, 0)
        return Event(raw, "", raw[start:stop], start, stop)

    def _next(self) -> bytes | None:
        """The next byte that means something, and move behind it; None if it has not come."""
        pattern = _STRING_MARK if self._quoted else _MARK
        match = pattern.search(self._buffer, self._at)
        if match is None:
            self._at = len(self._buffer)
            return None
        mark, end = match.group(), match.end()
        if mark == b"\\":
            if end == len(self._buffer):
                self._at = match.start()
                return None
            end += 1
        self._at = end
        return mark

    def _step(self, mark: bytes, out: list[bytes]) -> None:
        if mark == b'"':
            self._quoted = not self._quoted
        elif mark in b"{[":
            if self._depth == 0 and mark == b"[":
                self._array = self._listed = True
            self._depth += 1
        elif mark in b"}]":
            self._depth = max(0, self._depth - 1)
            self._closed(out)
        elif mark == b"," and self._array and self._depth == 1:
            self._bare(out)

    def _closed(self, out: list[bytes]) -> None:
        """An object or a list has ended: an element, or the whole."""
        if self._depth == 1 and self._array:
            out.append(self._cut(self._at))
        elif self._depth == 0 and self._array:
            self._bare(out)
            self._array = False
            out.append(self._cut(self._at))
        elif self._depth == 0:
            out.append(self._cut(self._at))

    def _bare(self, out: list[bytes]) -> None:
        """An element that is no object and no list ends where the mark begins."""
        end = self._at - 1
        if bytes(self._buffer[self._blank : end]).strip(_BETWEEN):
            out.append(self._cut(end))
        else:
            self._blank = end

    def _cut(self, end: int) -> bytes:
        raw = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._at -= end
        self._blank = 0
        return raw
