"""A text as it reads once its encodings are seen through, and where in the text that stands.

Detectors look at a text as it is written and at its view. What they find in the view is
told in characters of the text, whole marks (`_marks`) at a time, so that it can be replaced
there.

Encodings are undone twice (`%2540`, `&amp;commat;`), the second time only where the first
brought out what begins a mark. Nobody writes `%4%30`, and a stream holds back less for it.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.detectors._marks import Mark, leads, marks, marks_at, suspicious, undisguised


@dataclass(frozen=True, slots=True)
class View:
    """What a text says.

    text: never longer than the text that it is the view of. marks: where detectors must
    look, ascending: each at most `_marks.MAX_CHARS` behind the start of an encoding. Up to
    the start of the first one the two are equally long.
    """

    text: str
    marks: Sequence[int]
    _places: Places

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters [start, end) of the view, at least one, stand in the text."""
        return self._places.start(start), self.end(end)

    def end(self, end: int) -> int:
        """Where the first `end` characters of the view, at least one, end in the text."""
        return self._places.end(end - 1)

    def whole(self, start: int, end: int) -> tuple[int, int]:
        """The characters [start, end) of the text, and all of any mark that they cut in two."""
        return self._places.widened(start, end)


def view(text: str) -> View | None:
    """The view of a text; None if that is the text itself. Linear; mostly a microsecond."""
    if not suspicious(text):
        return None
    plain, decided = (text, []) if text.isascii() else undisguised(text)
    ends = array("L")
    written = _Writer(plain).write(marks(plain, ends))
    if written.leads:
        written = _again(plain, written)
    if written.text == text:
        return None
    return View(written.text, sorted([*ends, *decided]) if decided else ends, written.places)


def _again(plain: str, written: _Writer) -> _Writer:
    """The second time round."""
    places = written.places
    inner = marks_at(written.text, written.leads)
    again = [(places.start(start), places.end(end - 1), said) for start, end, said in inner]
    if not again:
        return written
    # Of two that begin together the longer one counts; what stands within it is passed over.
    return _Writer(plain).write(
        heapq.merge(marks(plain), again, key=lambda mark: (mark[0], -mark[1]))
    )


@dataclass(slots=True)
class Places:
    """Where the characters of a view come from.

    at: positions in the view, ascending. Each comes from [starts, ends) of the text; those
    up to the next follow one by one.
    """

    at: array[int] = field(default_factory=lambda: array("L"))
    starts: array[int] = field(default_factory=lambda: array("L"))
    ends: array[int] = field(default_factory=lambda: array("L"))

    def add(self, at: int, start: int, end: int) -> None:
        """The next position that is told."""
        self.at.append(at)
        self.starts.append(start)
        self.ends.append(end)

    def start(self, position: int) -> int:
        """Where the character at this position begins in the text."""
        i = bisect_right(self.at, position) - 1
        if i < 0:
            return position
        past = position - self.at[i]
        return self.ends[i] + past - 1 if past else self.starts[i]

    def end(self, position: int) -> int:
        """Where the character at this position ends in the text."""
        i = bisect_right(self.at, position) - 1
        return position + 1 if i < 0 else self.ends[i] + position - self.at[i]

    def widened(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of text without cutting the source of any character."""
        first = bisect_right(self.starts, start) - 1
        if first >= 0 and start < self.ends[first]:
            start = self.starts[first]
        last = bisect_left(self.starts, end) - 1
        if last >= 0 and end < self.ends[last]:
            end = self.ends[last]
        return start, end


class _Writer:
    """Writes the text of a view. leads: positions in it of characters that may begin a mark."""

    def __init__(self, text: str) -> None:
        self.text = ""
        self.places = Places()
        self.leads: list[int] = []
        self._original = text

    def write(self, found: Iterable[Mark]) -> _Writer:
        """The text with what its marks stand for; one that begins within another is none."""
        pieces: list[str] = []
        length = done = 0
        gap = False
        for start, end, said in found:
            if start < done:
                continue
            if start > done:
                if gap:
                    self.places.add(length, done, done + 1)
                pieces.append(self._original[done:start])
                length += start - done
            if said:
                if leads(said):
                    self.leads.append(length)
                self.places.add(length, start, end)
                pieces.append(said)
                length += 1
            gap = not said
            done = end
        if gap and done < len(self._original):
            self.places.add(length, done, done + 1)
        pieces.append(self._original[done:])
        self.text = "".join(pieces)
        return self
