"""An organisation's own terms: names of projects and customers, numbers of a form of its own.

What they are stands in the operator's lists (`_lists`), and comes as options. Terms are found
however they are written (`_written`), forms as pattern packs write them (`_forms`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.canonical import digest
from gateway.core.judgement import Finding
from gateway.core.ports import Trigger
from gateway.detectors._forms import regex_of
from gateway.detectors._forms import trigger_of as trigger_of_form
from gateway.detectors._options import check_keys
from gateway.detectors._terms import trigger_of
from gateway.detectors._triggers import trigger
from gateway.detectors._written import Written, form, written

OPTIONS = ("lists",)
# Nobody doubts a list.
SCORE = 1.0


def build(options: Mapping[str, Any]) -> Listed:
    """lists: what `_lists.Denied.option` gives; without any, nothing is found."""
    check_keys("listed", options, OPTIONS)
    return Listed(options.get("lists") or ())


@dataclass(frozen=True, slots=True)
class _Term:
    category: str
    form: str
    within_words: bool

    def find(self, text: str, read: Written) -> Iterator[tuple[int, int]]:
        return read.find(self.form, within_words=self.within_words)


@dataclass(frozen=True, slots=True)
class _Number:
    category: str
    regex: re.Pattern[str]

    def find(self, text: str, read: Written) -> Iterator[tuple[int, int]]:
        return (match.span("secret") for match in self.regex.finditer(text))


class Listed:
    """The detector. A trigger's hint is shared by the entries that it stands for."""

    name = "listed"

    def __init__(self, lists: Sequence[Mapping[str, Any]]) -> None:
        self.categories = frozenset(str(each["category"]) for each in lists)
        self.version = f"lists {digest(list(lists))[:12]}"
        self._entries: dict[str, list[_Term | _Number]] = {}
        self._triggers: dict[str, Trigger] = {}
        for each in lists:
            self._add(each)

    def load(self) -> Sequence[Trigger]:
        """Nothing to import."""
        return [*self._triggers.values()]

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """Looks for the entries whose triggers fired."""
        return [
            [*dict.fromkeys(self._find(text, fired))] if fired else []
            for text, fired in zip(texts, hints, strict=True)
        ]

    def _find(self, text: str, fired: Collection[str]) -> Iterator[Finding]:
        read = written(text)
        for entry in (entry for hint in fired for entry in self._entries[hint]):
            for start, end in entry.find(text, read):
                yield Finding(self.name, entry.category, start, end, SCORE)

    def _add(self, said: Mapping[str, Any]) -> None:
        category, within = str(said["category"]), bool(said["within_words"])
        for term in said["terms"]:
            wanted = form(term)
            self._put(trigger_of(wanted), _Term(category, wanted, within))
        for each in said["forms"]:
            found = trigger(f"<{each}>", trigger_of_form([each]))
            self._put(found, _Number(category, re.compile(regex_of([each]))))

    def _put(self, found: Trigger, entry: _Term | _Number) -> None:
        self._entries.setdefault(found.hint, []).append(entry)
        known = self._triggers.get(found.hint)
        if known is None or known.reach_chars < found.reach_chars:
            self._triggers[found.hint] = found
