"""What streams of JSON events have in common: events in, frames out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol

from gateway.core.apis import Reply
from gateway.core.errors import UpstreamError
from gateway.core.judgement import Refusal
from gateway.core.message import Edit, Fragment, Frame, Lane, Part
from gateway.dialects._alike import Alike
from gateway.dialects._fields import MAX_PARTS, Field, Found, of_tool, read
from gateway.dialects._shape import Value
from gateway.dialects._sse import Event
from gateway.dialects._whole import decode, looks_like_json, rewrite, text_frame

TOO_DEEP = "an event of the upstream's stream is nested too deeply, or holds too many texts"


class Cutter(Protocol):
    """Cuts bytes into events."""

    def feed(self, data: bytes) -> list[bytes]:
        """The bytes of events completed by these. Raises UpstreamError if one has no end."""

    def flush(self) -> list[bytes]:
        """What is left: an event that was not ended."""

    def event(self, raw: bytes) -> Event:
        """What the bytes of an event hold. The first of a stream must be the first asked for."""


class Reading(NamedTuple):
    """What an event means besides its text. closes, note and ends: as in a Frame.

    steady: whether an event that differs from it in its text alone means the same.
    """

    closes: tuple[int, ...] = ()
    note: object = None
    ends: tuple[Lane, ...] = ()
    steady: bool = False


class EventStream:
    """Reads events by their declared fields. A dialect says what they mean.

    To be given: `spec`, `lane`, `meaning`, `add`, `stop`, `broken`, `withhold`.
    passing: as for `Alike`, in the events whose meaning is steady.
    """

    streamed = True
    ping = b""
    passing: ClassVar[Mapping[str, Value]] = MappingProxyType({})

    def __init__(self, cutter: Cutter) -> None:
        self.model = ""
        self.usage: Mapping[str, int] = {}
        self.failed = False
        self.kept: list[str] = []
        self._cutter = cutter
        self._alike = Alike(self.passing)

    def feed(self, data: bytes) -> list[Frame]:
        """Frames completed by these bytes."""
        raws = self._cutter.feed(data)
        frames: list[Frame] = []
        at = 0
        while at < len(raws):
            alike = self._alike.find(raws, at)
            if alike is None:
                frames.append(self._frame(self._cutter.event(raws[at])))
            else:
                self.like(alike)
                frames.append(alike)
            several = frames[-1].several
            at += 1 if several is None else len(several.ends)
        return frames

    def flush(self) -> list[Frame]:
        """An event whose end never came."""
        return [self._frame(self._cutter.event(raw)) for raw in self._cutter.flush()]

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The event with edits made."""
        return rewrite(frame, edits)

    def group(self, path: str) -> str:
        """Each whole text in an event stands for itself."""
        return path

    def sent(self, frame: Frame) -> None:
        """Nothing to remember."""

    def spec(self, event: Event, value: Any) -> Field:
        """What the fields of this event are for."""
        raise NotImplementedError

    def lane(self, value: Any, piece: Part) -> Lane:
        """Which text a piece in this event belongs to."""
        raise NotImplementedError

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more event that adds `text` to the fragment's lane."""
        raise NotImplementedError

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """The last words of a stream that is stopped in the middle."""
        raise NotImplementedError

    def broken(self, error: str, exchange_id: str) -> bytes:
        """The last words of a stream whose upstream broke off."""
        raise NotImplementedError

    def meaning(self, event: Event, value: Any) -> Reading:
        """What else this event says; also the place to take notes of model, usage, failure."""
        return Reading()

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """What is given instead of a stream of which nothing was sent yet."""
        raise NotImplementedError

    def tool(self, value: Any) -> str:
        """The tool that an event is about which does not name it; empty if that is not known.

        Asked after `meaning`.
        """
        return ""

    def like(self, frame: Frame) -> None:
        """Take note of events that are like an earlier one (see `Alike.find`)."""

    def _frame(self, event: Event) -> Frame:
        if not event.data:
            return self.silent(event)
        try:
            value = decode(event.data)
        except ValueError as err:
            if looks_like_json(event.data):
                raise UpstreamError("an event of the upstream's stream is no JSON") from err
            return text_frame(event.raw, (event.start, event.end))
        except RecursionError as err:
            raise UpstreamError(TOO_DEEP) from err
        try:
            return self._read(event, value)
        except RecursionError as err:
            raise UpstreamError(TOO_DEEP) from err

    def _lane(self, value: Any, piece: Part) -> Lane:
        """Its lane; one of its own where an event is not built as the API's events are."""
        try:
            return self.lane(value, piece)
        except (LookupError, TypeError, ValueError, AttributeError):
            return Lane(0, piece.path, 0, piece.kind)

    def silent(self, event: Event) -> Frame:
        """An event without data: a comment, or a blank line."""
        return text_frame(event.raw, (0, len(event.raw)))

    def _read(self, event: Event, value: Any) -> Frame:
        found = Found()
        read(value, self.spec(event, value), found)
        if len(found.parts) + len(found.pieces) > MAX_PARTS:
            raise UpstreamError(f"an event of the stream holds more than {MAX_PARTS} texts")
        closes, note, ends, steady = self.meaning(event, value)
        parts, pieces = found.parts, found.pieces
        tool = self.tool(value)
        if tool:
            parts, pieces = of_tool(parts, tool), of_tool(pieces, tool)
        frame = Frame(
            event.raw,
            (event.start, event.end),
            tuple(Fragment(self._lane(value, p), p.path, p.text) for p in pieces),
            tuple(parts),
            tuple(found.opaque),
            closes,
            note,
            ends,
        )
        if steady:
            self._alike.learn(event, frame)
        return frame
