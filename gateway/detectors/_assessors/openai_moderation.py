"""OpenAI's moderation endpoint, at a backend of the catalogue that speaks OpenAI's API.

Shapes: API reference of OpenAI, "Moderations" (2026).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import msgspec

from gateway.core.calls import Outgoing
from gateway.core.ports import Submission
from gateway.cursor import Cursor
from gateway.detectors._assessors._answers import read
from gateway.detectors._assessors._hazards import OPENAI, UNSAFE
from gateway.detectors._assessors._method import Answered, Claim, Unclear

DIALECT, PATH = "openai_moderations", "/v1/moderations"
_MODEL = "omni-moderation-latest"
_Score = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Result(msgspec.Struct):
    flagged: bool
    categories: dict[str, bool | None]
    category_scores: dict[str, _Score | None]


class _Answer(msgspec.Struct):
    results: list[_Result]


def build(options: Cursor) -> OpenAIModeration:
    """Options: `model`, the endpoint's own."""
    fields = options.fields(("model",))
    return OpenAIModeration(fields["model"].text() if "model" in fields else _MODEL)


class OpenAIModeration:
    """Follows `Method`."""

    version = "1"
    dialect = DIALECT
    categories = frozenset({*OPENAI.values(), UNSAFE})
    of_model = False
    max_chars = 20_000
    batch = 16

    def __init__(self, model: str) -> None:
        self._model = model

    def calls(self, submissions: Sequence[Submission], model: str) -> Sequence[Outgoing]:
        """One for all texts."""
        body = {"model": self._model, "input": [s.text for s in submissions]}
        return [Outgoing(json.dumps(body).encode(), DIALECT, PATH, self._model)]

    def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> Answered:
        """Every category with its score. Raises Unclear if they do not fit together."""
        (body,) = bodies
        answer: _Answer = read(body, _Answer)
        results = answer.results
        if len(results) != len(submissions):
            raise Unclear("not_its_schema")
        pairs = zip(submissions, results, strict=True)
        return Answered([_claims(len(s.text), result) for s, result in pairs])


def _claims(length: int, result: _Result) -> list[Claim]:
    said = {name for name, true in result.categories.items() if true}
    scores = {name: score for name, score in result.category_scores.items() if score is not None}
    if result.flagged != bool(said):
        raise Unclear("contradiction")
    if not scores or not said <= scores.keys():
        raise Unclear("not_its_schema")
    best: dict[str, float] = {}
    for name, given in scores.items():
        # What the endpoint flags counts as sure, at whatever threshold of its own.
        score = max(given, 0.5) if name in said else min(given, 0.499)
        category = OPENAI.get(name, UNSAFE)
        best[category] = max(score, best.get(category, 0.0))
    return [Claim(category, 0, length, score) for category, score in sorted(best.items())]
