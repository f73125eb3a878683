"""One text on its way through the guard: what has arrived, what is judged, what may leave."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core.judgement import Effect, Finding, Subject
from gateway.core.message import Edit
from gateway.core.ports import Follower, Window
from gateway.core.segments import cut, stretches
from gateway.core.windows import LEFT_CONTEXT_CHARS, windows

_TRIM_CHARS = 8_192


class _Open(NamedTuple):
    """How far a passage was judged when its end came."""

    segment: int
    scanned: int
    looked: int
    hits: tuple[int, ...]
    followed: int
    follower: Follower | None


@dataclass(slots=True, eq=False)
class Passage:
    """Positions are characters of the whole text, also when its front has been let go.

    segment: where the first segment begins that is not judged yet.
    scanned: up to where triggers were looked for. hits: where to look in the unjudged text
    (`Inspector.locate`), ascending; looked: the last such place before it. cleared: what
    stands before it may leave, with `edits` made.
    held: nothing leaves before the whole text is judged; until then it waits in `pieces`,
    `pending` characters of it. sealed: it is emptied where another would be edited.
    shape: where it stands (see `Coverage`). ended: how much of it had arrived when it seemed to
    be over, and may have left. fixed: what would change it stops the message.
    follower: who follows it, if anybody; followed: how far. tool: as for a Part.
    """

    subject: Subject
    held: bool = False
    sealed: bool = False
    shape: str = ""
    text: str = ""
    base: int = 0
    segment: int = 0
    scanned: int = 0
    cleared: int = 0
    final: bool = False
    pending: int = 0
    pieces: list[str] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)
    looked: int = -LEFT_CONTEXT_CHARS
    effects: list[Effect] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    ended: int = 0
    fixed: bool = False
    follower: Follower | None = None
    followed: int = 0
    tool: str = ""
    _open: _Open | None = None

    @property
    def length(self) -> int:
        """Characters arrived so far."""
        return self.base + len(self.text) + self.pending

    def append(self, text: str) -> None:
        """More of the text has arrived. A held text is put together once, when it is whole."""
        if self.held:
            self.pieces.append(text)
            self.pending += len(text)
        else:
            self.text += text

    def close(self) -> None:
        """The text has arrived completely."""
        self.text += "".join(self.pieces)
        self.pieces.clear()
        self.pending = 0
        self.final = True
        follower = self.follower.fork() if self.follower else None
        self._open = _Open(
            self.segment, self.scanned, self.looked, tuple(self.hits), self.followed, follower
        )

    def reopen(self) -> None:
        """It goes on after all: what comes is judged with what came, as if there was no end."""
        if self._open is not None:
            self.segment, self.scanned, self.looked, hits, self.followed, follower = self._open
            self.hits = [*hits]
            self.follower = follower
        self.ended = self.length
        self.final = False

    @property
    def near(self) -> bool:
        """Whether the context of the segment that comes next holds what had to be looked at."""
        return self.segment - self.looked < LEFT_CONTEXT_CHARS

    def unscanned(self, margin: int) -> str:
        """The text in which triggers must still be looked for, and enough before it."""
        return self.text[self._first(margin) - self.base :]

    def scan(self, ends: Sequence[int], margin: int) -> None:
        """Note the places found in `unscanned(margin)`."""
        first = self._first(margin)
        self.hits += [first + end for end in ends if first + end > self.scanned]
        self.scanned = self.length

    def _first(self, margin: int) -> int:
        """What is encoded may be longer than it reads, but counts only within a window."""
        if self.hits or self.near:
            margin += LEFT_CONTEXT_CHARS
        return max(self.base, self.scanned - margin)

    def take(self, *, everywhere: bool) -> list[tuple[int, Window]]:
        """The windows that can be judged now, each with its position, and move past them.

        everywhere: every segment is wanted, not only those in which a trigger ended.
        """
        if not everywhere and not self.hits:
            if self.final:
                self.segment = self.length
                return []
            # Where its segments end matters only once there is something to judge.
            if self.scanned - self.segment < _TRIM_CHARS:
                return []
        ends = cut(self.text, self.segment - self.base, final=self.final)
        if not ends:
            return []
        taken: list[tuple[int, Window]] = []
        start = self.segment
        for end in (self.base + end for end in ends):
            if everywhere or bisect_right(self.hits, start) < bisect_right(self.hits, end):
                (window,) = windows(self.text, start - self.base, [end - self.base])
                taken.append((end - len(window.text), window))
            start = end
        self.segment = start
        judged = bisect_right(self.hits, start)
        if judged:
            self.looked = self.hits[judged - 1]
            del self.hits[:judged]
        return taken

    def follow(self) -> Iterator[tuple[int, list[Finding]]]:
        """Where each stretch begins that has come, and what its follower finds by it.

        A stretch is some segments; where it ends depends on the text alone.
        """
        if self.follower is None:
            return
        ends = stretches(self.text, self.followed - self.base, final=self.final)
        for end in (self.base + end for end in ends):
            start, self.followed = self.followed, end
            new = self.text[start - self.base : end - self.base]
            yield start, self.follower.feed(new, final=self.final and end == self.length)

    def trim(self) -> None:
        """Let go of text that can no longer matter. What is whole is let go of as one."""
        if self.final:
            return
        keep = min(self.cleared, self.segment, self.scanned)
        if self.follower is not None:
            keep = min(keep, self.followed)
        keep -= 2 * LEFT_CONTEXT_CHARS
        if keep - self.base > _TRIM_CHARS:
            self.text = self.text[keep - self.base :]
            self.base = keep

    def edits_within(self, start: int, end: int) -> list[Edit]:
        """The edits of the stretch [start, end), relative to its start.

        An edit that runs over the ends of several stretches puts its replacement into the
        first and leaves the others empty.
        """
        out: list[Edit] = []
        first = bisect_left(self.edits, start, key=lambda edit: edit.end)
        for at in range(first, len(self.edits)):
            edit = self.edits[at]
            if edit.start > end:
                break
            if (edit.start < end and edit.end > start) or start <= edit.start == edit.end <= end:
                replacement = edit.replacement if edit.start >= start else ""
                out.append(
                    Edit(max(edit.start, start) - start, min(edit.end, end) - start, replacement)
                )
        return out


def whole(
    text: str,
    subject: Subject,
    *,
    sealed: bool = False,
    fixed: bool = False,
    shape: str = "",
    tool: str = "",
) -> Passage:
    """A passage that has arrived completely."""
    return Passage(
        subject, sealed=sealed, fixed=fixed, shape=shape, text=text, final=True, tool=tool
    )


def placed(findings: Sequence[Finding], offset: int) -> list[Finding]:
    """Findings of a window at their positions in the passage."""
    return [finding.moved(offset) for finding in findings]
