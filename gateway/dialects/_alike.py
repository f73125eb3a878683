"""Events that say what an earlier event of their stream said, but for their text.

A stream is mostly made of such. The first of them is read by its declared fields; the bytes
around its text are remembered, and where they come again, byte for byte, they mean the same.
So there is no second way to read an event, in any dialect, and only the text is new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from gateway.core.message import Fragment, Frame, Kind, Lane
from gateway.core.splice import values
from gateway.dialects._fields import MEDIA_PLACE
from gateway.dialects._sse import Event

# What a place may hold that tells nothing, so that it need not be the same again.
NUMBER = re.compile(rb"(?:0|[1-9]\d{0,14})(?=[,}\]])")
PADDING = re.compile(rb'""|"(?=\d*[A-Za-z])[A-Za-z0-9]{1,128}"')
TIME = re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"')

_STRING = re.compile(rb'"[^"\\\x00-\x1f]+(?:\\.[^"\\\x00-\x1f]*)*"|"(?:\\.[^"\\\x00-\x1f]*)+"')
_TEXT = msgspec.json.Decoder(str)
_KINDS = (Kind.TEXT, Kind.REASONING)
# As many choices or blocks as usually take turns.
_KNOWN = 4
# A stream whose events are never alike should not pay for it again and again.
_TRIES = 12


class _Mould(NamedTuple):
    """What an event was like: fixed bytes before each place that may differ, and after the last.

    start, after: how many bytes stand before its body, and after it.
    """

    lane: Lane
    path: str
    start: int
    after: int
    places: tuple[tuple[bytes, str, re.Pattern[bytes]], ...]
    tail: bytes

    def read(self, raw: bytes) -> Frame | None:
        """The frame of an event; None if it is not like this one, or adds nothing."""
        at, text = 0, ""
        passing: dict[str, bytes] = {}
        for fixed, path, form in self.places:
            if not raw.startswith(fixed, at):
                return None
            match = form.match(raw, at + len(fixed))
            if match is None:
                return None
            at = match.end()
            if form is not _STRING:
                passing[path] = match[0]
            elif not (text := _text(match[0])):
                return None
        if len(raw) - at != len(self.tail) or not raw.endswith(self.tail):
            return None
        fragment = Fragment(self.lane, self.path, text)
        return Frame(raw, (self.start, len(raw) - self.after), (fragment,), note=passing)


class Alike:
    """What the events of one stream were like so far.

    passing: paths (see `Part.path`) whose values may differ though nothing is said by them,
    and what such a value looks like.
    """

    def __init__(self, passing: Mapping[str, re.Pattern[bytes]]) -> None:
        self._passing = passing
        self._moulds: list[_Mould] = []
        self._tries = _TRIES

    def find(self, raw: bytes) -> Frame | None:
        """The frame of an event; None if it is not like an earlier one, or adds nothing.

        Its note: what stands at the paths that may differ, as it is written.
        """
        for mould in self._moulds:
            found = mould.read(raw)
            if found is not None:
                return found
        return None

    def learn(self, event: Event, frame: Frame) -> None:
        """Remember an event that said no more than its one piece of text."""
        if not self._tries or len(frame.fragments) != 1 or frame.parts or frame.opaque:
            return
        (fragment,) = frame.fragments
        if fragment.lane.kind not in _KINDS or fragment.lane.held_whole:
            return
        if MEDIA_PLACE.search(fragment.path.rpartition("/")[2]):
            return
        self._tries -= 1
        mould = self._mould(event, fragment.lane, fragment.path)
        if mould is not None:
            self._moulds = [mould, *self._moulds][:_KNOWN]

    def _mould(self, event: Event, lane: Lane, path: str) -> _Mould | None:
        places: list[tuple[bytes, str, re.Pattern[bytes]]] = []
        done = 0
        # One character a byte, so that positions are the same.
        for where, start, end in values(event.data.decode("latin-1")):
            form = _STRING if where == path else self._passing.get(where)
            if form is None or not form.match(event.data, start):
                continue
            places.append((event.raw[done : event.start + start], where, form))
            done = event.start + end
        if path not in (where for _, where, _ in places):
            return None
        after = len(event.raw) - event.end
        return _Mould(lane, path, event.start, after, tuple(places), event.raw[done:])


def _text(literal: bytes) -> str:
    """The text of a JSON string; empty if some parser might take it for another."""
    if literal.isascii() and b"\\" not in literal:
        return literal[1:-1].decode("ascii")
    try:
        return _TEXT.decode(literal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
