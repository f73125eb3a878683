"""Which detector must look at which window, and what becomes of its answers.

The same for worker processes and for the command line, so that both find the same.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.core.judgement import DETECTOR_ERROR, Finding
from gateway.core.ports import Window
from gateway.detectors._jobs import Outcome, Task
from gateway.detectors._locator import Locator


@dataclass(frozen=True, slots=True)
class Question:
    """What one detector is asked about one window. index: the window's place in the call."""

    index: int
    window: Window
    hints: list[str]


Questions = Mapping[str, list[Question]]

_SURROGATE = re.compile("[\ud800-\udfff]")


def fired(
    windows: Sequence[Window], names: Collection[str], locator: Locator
) -> list[dict[str, list[str]]]:
    """For each window the hints of triggers that fire in it, by detector.

    Windows overlap by their context. Those that follow each other are scanned once, as the
    one text they were cut from; only where something fires there are they looked at singly.
    """
    out: list[dict[str, list[str]]] = [{} for _ in windows]
    for text, places in _runs(windows):
        ends = locator.locate(text, names)
        for index, end in places if ends else ():
            window = windows[index]
            # Anything that ends within the window's text.
            at = bisect_right(ends, end - len(window.text))
            if at < len(ends) and ends[at] <= end:
                out[index] = locator.hints(window.text, names)
    return out


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
        Task(name, [_whole(q.window.text) for q in asked], [q.hints for q in asked])
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
        window = question.window
        out[question.index].extend(
            Finding(name, row.category, row.start, row.end, row.score, row.note)
            for row in rows
            if window.own_start < row.end <= window.own_end
        )
    return True


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
        length = len(question.window.text)
        for row in rows:
            if not 0 <= row.start < row.end <= length or row.category not in categories:
                return "answer"
    return ""


def _failure(name: str, window: Window, error: str) -> Finding:
    return Finding(name, DETECTOR_ERROR, window.own_start, window.own_end, 1.0, error)
