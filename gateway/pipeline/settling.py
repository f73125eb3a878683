"""What becomes of a passage's text: replaced as effects ask, its originals brought back."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gateway.core.effects import resolve, spans
from gateway.core.judgement import Finding
from gateway.core.keeping import Transcript
from gateway.core.message import Edit
from gateway.core.ports import Action, Vault
from gateway.pipeline.passage import Passage


class Settling:
    """Makes the edits of the passages of one message.

    vault: gives out placeholders, and takes them back if `restore`. transcript: is told the
    edits, but not what is brought back.
    """

    def __init__(
        self,
        actions: Mapping[str, Action],
        vault: Vault,
        *,
        restore: bool,
        transcript: Transcript | None,
    ) -> None:
        self._actions = actions
        self._vault = vault
        self._restore = restore
        self._transcript = transcript

    @property
    def reach_chars(self) -> int:
        """How long a placeholder to be taken back can be; 0 if none is."""
        return self._vault.reach_chars if self._restore else 0

    def made_up(self, text: str) -> list[tuple[int, int]]:
        """Where in a text of an answer something made up stands, which is no finding."""
        return self._vault.spans(text) if self.reach_chars else []

    def restores(self, passage: Passage) -> list[Edit]:
        """What brings originals back in the text that has not left yet."""
        if passage.sealed or not self.reach_chars:
            return []
        base = passage.base
        edits = self._vault.restore(
            passage.text, passage.cleared - base, passage.subject.kind, passage.tool
        )
        return [Edit(edit.start + base, edit.end + base, edit.replacement) for edit in edits]

    def seal(self, passage: Passage) -> None:
        """Empty a text that its signature forbids to edit; what does not change it stays."""
        if passage.final and passage.effects:
            passage.edits = [Edit(0, passage.length, "")]
            passage.effects = []
        if self._transcript is not None:
            self._transcript.edited(passage.edits, passage)

    def settle(self, passage: Passage, restores: Sequence[Edit], cleared: int) -> int:
        """Make the edits of what is before `cleared`; returns it, moved back if it cuts one."""
        clusters = spans(passage.effects, self._actions)
        stretches = [(s, e) for s, e, _ in clusters] + [(r.start, r.end) for r in restores]
        for start, end in sorted(stretches, reverse=True):
            if start < cleared < end:
                cleared = start
        if cleared <= passage.cleared:
            return cleared
        settled = [e for e in passage.effects if e.finding.start < cleared]
        base = passage.base
        edits = [
            Edit(edit.start + base, edit.end + base, edit.replacement)
            for edit in resolve(settled, self._actions, passage.text, self._vault, offset=base)
        ]
        if self._transcript is not None:
            self._transcript.edited(edits, passage)
        free = untouched(edits, [r for r in restores if r.start < cleared])
        self._vault.restored += len(free)
        passage.edits += sorted([*edits, *free], key=lambda edit: edit.start)
        passage.effects = [e for e in passage.effects if e.finding.start >= cleared]
        return cleared


def outside(finding: Finding, spans: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    """What of a finding stands in none of these: half a placeholder cannot be restored."""
    start = finding.start
    for first, last in spans:
        if start < last and first < finding.end:
            if start < first:
                yield replace(finding, start=start, end=first)
            start = last
    if start < finding.end or start == finding.start:
        yield replace(finding, start=start) if start > finding.start else finding


def untouched(edits: list[Edit], restores: list[Edit]) -> list[Edit]:
    """The restores that no edit touches; both are in order."""
    ends = [edit.end for edit in edits]
    return [
        r
        for r in restores
        if (i := bisect_right(ends, r.start)) == len(edits) or edits[i].start >= r.end
    ]
