"""What is kept of the texts of an exchange, apart from its record, which holds none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from gateway.core.judgement import Finding, Subject
from gateway.core.message import Edit
from gateway.core.splice import apply

DEFAULT_CLASS = "default"
# Of one message; what goes beyond is left out, and the payload says so.
MAX_CHARS = 1_000_000


class Keep(StrEnum):
    """How much of the texts is kept, the least first.

    redacted: as they left, without what policy took out. full: as they came.
    """

    NONE = "none"
    REDACTED = "redacted"
    FULL = "full"


LEAST_FIRST = tuple(Keep)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a policy says of it. retention: the name of a class that says for how long."""

    texts: Keep = Keep.REDACTED
    retention: str = DEFAULT_CLASS


NOTHING_KEPT = Keeping(Keep.NONE)


@dataclass(frozen=True, slots=True)
class Payload:
    """Texts on their way beside an audit entry.

    subject: reference of whom they concern. document: canonical JSON.
    """

    subject: str
    retention: str
    document: bytes = field(repr=False)


class Spoken(Protocol):
    """A text by its place in its API and by whose it is; a key of its own."""

    @property
    def shape(self) -> str:
        """Where it stands, in names of the API only."""

    @property
    def subject(self) -> Subject:
        """Whose it is and what it is for."""


@dataclass(slots=True)
class _Text:
    """Positions in `edits` and `found` are characters of the whole text."""

    pieces: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)


class Transcript:
    """The texts of one message, written down as they are judged.

    stopped: whether the message was, so that nothing of it left. cut: whether there was more.
    """

    def __init__(self, keeping: Keeping) -> None:
        self.keeping = keeping
        self.stopped = False
        self.cut = False
        self._room = MAX_CHARS
        self._texts: dict[Spoken, _Text] = {}

    def keep(self, new: str, of: Spoken) -> None:
        """The next characters of a text as it came."""
        self.cut = self.cut or len(new) > self._room
        self._of(of).pieces.append(new[: self._room])
        self._room -= min(len(new), self._room)

    def edited(self, edits: Sequence[Edit], of: Spoken) -> None:
        """What policy takes out of it."""
        self._of(of).edits += edits

    def found(self, finding: Finding, of: Spoken) -> None:
        """What was found in it."""
        if finding.start < finding.end:
            self._of(of).found.append(finding)

    def texts(self) -> list[dict[str, Any]]:
        """What is kept, in the order in which it was judged; nothing of texts that are empty."""
        told = [(of, self._told(text)) for of, text in self._texts.items()]
        return [
            {
                "place": of.shape,
                "role": of.subject.role,
                "kind": of.subject.kind.value,
                "text": text,
            }
            for of, text in told
            if text
        ]

    def _told(self, each: _Text) -> str:
        text = "".join(each.pieces)
        if self.keeping.texts is Keep.FULL:
            return text
        edits = list(each.edits)
        if self.stopped:
            # Policy has taken nothing out, for it went nowhere: all that was found goes.
            edits += [Edit(f.start, f.end, f"[{f.category}]") for f in each.found]
        return apply(text, _apart(edits, len(text)))

    def _of(self, of: Spoken) -> _Text:
        text = self._texts.get(of)
        if text is None:
            text = self._texts[of] = _Text()
        return text


def _apart(edits: Sequence[Edit], length: int) -> list[Edit]:
    """The edits in order, overlapping ones as one, and none beyond the end of what is kept."""
    out: list[Edit] = []
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        end = min(edit.end, length)
        if edit.start >= end:
            continue
        if out and edit.start < out[-1].end:
            last = out.pop()
            out.append(Edit(last.start, max(last.end, end), last.replacement))
        else:
            out.append(Edit(edit.start, end, edit.replacement))
    return out
