"""Rows and findings, said briefly."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.core.judgement import Finding
from gateway.evaluation.datasets import Row, Schema
from gateway.evaluation.run import Judged
from gateway.evaluation.scores import scores

SECRETS = frozenset({"SOME_TOKEN"})


def row(text: str, **labels: Any) -> Row:
    return msgspec.convert({"text": text, **labels}, Row)


def spans(text: str, **types: str) -> list[dict[str, Any]]:
    """Where these words stand in the text, by type."""
    return [
        {"start": text.index(words), "end": text.index(words) + len(words), "type": type_}
        for type_, words in types.items()
    ]


def finding(text: str, category: str, words: str, score: float = 1.0) -> Finding:
    start = text.index(words)
    return Finding("some", category, start, start + len(words), score)


def judged(schema: Schema, seen: Row, *findings: Finding) -> Judged:
    said = scores(findings, SECRETS)
    return Judged(seen, schema, findings, said, said)


def scored(schema: Schema, category: str, score: float, **labels: Any) -> Judged:
    """A row of which one finding says one thing; of score 0: nothing at all."""
    found = [Finding("some", category, 0, 1, score)] if score else []
    return judged(schema, row("x", **labels), *found)
