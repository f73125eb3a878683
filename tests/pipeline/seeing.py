"""An inspector that looks as the real one does, in this process, for three simple things."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from gateway.core.judgement import Finding
from gateway.core.ports import Trigger, Window
from gateway.detectors._jobs import perform
from gateway.detectors._locator import Locator
from gateway.detectors._questions import Question, ask, distinct, fired, merge, tasks
from gateway.detectors._triggers import trigger

PATTERNS = {
    "EMAIL_ADDRESS": re.compile(r"[a-zA-Z0-9.]{1,30}@[a-z0-9]{1,20}\.[a-z]{2,5}"),
    "KEY": re.compile(r"key-[0-9a-f]{8}"),
    "CREDIT_CARD": re.compile(r"[0-9]{4}(?: [0-9]{4}){3}"),
}


class Values:
    """A detector."""

    name = "fake"
    version = "1"
    categories = frozenset(PATTERNS)

    def load(self) -> Sequence[Trigger]:
        return [
            trigger("EMAIL_ADDRESS", r"[a-zA-Z0-9.]@[a-z0-9]", before_chars=29),
            trigger("KEY", PATTERNS["KEY"].pattern),
            trigger("CREDIT_CARD", PATTERNS["CREDIT_CARD"].pattern),
        ]

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        return [
            [
                Finding(self.name, category, *match.span(), 0.9)
                for category in fired_
                for match in PATTERNS[category].finditer(text)
            ]
            for text, fired_ in zip(texts, hints, strict=True)
        ]


class Seeing:
    """Follows `gateway.core.ports.Inspector`."""

    def __init__(self) -> None:
        values = Values()
        with tempfile.TemporaryDirectory() as folder:
            self.locator = Locator({"fake": values.load()}, Path(folder))
        self.reach_chars = self.locator.reach_chars
        self.detectors: Mapping[str, frozenset[str]] = {"fake": values.categories}
        self._members = {"fake": values}

    def locate(self, text: str, detectors: Collection[str]) -> list[int]:
        return self.locator.locate(text, detectors)

    def everywhere(self, detectors: Collection[str]) -> bool:
        return False

    async def inspect(
        self, windows: Sequence[Window], detectors: Collection[str], **_limits: float
    ) -> list[list[Finding]]:
        questions: dict[str, list[Question]] = {}
        found = fired(windows, detectors, self.locator)
        for index, window in enumerate(windows):
            ask(questions, index, window, found=found[index], models=())
        out: list[list[Finding]] = [[] for _ in windows]
        outcomes = perform(self._members, tasks(questions))
        for (name, asked), outcome in zip(questions.items(), outcomes, strict=True):
            assert merge(name, asked, outcome, self.detectors[name], out)
        return [distinct(findings) for findings in out]
