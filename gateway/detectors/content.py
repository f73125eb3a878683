"""What must not be asked for or said: hazards of the taxonomy, by a small model of our own.

The model (`_scorer`) first says how likely a text is unsafe at all, then which hazards it would
be about. It knows words and turns of phrase from its training, in seven languages; it does not
understand. What it finds and misses: docs/detection.md. Where it comes from: docs/models.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.core.judgement import Finding
from gateway.detectors._options import check_keys, share
from gateway.taxonomy import UNSAFE

if TYPE_CHECKING:
    from gateway.detectors._scorer import Scorer

WEIGHTS = Path(__file__).with_name("weights") / "content.npz"
SHA256 = "ff04f44f81a8e84e5e9d88dfed44235534b9cc1ebd5a96a94bf0a1e42202d047"
# 1% of ordinary texts score more, of sources that the model was not fitted on; and more of those
# that only look harmful (docs/detection.md). training/content/train.py prints it.
THRESHOLD = 0.789
# The labels of the model: UNSAFE, then the hazards that it tells apart.
HAZARDS = (
    "biometric_emotion_inference",
    "child_sexual_exploitation",
    "controlled_substances",
    "conventional_weapons",
    "cyber_malware",
    "defamation",
    "fraud_deception",
    "graphic_violence",
    "harassment",
    "hate",
    "intellectual_property",
    "manipulation",
    "misinformation",
    "ncii",
    "nonviolent_crimes",
    "privacy_violation",
    "self_harm",
    "sex_crimes",
    "sexual_content",
    "violent_crimes",
    "weapons_cbrne",
)
# Scores below are as good as none; hazards of less than half the likeliest one's are not told.
_FAINTEST = 0.001
_TOLD = 0.5
# From here on it is told which hazard: one ordinary text in ten.
_WORTH = 0.2


def build(options: Mapping[str, Any]) -> Content:
    """threshold: from which score a finding is acted on, 0 to 1."""
    check_keys("content", options, ("threshold",))
    return Content(share("content", options, "threshold", THRESHOLD))


class Content:
    """The detector. It has no triggers: it sees every window, of requests and answers."""

    name = "content"

    def __init__(self, threshold: float) -> None:
        self.version = f"content {SHA256[:12]}"
        self.categories = frozenset((UNSAFE, *(hazard.upper() for hazard in HAZARDS)))
        self.thresholds = dict.fromkeys(self.categories, threshold)
        self._model: Scorer | None = None

    def load(self) -> None:
        """Imports numpy and reads the weights: a fifth of a second."""
        from gateway.detectors._scorer import Scorer  # noqa: PLC0415 - numpy

        self._model = Scorer.load(WEIGHTS, sha256=SHA256)

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """What each text as a whole is found to be."""
        if self._model is None:
            raise RuntimeError("load() comes first")
        rows = self._model.scores(texts, worth=_WORTH).tolist()
        return [self._findings(*each) for each in zip(texts, rows, strict=True)]

    def _findings(self, text: str, scores: Sequence[float]) -> list[Finding]:
        unsafe, *hazards = scores
        if unsafe < _FAINTEST or not text.strip():
            return []
        return [
            Finding(self.name, category, 0, len(text), score)
            for category, score in hazards_told(unsafe, hazards)
        ]


def hazards_told(unsafe: float, hazards: Sequence[float]) -> list[tuple[str, float]]:
    """The likeliest of HAZARDS with the score of the whole, others in proportion.

    UNSAFE alone if none is likely. hazards: how likely each is, given that the text is unsafe.
    """
    likeliest = max(hazards)
    if likeliest < _TOLD:
        return [(UNSAFE, unsafe)]
    return [
        (hazard.upper(), unsafe * score / likeliest)
        for hazard, score in zip(HAZARDS, hazards, strict=True)
        if score >= _TOLD * likeliest
    ]
