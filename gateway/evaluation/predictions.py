"""What was found in a row, as one JSON-ready object: for scoring by programs of others."""

from __future__ import annotations

from typing import Any

from gateway.evaluation.run import Judged


def prediction(index: int, judged: Judged) -> dict[str, Any]:
    """index: of the row in its file, from 0.

    findings: what the gateway acts on, offsets in code points of the text. scores: 0 to 1, the
    highest of what speaks for each, also where it is too faint to be acted on.
    """
    return {
        "index": index,
        "findings": [
            {
                "category": finding.category,
                "start": finding.start,
                "end": finding.end,
                "score": finding.score,
                "detector": finding.detector,
            }
            for finding in judged.findings
        ],
        "scores": dict(judged.scores),
    }
