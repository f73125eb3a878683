"""Azure AI Content Safety's text:analyze: four categories with a severity from 0 to 7.

Shapes and limits: Microsoft Learn, REST reference of Content Safety 2024-09-01, and its limit of
10,000 characters for a text.
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
from gateway.detectors._assessors._hazards import AZURE
from gateway.detectors._assessors._method import Answered, Claim, Unclear

_VERSION = "2024-09-01"
_PATH = "/contentsafety/text:analyze?api-version="
_HIGHEST = 7


class _Category(msgspec.Struct):
    category: str
    severity: Annotated[int, msgspec.Meta(ge=0, le=_HIGHEST)]


class _Answer(msgspec.Struct):
    categories: list[_Category] = msgspec.field(name="categoriesAnalysis")


def build(options: Cursor) -> AzureContentSafety:
    """Options: `api_version`."""
    fields = options.fields(("api_version",))
    version = fields.get("api_version")
    return AzureContentSafety(version.text(r"[\w-]{8,32}", "a version") if version else _VERSION)


class AzureContentSafety:
    """Follows `Method`. A severity s is a score of s/7: of the scale's levels low begins at 2."""

    version = "1"
    dialect = ""
    categories = frozenset(AZURE.values())
    of_model = False
    max_chars = 10_000
    batch = 1

    def __init__(self, api_version: str) -> None:
        self._path = _PATH + api_version

    def calls(self, submissions: Sequence[Submission], model: str) -> Sequence[Outgoing]:
        """One for each text."""
        bodies = [
            {"text": s.text, "categories": [*AZURE], "outputType": "EightSeverityLevels"}
            for s in submissions
        ]
        return [Outgoing(json.dumps(body).encode(), "service", self._path) for body in bodies]

    def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> Answered:
        """Raises Unclear unless each category is there once."""
        pairs = zip(submissions, bodies, strict=True)
        return Answered([_claims(len(s.text), body) for s, body in pairs])


def _claims(length: int, body: bytes) -> list[Claim]:
    answer: _Answer = read(body, _Answer)
    found = answer.categories
    if sorted(each.category for each in found) != sorted(AZURE):
        raise Unclear("not_its_schema")
    return [Claim(AZURE[c.category], 0, length, c.severity / _HIGHEST) for c in found if c.severity]
