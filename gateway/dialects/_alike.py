"""Events that say what an earlier event of their stream said, but for their text.

A stream is mostly made of such. The first of them is read by its declared fields; where all
else comes again, byte for byte, it means the same. So there is no second way to read an event,
in any dialect, and only the text is new. Those that arrive in a row make one frame.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

import msgspec

from gateway.core.message import Fragment, Frame, Kind, Lane
from gateway.dialects._fields import MEDIA_PLACE
from gateway.dialects._shape import MAX_BYTES, SAID, Shape, Value, shape_of
from gateway.dialects._sse import Event

_KINDS = (Kind.TEXT, Kind.REASONING)
_TEXT = msgspec.json.Decoder(str)
_LITERAL = re.compile(SAID.pattern).fullmatch
# As many choices or blocks as usually take turns.
_KNOWN = 4
# A stream whose events are never alike should not pay for it again and again.
_TRIES = 12


class Alike:
    """What the events of one stream were like so far.

    passing: paths (see `Part.path`) whose values may differ though nothing is said by them,
    and what such a value looks like.
    """

    def __init__(self, passing: Mapping[str, Value]) -> None:
        self._passing = passing
        self._moulds: list[_Mould] = []
        self._tries = _TRIES

    def find(self, raws: Sequence[bytes], at: int = 0) -> Frame | None:
        """One frame of the events, from this one on, that are like the same earlier one.

        None if this one is like none, or adds nothing. The frame's note: the match of its last
        event, which tells the passing values that have a name.
        """
        for mould in self._moulds:
            frame = mould.read(raws, at)
            if frame is not None:
                return frame
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
        if len(event.raw) - len(fragment.text) > MAX_BYTES:
            return
        self._tries -= 1
        mould = _mould(event, fragment, self._passing)
        if mould is not None:
            self._moulds = [mould, *self._moulds][:_KNOWN]


class _Mould(NamedTuple):
    """What is like an event: what has its shape, and `known` in the places that are fixed.

    start, after: how many bytes stand before its body, and after it. around: what stands before
    its text and after it, byte for byte; None if an event tells more than its text.
    """

    lane: Lane
    path: str
    shape: Shape
    known: object
    start: int
    after: int
    around: tuple[bytes, bytes] | None

    def read(self, raws: Sequence[bytes], at: int) -> Frame | None:
        """The frame of the events, from this one on, that are like it and add something."""
        match, fixed, said = self.shape
        known = self.known
        found, literals = self._same(raws, at)
        for raw in islice(raws, at + len(found), None):
            like = match(raw)
            if like is None or like.group(*fixed) != known:
                break
            found.append(like)
            literals.append(like[said])
        if not found:
            return None
        texts = _texts(literals)
        return self.frame(found[: len(texts)], texts) if texts else None

    def _same(self, raws: Sequence[bytes], at: int) -> tuple[list[re.Match[bytes]], list[bytes]]:
        """The events, from this one on, that are the same but for their texts; and these.

        Most are, and to compare bytes costs a third of matching them.
        """
        found: list[re.Match[bytes]] = []
        literals: list[bytes] = []
        if self.around is None:
            return found, literals
        before, behind = self.around
        start, rest = len(before), len(behind)
        for raw in islice(raws, at, None):
            end = len(raw) - rest
            if not (raw.startswith(before) and raw.endswith(behind)):
                break
            like = _LITERAL(raw, start, end) if start < end else None
            if like is None:
                break
            found.append(like)
            literals.append(raw[start:end])
        return found, literals

    def frame(self, found: Sequence[re.Match[bytes]], texts: Sequence[str]) -> Frame:
        """One frame of these events, which say these texts."""
        raw, text, run = found[0].string, texts[0], None
        body = (self.start, len(raw) - self.after)
        if len(found) > 1:
            raw, text = b"".join([like.string for like in found]), "".join(texts)
            run = _Run(self, found, texts, list(accumulate(map(len, texts))))
        fragment = Fragment(self.lane, self.path, text)
        return Frame(raw, body, (fragment,), note=found[-1], several=run)


class _Run(NamedTuple):
    """Events in a row that are like the same one. Follows `gateway.core.message.Several`."""

    mould: _Mould
    found: Sequence[re.Match[bytes]]
    texts: Sequence[str]
    ends: Sequence[int]

    def frame(self, first: int, last: int) -> Frame:
        """One frame of the events [first, last)."""
        return self.mould.frame(self.found[first:last], self.texts[first:last])


def _mould(event: Event, fragment: Fragment, passing: Mapping[str, Value]) -> _Mould | None:
    shape = shape_of(event, {**passing, fragment.path: SAID})
    found = shape.match(event.raw)
    if found is None or not shape.said:
        return None
    known, after = found.group(*shape.fixed), len(event.raw) - event.end
    start, end = found.span(shape.said)
    around = None if len(found.re.groupindex) > 1 else (event.raw[:start], event.raw[end:])
    return _Mould(fragment.lane, fragment.path, shape, known, event.start, after, around)


def _texts(literals: Sequence[bytes]) -> list[str]:
    """The texts of JSON strings, none of them empty, up to one that parsers may differ in."""
    joined = b"".join(literals)
    if joined.isascii() and b"\\" not in joined:
        return joined[1:-1].decode("ascii").split('""')
    texts: list[str] = []
    for literal in literals:
        try:
            texts.append(_TEXT.decode(literal))
        except (msgspec.DecodeError, UnicodeDecodeError):
            break
    return texts
