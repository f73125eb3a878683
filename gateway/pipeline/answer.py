"""An answer on its way to the client: frames wait until all their text is cleared.

Some streams say again as a whole what they said in pieces. The same text is judged once, so
that it comes out the same wherever it stands, and so does a notice under it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core.apis import Reader
from gateway.core.errors import UpstreamError
from gateway.core.judgement import Subject
from gateway.core.message import ALL, Edit, Fragment, Frame, Kind, Lane, Part, Several
from gateway.core.nested import nested_parts
from gateway.core.splice import json_edits
from gateway.pipeline.guard import Guard
from gateway.pipeline.passage import Passage, whole
from gateway.pipeline.shapes import Shapes

ASSISTANT = "assistant"
# How much text is remembered to be known again.
_REMEMBERED_CHARS = 4 * 1024 * 1024


@dataclass(slots=True)
class _Piece:
    """Where in a frame a stretch [start, end) of a passage stands."""

    passage: Passage
    start: int
    end: int
    path: str


class _Last(NamedTuple):
    """A text that is the last of its choice so far: its last frame and fragment, and all of it."""

    frame: Frame
    fragment: Fragment
    passage: Passage


@dataclass(slots=True)
class _Waiting:
    """A frame. ends: the last texts of the choices that end with it (see `_Last`)."""

    frame: Frame
    pieces: list[_Piece]
    ends: list[_Last] = field(default_factory=list)


class Release:
    """Takes frames in, gives bytes out: in order, each as soon as it may leave.

    notice: whether a visible notice may be added to this answer's text.
    ended: the choices whose end has left; ALL once the whole answer has.
    """

    def __init__(self, guard: Guard, reader: Reader, shapes: Shapes, *, notice: bool) -> None:
        self.ended: set[int] = set()
        self._guard = guard
        self._reader = reader
        self._shapes = shapes
        self._notice = notice
        self._queue: deque[_Waiting] = deque()
        self._lanes: dict[Lane, Passage] = {}
        self._over: dict[Lane, Passage] = {}
        # The lane of the last fragment, which is mostly that of the next, and its passage.
        self._lane: Lane | None = None
        self._passage: Passage
        self._fresh: dict[Passage, None] = {}
        self._nested: list[tuple[Passage, dict[str, Passage]]] = []
        self._last: dict[int, _Last] = {}
        self._tools: set[int] = set()
        # Of each call of a tool, by choice and index: whose; empty if its pieces differ in that.
        self._called: dict[tuple[int, int], str] = {}
        self._known: dict[tuple[str, Subject, bool, str], Passage] = {}
        self._room = _REMEMBERED_CHARS if reader.streamed else 0
        self._said: dict[Passage, str] = {}
        # Once an event was added, later ones may have to be numbered anew, one by one.
        self._added = False

    @property
    def refused(self) -> bool:
        """Whether nothing more may leave."""
        return self._guard.refusal is not None

    @property
    def notices(self) -> Sequence[str]:
        """What is put under texts."""
        return self._guard.notices

    def passes(self, name: str, why: str) -> bool:
        """Whether the answer may go on although something about it could not be done."""
        self._guard.unchecked(name, why)
        return not self.refused

    async def feed(self, frames: Sequence[Frame], *, final: bool = False) -> bytes:
        """Judge these frames; return what may leave now. Empty if the guard refused."""
        for frame in frames:
            if self._over and any(fragment.lane in self._over for fragment in frame.fragments):
                # Judged as it ended before it goes on, as it is where both arrive apart.
                await self._judge()
            self._add(frame)
        if final:
            self._end(list(self._lanes), over=True)
        await self._judge()
        if self.refused or (self._guard.holds and not final):
            return b""
        return self._out()

    async def _judge(self) -> None:
        due = [passage for passage in self._fresh if self._guard.due(passage)]
        if due:
            for passage in due:
                del self._fresh[passage]
            await self._guard.advance(due)
        self._unnest()

    def _add(self, frame: Frame) -> None:
        if frame.opaque:
            self._guard.opaque(frame.opaque, self._shapes)
        waiting = _Waiting(frame, [self._arrive(frame, fragment) for fragment in frame.fragments])
        if frame.ends:
            self._end(frame.ends)
        if frame.parts and self._calls_as_a_whole(frame.parts):
            # It belongs to the only choice there is.
            self._tools.add(ALL)
        if frame.closes:
            waiting.ends = self._ended(frame.closes)
            self._close(frame.closes)
        # After what ends here: it may be said again as a whole in the same event.
        if frame.parts:
            waiting.pieces += [self._whole(part) for part in frame.parts]
        self._queue.append(waiting)

    def _calls_as_a_whole(self, parts: Sequence[Part]) -> bool:
        """Whether a call of a tool comes in one event, of no choice in particular."""
        return any(
            part.kind is Kind.TOOL_ARGUMENTS and not self._reader.group(part.path) for part in parts
        )

    def _whole(self, part: Part) -> _Piece:
        subject = Subject(part.role, part.kind)
        shape = self._shapes(part.path)
        passage = self._judged(part.text, subject, shape=shape, sealed=part.sealed, tool=part.tool)
        return _Piece(passage, 0, len(part.text), part.path)

    def _judged(
        self, text: str, subject: Subject, *, shape: str, sealed: bool = False, tool: str = ""
    ) -> Passage:
        """The passage of a whole text: one that is known already, or a fresh one."""
        passage = self._known.get((text, subject, sealed, tool)) if self._known else None
        if passage is not None:
            self._guard.again(shape, text)
            return passage
        passage = whole(text, subject, sealed=sealed, shape=shape, tool=tool)
        self._fresh[passage] = None
        self._remember(passage)
        return passage

    def _remember(self, passage: Passage) -> None:
        """Know this text again, if all of it is there still."""
        if passage.base == 0 and self._room >= passage.length:
            self._room -= passage.length
            key = (passage.text, passage.subject, passage.sealed, passage.tool)
            self._known.setdefault(key, passage)

    def _arrive(self, frame: Frame, fragment: Fragment) -> _Piece:
        lane = fragment.lane
        if lane is self._lane:
            passage = self._passage
        else:
            passage = self._lanes.get(lane) or self._begin(lane, fragment.path)
            self._lane, self._passage = lane, passage
        if lane.kind is Kind.TEXT and self._notice:
            self._last[lane.choice] = _Last(frame, fragment, passage)
        if lane.kind is Kind.TOOL_ARGUMENTS:
            call = lane.choice, lane.index
            if self._called.setdefault(call, lane.tool) != lane.tool:
                self._called[call] = ""
        start = passage.length
        passage.append(fragment.text)
        if not passage.held:
            self._fresh[passage] = None
        return _Piece(passage, start, start + len(fragment.text), fragment.path)

    def _begin(self, lane: Lane, path: str) -> Passage:
        """The passage of a text that begins here, or goes on although it had ended."""
        passage = self._over.pop(lane, None)
        if passage is None:
            subject, shape = Subject(lane.role, lane.kind), self._shapes(path)
            passage = Passage(subject, held=lane.held_whole, sealed=lane.sealed, shape=shape)
        else:
            passage.reopen()
        self._lanes[lane] = passage
        if lane.kind is Kind.TOOL_ARGUMENTS:
            self._tools.add(lane.choice)
        return passage

    def _close(self, choices: tuple[int, ...]) -> None:
        """The texts of these choices have arrived completely."""
        self._end([k for k in self._lanes if k.choice in choices or ALL in choices])

    def _end(self, lanes: Sequence[Lane], *, over: bool = False) -> None:
        """These texts have arrived completely.

        One that went on after an end is not believed another one before all is over.
        """
        self._lane = None
        for lane in lanes:
            passage = self._lanes.get(lane)
            if passage is None or (passage.ended and not over):
                continue
            self._over[lane] = self._lanes.pop(lane)
            passage.close()
            passage.tool = self._called.get((lane.choice, lane.index), "")
            whole = lane.kind is Kind.TOOL_ARGUMENTS and not passage.ended
            if whole and self._nest(passage):
                continue
            self._fresh[passage] = None
            self._remember(passage)

    def _nest(self, passage: Passage) -> bool:
        """Judge the strings inside a JSON text one by one, so that it stays JSON."""
        subject = passage.subject
        try:
            parts = nested_parts("", passage.text, role=subject.role, kind=subject.kind)
        except RecursionError as err:
            raise UpstreamError("a tool call's arguments are too deep, or too many") from err
        if len(parts) == 1 and parts[0].path == "":
            return False
        shape = passage.shape + "!*"
        inner = {
            part.path[1:]: self._judged(part.text, subject, shape=shape, tool=passage.tool)
            for part in parts
        }
        self._nested.append((passage, inner))
        return True

    def _unnest(self) -> None:
        for passage, inner in self._nested:
            edits = {path: p.edits for path, p in inner.items() if p.edits}
            passage.edits = json_edits(passage.text, edits) if edits else []
            passage.cleared = passage.length
        self._nested.clear()

    def _ended(self, choices: tuple[int, ...]) -> list[_Last]:
        """The streamed texts of these choices that a visible notice may be put under."""
        if ALL in self._tools:
            return []
        ended = [k for k in self._last if k in choices or ALL in choices]
        ends = [(choice, self._last.pop(choice)) for choice in ended]
        return [last for choice, last in ends if choice not in self._tools]

    def _out(self) -> bytes:
        out: list[bytes] = []
        while self._queue:
            waiting = self._queue[0]
            if waiting.frame.several is not None and self._divided(waiting.frame.several):
                continue
            for piece in waiting.pieces:
                if piece.passage.cleared < piece.end:
                    return b"".join(out)
            self._queue.popleft()
            if waiting.frame.closes:
                self.ended.update(waiting.frame.closes)
            out.append(self._written(waiting))
            self._reader.sent(waiting.frame)
        return b"".join(out)

    def _divided(self, several: Several) -> bool:
        """Whether the first frame, which holds these, gave way to others that hold less.

        It does if only some of it may leave, or some of it not as it is.
        """
        (piece,) = self._queue[0].pieces
        ends = several.ends
        leaving = bisect_right(ends, piece.passage.cleared - piece.start)
        if not leaving:
            return False
        edits = piece.passage.edits_within(piece.start, piece.start + ends[leaving - 1])
        if edits or self._added:
            lasts = list(range(1, len(ends) + 1))
        elif leaving < len(ends):
            lasts = [leaving, len(ends)]
        else:
            return False
        self._queue.popleft()
        self._queue.extendleft(reversed([*_parts(piece, several, lasts)]))
        return True

    def _written(self, waiting: _Waiting) -> bytes:
        frame = waiting.frame
        edits: dict[str, list[Edit]] = {}
        for piece in waiting.pieces:
            found = piece.passage.edits
            if found:
                within = piece.passage.edits_within(piece.start, piece.end)
                if within:
                    edits[piece.path] = within
        before = b""
        if self._notice and (waiting.ends or frame.parts):
            before = self._noticed(waiting, edits)
        return before + self._reader.rewrite(frame, edits)

    def _noticed(self, waiting: _Waiting, edits: dict[str, list[Edit]]) -> bytes:
        """Put a visible notice under each text that ends here, or return it as one more event."""
        frame, before = waiting.frame, b""
        for last, fragment, passage in waiting.ends:
            notice = self._under(passage, passage.text)
            if not notice:
                continue
            if last is frame:
                _append(edits, fragment.path, len(fragment.text), notice)
            else:
                before += self._reader.add(last, fragment, notice)
                self._added = True
        passages = {piece.path: piece.passage for piece in waiting.pieces}
        for part in _last_texts(frame, self._reader):
            notice = self._under(passages[part.path], part.text)
            if notice:
                _append(edits, part.path, len(part.text), notice)
        return before

    def _under(self, passage: Passage, text: str) -> str:
        """What is put under a text: wherever it stands the same as the first time it ended."""
        notices = () if _is_code(text) else self._guard.notices
        return self._said.setdefault(passage, "".join("\n\n" + words for words in notices))


def _parts(piece: _Piece, several: Several, lasts: Sequence[int]) -> Iterator[_Waiting]:
    """The events of a frame, which add this piece, as frames that end before each of `lasts`."""
    ends = several.ends
    first, start = 0, piece.start
    for last in lasts:
        end = piece.start + ends[last - 1]
        yield _Waiting(several.frame(first, last), [_Piece(piece.passage, start, end, piece.path)])
        first, start = last, end


def _last_texts(frame: Frame, reader: Reader) -> list[Part]:
    """The last whole text of each choice in a frame, but for choices that call tools.

    What a string holds in base64 or JSON is no place for a notice.
    """
    texts = [
        p for p in frame.parts if p.kind is Kind.TEXT and p.role == ASSISTANT and "!" not in p.path
    ]
    if not texts:
        return []
    tools = {reader.group(p.path) for p in frame.parts if p.kind is Kind.TOOL_ARGUMENTS}
    last = {reader.group(part.path): part for part in texts}
    return [part for group, part in last.items() if group not in tools]


def _append(edits: dict[str, list[Edit]], path: str, end: int, text: str) -> None:
    edits.setdefault(path, []).append(Edit(end, end, text))


def _is_code(text: str) -> bool:
    """Whether a text is nothing but one fenced block of code."""
    text = text.strip()
    return text.startswith("```") and text.endswith("```") and text.count("```") == 2
