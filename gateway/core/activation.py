"""What one direction of an exchange was judged by, as names and numbers: enough to judge it again.

Never a text: kinds of findings and how often, who looked, and how often the message as such was
announced to the rules. It is part of the closing entry; `docs/audit.md` describes its form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.core.judgement import Finding, Subject

MAX_KINDS = 256
MAX_NOTE_CHARS = 128
# Whose text it is, is said by the client, so other words than these may be anything.
_ROLES = frozenset({"", "system", "developer", "user", "assistant", "tool", "function"})
_OTHER = "other"
# Where a finding stands, if that matters to what can be done about it: FIXED, where a change
# stops the message; LATE, in a text that has left; BESIDE, found by a detector that nobody but a
# shadow bundle listens to.
FIXED, LATE, BESIDE = "fixed", "late", "beside"


class Seen(NamedTuple):
    """One kind of finding, as far as rules may ask. score_pm: per mille. place: see above."""

    detector: str
    category: str
    score_pm: int
    note: str
    role: str
    kind: str
    place: str = ""


@dataclass(slots=True)
class Activation:
    """One direction. Its owner is the pipeline, until it is on record.

    announced: how often the message as such was judged (REQUEST, ANSWER); more than once only in
    sessions. detectors: who looked. seen: how often each kind of finding came. cut: findings
    that are not in `seen`, for there were too many kinds of them, or their notes are too long.
    """

    announced: int = 0
    detectors: frozenset[str] = frozenset()
    seen: dict[Seen, int] = field(default_factory=dict)
    cut: int = 0

    def __bool__(self) -> bool:
        """Whether anything was judged."""
        return bool(self.announced or self.seen or self.cut)

    def add(self, finding: Finding, subject: Subject, place: str = "") -> None:
        """Count a finding."""
        role = subject.role if subject.role in _ROLES else _OTHER
        score_pm = round(finding.score * 1000)
        key = Seen(
            finding.detector,
            finding.category,
            score_pm,
            finding.note,
            role,
            subject.kind.value,
            place,
        )
        count = self.seen.get(key, 0)
        if count or (len(self.seen) < MAX_KINDS and len(finding.note) <= MAX_NOTE_CHARS):
            self.seen[key] = count + 1
        else:
            self.cut += 1

    def record(self) -> dict[str, Any]:
        """Its form in an entry. What is empty is left out."""
        said: dict[str, Any] = {
            "announced": self.announced,
            "detectors": sorted(self.detectors),
        }
        if self.seen:
            said["seen"] = [[*kind, count] for kind, count in sorted(self.seen.items())]
        if self.cut:
            said["cut"] = self.cut
        return said

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Activation:
        """From its form in an entry."""
        return cls(
            announced=said.get("announced", 0),
            detectors=frozenset(said.get("detectors", ())),
            seen={_kind(row[:-1]): row[-1] for row in said.get("seen", ())},
            cut=said.get("cut", 0),
        )


def _kind(row: Sequence[Any]) -> Seen:
    return Seen(*row)
