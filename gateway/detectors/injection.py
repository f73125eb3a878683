"""Prompt injection and jailbreaks: text that tries to command the model that reads it.

A model of our own (`_suspicion`; docs/models.md) judges each window, and what a window says once
simple ciphers are undone. It sees text alone, never whose it is. So it reports two strengths: as
PROMPT_INJECTION_DIRECT, or JAILBREAK, what nobody should say to a model, and as
PROMPT_INJECTION_INDIRECT what also has no place in a document or a tool's answer. A policy
listens to the second only where text is not the user's own (`when.kinds`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.core.judgement import Finding
from gateway.detectors._decoded import readings
from gateway.detectors._ideas import IDEAS, ideas
from gateway.detectors._options import check_keys, share

if TYPE_CHECKING:
    from gateway.detectors._suspicion import Floats, Suspicion

DIRECT, JAILBREAK, INDIRECT = (
    "PROMPT_INJECTION_DIRECT",
    "JAILBREAK",
    "PROMPT_INJECTION_INDIRECT",
)
WEIGHTS = Path(__file__).parent / "weights" / "injection.npz"
SHA256 = "51f26e1965da23cab58b04d298985f3d71c10ec0c4d65183c3c773b365ed0eea"

_FAINTEST = 0.001
# A jailbreak gives the model another part to play; an injection another order.
_PARTS = frozenset(map(IDEAS.index, ("act", "free", "limit", "refuse", "mode", "tale")))
_ORDERS = frozenset(map(IDEAS.index, ("drop", "rule", "before", "system", "secret", "task")))


def build(options: Mapping[str, Any]) -> Injection:
    """direct, indirect: the scores from which each strength is reported, 0.5 if not given."""
    check_keys("injection", options, ("direct", "indirect"))
    return Injection(
        direct=share("injection", options, "direct", 0.5),
        indirect=share("injection", options, "indirect", 0.5),
    )


class Injection:
    """The detector. It has no triggers: an instruction can stand anywhere."""

    name = "injection"
    version = f"1 {SHA256[:12]}"
    categories = frozenset({DIRECT, JAILBREAK, INDIRECT})

    def __init__(self, *, direct: float, indirect: float) -> None:
        self.thresholds = {DIRECT: direct, JAILBREAK: direct, INDIRECT: indirect}
        self._model: Suspicion | None = None

    def load(self) -> None:
        """Reads the weights. Raises ConfigError."""
        from gateway.detectors._suspicion import Suspicion  # noqa: PLC0415

        self._model = Suspicion.load(WEIGHTS, sha256=SHA256)

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """An attack is told as all of the window: what led up to it is part of it."""
        return [
            self._findings(text, direct, indirect)
            for text, (direct, indirect) in zip(texts, self._scores(texts), strict=True)
        ]

    def _scores(self, texts: Sequence[str]) -> list[Floats]:
        """For each text the highest scores of all its readings."""
        if self._model is None:
            raise RuntimeError("the detector is not loaded")
        read = [(text, *readings(text)) for text in texts]
        scores = self._model.scores([reading for each in read for reading in each])
        ends = [*accumulate(map(len, read), initial=0)]
        return [scores[start:end].max(axis=0) for start, end in pairwise(ends)]

    def _findings(self, text: str, direct: float, indirect: float) -> list[Finding]:
        if not text:
            return []
        found = [(_called(text), min(direct, indirect)), (INDIRECT, indirect)]
        return [
            Finding(self.name, category, 0, len(text), float(score))
            for category, score in found
            if score >= _FAINTEST
        ]


def _called(text: str) -> str:
    """Which of the two a direct attack is rather."""
    seen = {idea for _, found in ideas(text.lower()) for idea in found}
    return JAILBREAK if len(seen & _PARTS) > len(seen & _ORDERS) else DIRECT
