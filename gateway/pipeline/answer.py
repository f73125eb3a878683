"""An answer on its way to the client: frames wait until all their text is cleared."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.judgement import Subject
from gateway.core.message import ALL, Edit, Fragment, Frame, Kind, Lane
from gateway.core.nested import nested_parts
from gateway.core.ports import Reader
from gateway.core.splice import json_edits
from gateway.pipeline.guard import Guard
from gateway.pipeline.passage import Passage, whole

ASSISTANT = "assistant"


@dataclass(slots=True)
class _Piece:
    """Where in a frame a stretch [start, end) of a passage stands."""

    passage: Passage
    start: int
    end: int
    path: str


@dataclass(slots=True)
class _Waiting:
    frame: Frame
    pieces: list[_Piece]
    before: bytes = b""


class Release:
    """Takes frames in, gives bytes out: in order, each as soon as it may leave.

    notice: whether a visible notice may be added to this answer's text.
    """

    def __init__(self, guard: Guard, reader: Reader, *, notice: bool) -> None:
        self.started = False
        self._guard = guard
        self._reader = reader
        self._notice = notice
        self._queue: deque[_Waiting] = deque()
        self._lanes: dict[Lane, Passage] = {}
        self._fresh: list[Passage] = []
        self._nested: list[tuple[Passage, dict[str, Passage]]] = []
        self._last: dict[Lane, tuple[Frame, Fragment]] = {}
        self._tools: set[int] = set()

    @property
    def refused(self) -> bool:
        """Whether nothing more may leave."""
        return self._guard.refusal is not None

    async def feed(self, frames: Sequence[Frame], *, final: bool = False) -> bytes:
        """Judge these frames; return what may leave now. Empty if the guard refused."""
        for frame in frames:
            self._add(frame)
        if final:
            self._close((ALL,))
        fresh, self._fresh = self._fresh, []
        await self._guard.advance(fresh)
        self._unnest()
        return b"" if self.refused else self._out()

    def _add(self, frame: Frame) -> None:
        self._guard.opaque(frame.opaque)
        pieces = [self._whole(part.path, part.text, part.role, part.kind) for part in frame.parts]
        pieces += [self._arrive(frame, fragment) for fragment in frame.fragments]
        before = b""
        if frame.closes:
            before = self._noticed(frame)
            self._close(frame.closes)
        self._queue.append(_Waiting(frame, pieces, before))

    def _whole(self, path: str, text: str, role: str, kind: Kind) -> _Piece:
        passage = whole(text, Subject(role, kind))
        self._fresh.append(passage)
        return _Piece(passage, 0, len(text), path)

    def _arrive(self, frame: Frame, fragment: Fragment) -> _Piece:
        lane = fragment.lane
        passage = self._lanes.get(lane)
        if passage is None:
            passage = Passage(Subject(ASSISTANT, lane.kind), held=lane.held_whole)
            self._lanes[lane] = passage
        if lane.kind is Kind.TOOL_ARGUMENTS:
            self._tools.add(lane.choice)
        elif lane.kind is Kind.TEXT and not frame.closes:
            self._last[lane] = (frame, fragment)
        start = passage.length
        passage.append(fragment.text)
        if not passage.held and passage not in self._fresh[-4:]:
            self._fresh.append(passage)
        return _Piece(passage, start, passage.length, fragment.path)

    def _close(self, choices: tuple[int, ...]) -> None:
        """The texts of these choices have arrived completely."""
        for lane in [k for k in self._lanes if k.choice in choices or ALL in choices]:
            passage = self._lanes.pop(lane)
            passage.final = True
            if passage.held and self._nest(passage):
                continue
            if passage not in self._fresh:
                self._fresh.append(passage)

    def _nest(self, passage: Passage) -> bool:
        """Judge the strings inside a JSON text one by one, so that it stays JSON."""
        subject = passage.subject
        parts = nested_parts("", passage.text, role=subject.role, kind=subject.kind)
        if len(parts) == 1 and parts[0].path == "":
            return False
        inner = {part.path[1:]: whole(part.text, subject) for part in parts}
        self._fresh += inner.values()
        self._nested.append((passage, inner))
        return True

    def _unnest(self) -> None:
        for passage, inner in self._nested:
            edits = {path: p.edits for path, p in inner.items() if p.edits}
            passage.edits = json_edits(passage.text, edits) if edits else []
            passage.cleared = passage.length
        self._nested.clear()

    def _noticed(self, frame: Frame) -> bytes:
        """A visible notice as one more event at the end of a streamed text."""
        if not (self._notice and self._guard.notices and self._reader.streamed):
            return b""
        out = b""
        for lane, (last, fragment) in list(self._last.items()):
            if lane.choice not in frame.closes and ALL not in frame.closes:
                continue
            del self._last[lane]
            if lane.choice not in self._tools and not _is_code(self._lanes[lane].text):
                text = "\n\n" + "\n\n".join(self._guard.notices)
                out += self._reader.add(last, fragment, text)
        return out

    def _out(self) -> bytes:
        out: list[bytes] = []
        while self._queue:
            waiting = self._queue[0]
            if any(piece.passage.cleared < piece.end for piece in waiting.pieces):
                break
            self._queue.popleft()
            out += (waiting.before, self._written(waiting))
        return b"".join(out)

    def _written(self, waiting: _Waiting) -> bytes:
        edits: dict[str, list[Edit]] = {}
        for piece in waiting.pieces:
            found = piece.passage.edits
            if found:
                within = piece.passage.edits_within(piece.start, piece.end)
                if within:
                    edits[piece.path] = within
        if not self._reader.streamed and self._notice and self._guard.notices:
            self._append_notice(waiting, edits)
        return self._reader.rewrite(waiting.frame, edits) if edits else waiting.frame.raw

    def _append_notice(self, waiting: _Waiting, edits: dict[str, list[Edit]]) -> None:
        """A visible notice at the end of each text of a whole answer."""
        parts = waiting.frame.parts
        if any(part.kind is Kind.TOOL_ARGUMENTS for part in parts):
            return
        text = "\n\n" + "\n\n".join(self._guard.notices)
        for part in parts:
            if part.kind is Kind.TEXT and part.role == ASSISTANT and not _is_code(part.text):
                end = len(part.text)
                edits.setdefault(part.path, []).append(Edit(end, end, text))


def _is_code(text: str) -> bool:
    """Whether a text is nothing but one fenced block of code."""
    text = text.strip()
    return text.startswith("```") and text.endswith("```") and text.count("```") == 2
