"""JSON lines: one JSON text a line, cut anywhere on their way."""

from __future__ import annotations

from gateway.core.errors import UpstreamError
from gateway.dialects._sse import MAX_EVENT_BYTES, Event

_BOM = b"\xef\xbb\xbf"


class Lines:
    """Cuts bytes into lines. A line holds its end, its data does not."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._first = True

    def feed(self, data: bytes) -> list[bytes]:
        """Lines completed by these bytes. Raises UpstreamError if one grows beyond all bounds."""
        if b"\n" not in data:
            self._buffer += data
            self._check()
            return []
        head, _, rest = data.rpartition(b"\n")
        whole = bytes(self._buffer) + head + b"\n"
        self._buffer = bytearray(rest)
        self._check()
        return [line + b"\n" for line in whole.split(b"\n")[:-1]]

    def flush(self) -> list[bytes]:
        """What is left: a line whose end never came."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return [rest] if rest else []

    def event(self, raw: bytes) -> Event:
        """A line's data. The first of a stream must be the first asked for."""
        start = len(_BOM) if self._first and raw.startswith(_BOM) else 0
        self._first = False
        end = len(raw.rstrip(b"\r\n"))
        return Event(raw, "", raw[start:end], start, max(start, end))

    def _check(self) -> None:
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise UpstreamError("a line of the upstream's stream is too large")
