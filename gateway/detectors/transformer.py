"""Hazards and prompt injection by a small transformer: dearer than `content` and `injection`.

It reads what they read, but in the order of the words (`_encoder`), and reports the same
categories: which hazard an unsafe text is about it has `content`'s model say. Off unless
`GATEWAY_DETECTORS` names it. How often it errs and what it costs: docs/detection.md. Where it comes
from: docs/models.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.core.judgement import Finding
from gateway.detectors import content
from gateway.detectors._options import check_keys, share
from gateway.detectors.content import HAZARDS, hazards_told
from gateway.detectors.injection import DIRECT, INDIRECT
from gateway.taxonomy import UNSAFE

if TYPE_CHECKING:
    from gateway.detectors._encoder import Encoder
    from gateway.detectors._scorer import Scorer

WEIGHTS = Path(__file__).with_name("weights") / "transformer.npz"
SHA256 = "1023ceb2fc00f75b8a0518948f0764bcfa793021cb1a4b52ac170a3d83fc14b7"
# What its model tells: whether a text is unsafe at all, and the two strengths of `injection`.
LABELS = ("unsafe", "direct", "indirect")

# Scores below this are as good as none.
_FAINTEST = 0.001


def build(options: Mapping[str, Any]) -> Transformer:
    """threshold: from which score hazards are acted on; direct, indirect: prompt injection."""
    check_keys("transformer", options, ("threshold", "direct", "indirect"))
    return Transformer(
        threshold=share("transformer", options, "threshold", 0.5),
        direct=share("transformer", options, "direct", 0.5),
        indirect=share("transformer", options, "indirect", 0.5),
    )


class Transformer:
    """The detector. It has no triggers: it sees every window, of requests and answers."""

    name = "transformer"
    version = f"1 {SHA256[:12]} {content.SHA256[:12]}"

    def __init__(self, *, threshold: float, direct: float, indirect: float) -> None:
        hazards = (UNSAFE, *(hazard.upper() for hazard in HAZARDS))
        self.thresholds = {**dict.fromkeys(hazards, threshold), DIRECT: direct, INDIRECT: indirect}
        self.categories = frozenset(self.thresholds)
        self._models: tuple[Encoder, Scorer] | None = None

    def load(self) -> None:
        """Imports numpy and reads the weights: about a second. Raises ConfigError."""
        from gateway.detectors._encoder import Encoder  # noqa: PLC0415 - numpy
        from gateway.detectors._scorer import Scorer  # noqa: PLC0415 - numpy

        encoder = Encoder.load(WEIGHTS, sha256=SHA256)
        self._models = encoder, Scorer.load(content.WEIGHTS, sha256=content.SHA256)

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """What each text as a whole is found to be."""
        if self._models is None:
            raise RuntimeError("load() comes first")
        encoder, scorer = self._models
        rows, hazards = encoder.scores(texts).tolist(), scorer.scores(texts)[:, 1:].tolist()
        return [self._findings(*each) for each in zip(texts, rows, hazards, strict=True)]

    def _findings(
        self, text: str, scores: Sequence[float], hazards: Sequence[float]
    ) -> list[Finding]:
        if not text.strip():
            return []
        unsafe, direct, indirect = scores
        told = [(DIRECT, min(direct, indirect)), (INDIRECT, indirect)]
        told += hazards_told(unsafe, hazards)
        return [
            Finding(self.name, category, 0, len(text), score)
            for category, score in told
            if score >= _FAINTEST
        ]
