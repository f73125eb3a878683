"""Which detector must look at which window, and what becomes of its answers.

The same for worker processes and for the command line, so that both find the same.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.judgement import DETECTOR_ERROR, Finding
from gateway.core.ports import Window
from gateway.detectors._jobs import Outcome, Row, Task
from gateway.detectors._locator import Locator
from gateway.detectors._view import View, view


@dataclass(frozen=True, slots=True)
class Question:
    """What one detector is asked about one window. index: the window's place in the call.

    view: the view of the window's text, if it has one. read: whether the detector is asked
    about the view instead of the text as it is written.
    """

    index: int
    window: Window
    hints: list[str]
    view: View | None = None
    read: bool = False

    @property
    def text(self) -> str:
        """What the detector is to look at."""
        return self.view.text if self.view is not None and self.read else self.window.text

    def place(self, row: Row) -> tuple[int, int]:
        """Where in the window's text a finding stands, with all of each mark that it touches."""
        if self.view is None:
            return row.start, row.end
        return (self.view.span if self.read else self.view.whole)(row.start, row.end)


Questions = Mapping[str, list[Question]]

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fired:
    """The hints of triggers that fire in a window, by detector: as it is written and as it reads.

    view: None if the two are the same.
    """

    written: Mapping[str, list[str]] = field(default_factory=dict)
    view: View | None = None
    read: Mapping[str, list[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.written or self.read)


_NOTHING = Fired()


def fired(windows: Sequence[Window], names: Collection[str], locator: Locator) -> list[Fired]:
    """What fires in each window.

    Windows overlap by their context. Those that follow each other are scanned once, as the
    one text they were cut from; only where something fires there are they looked at singly.
    """
    out = [_NOTHING for _ in windows]
    for text, places in _runs(windows):
        seen = view(text)
        ends = locator.ends(text, seen, names)
        for index, end in places if ends or seen else ():
            window = windows[index]
            start = end - len(window.text)
            # Anything that ends within the window's text, or a mark that its start cuts in two.
            at = bisect_right(ends, start)
            if (at < len(ends) and ends[at] <= end) or (seen and seen.whole(start, end)[0] < start):
                out[index] = _look(window.text, names, locator)
    return out


def _look(text: str, names: Collection[str], locator: Locator) -> Fired:
    written, seen = locator.hints(text, names), view(text)
    if seen is None:
        return Fired(written)
    return Fired(written, seen, locator.hints(seen.text, names))


def ask(
    questions: dict[str, list[Question]],
    index: int,
    window: Window,
    *,
    found: Fired,
    models: Collection[str],
) -> None:
    """Adds what is to be asked about a window.

    models: detectors that see everything; they see it as it reads. Others are asked where
    their triggers fired, about the text as it is written too: a percent sign may be just that.
    """
    seen = found.view
    if seen is None and models:
        seen = view(window.text)
    for name in models:
        questions.setdefault(name, []).append(Question(index, window, [], seen, read=True))
    for name, hints in found.written.items():
        questions.setdefault(name, []).append(Question(index, window, hints, seen))
    for name, hints in found.read.items():
        questions.setdefault(name, []).append(Question(index, window, hints, seen, read=True))


def _runs(windows: Sequence[Window]) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Texts put together from windows, each with the indexes and ends of its windows."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    last, length = "", 0
    for index, window in enumerate(windows):
        if parts and not last.endswith(window.text[: window.own_start]):
            yield "".join(parts), places
            parts, places, length = [], [], 0
        # A window without context starts a text of its own: it may follow, for no trigger
        # in it is lost by what stands before.
        part = window.text[window.own_start :] if parts else window.text
        parts.append(part)
        length += len(part)
        places.append((index, length))
        last = window.text
    if parts:
        yield "".join(parts), places


def tasks(questions: Questions) -> list[Task]:
    """One task for each detector, in the order of the mapping."""
    return [
        Task(name, [_whole(q.text) for q in asked], [q.hints for q in asked])
        for name, asked in questions.items()
    ]


def merge(
    name: str,
    asked: Sequence[Question],
    outcome: Outcome,
    categories: Collection[str],
    out: list[list[Finding]],
) -> bool:
    """Adds a detector's findings to those of their windows. Whether it did its work.

    A failed detector becomes a finding over the own stretch of each window that it was
    asked about. So does one that answers nonsense: its work cannot be trusted.
    """
    error = outcome.error or _nonsense(asked, outcome, categories)
    if error:
        for question in asked:
            out[question.index].append(_failure(name, question.window, error))
        return False
    for question, rows in zip(asked, outcome.rows, strict=True):
        found = _findings(name, question, rows)
        if question.read and out[question.index]:
            found = _united(out[question.index] + found)
            out[question.index].clear()
        out[question.index] += found
    return True


def _findings(name: str, question: Question, rows: Iterable[Row]) -> list[Finding]:
    window, out = question.window, []
    for row in rows:
        start, end = question.place(row)
        if window.own_start < end <= window.own_end:
            out.append(Finding(name, row.category, start, end, row.score, row.note, row.faint))
    return out


def _united(findings: Iterable[Finding]) -> list[Finding]:
    """Without those that lie within another of the same kind and at least the same score.

    What is found both as it is written and as it reads is one thing, however much of it the
    two show.
    """
    out: list[Finding] = []
    for finding in sorted(
        findings, key=lambda f: (f.detector, f.category, f.start, -f.end, -f.score)
    ):
        if not (out and _covers(out[-1], finding)):
            out.append(finding)
    return out


def _covers(one: Finding, other: Finding) -> bool:
    return (
        (one.detector, one.category) == (other.detector, other.category)
        and other.end <= one.end
        and other.score <= one.score
    )


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, in order of place."""
    return sorted(dict.fromkeys(findings), key=lambda f: (f.start, f.end, f.detector, f.category))


def _whole(text: str) -> str:
    """The text with U+FFFD for halves of surrogate pairs, which no detector can take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def _nonsense(asked: Sequence[Question], outcome: Outcome, categories: Collection[str]) -> str:
    if len(outcome.rows) != len(asked):
        return "answer"
    for question, rows in zip(asked, outcome.rows, strict=True):
        length = len(question.text)
        for row in rows:
            if not 0 <= row.start < row.end <= length or row.category not in categories:
                return "answer"
    return ""


def _failure(name: str, window: Window, error: str) -> Finding:
    return Finding(name, DETECTOR_ERROR, window.own_start, window.own_end, 1.0, error)
