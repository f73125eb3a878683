"""A service of your own: texts in, findings out, in a JSON form of ours (docs/assessors.md).

    -> {"texts": [...], "direction": "request", "role": "user", "language": "en" or null}
    <- {"results": [{"findings": [{"category": "...", "start": 0, "end": 5, "score": 0.9}]}]}

One result for each text, in their order. Offsets are code points; without them a finding is
about the whole text. Nothing else may stand there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Annotated

import msgspec

from gateway.core.calls import Outgoing
from gateway.core.ports import Submission
from gateway.cursor import Cursor
from gateway.detectors._assessors._answers import read
from gateway.detectors._assessors._method import Answered, Claim, Unclear

_CATEGORY = r"[A-Z][A-Z0-9_]{0,62}"
_Place = Annotated[int, msgspec.Meta(ge=0)]


class _Finding(msgspec.Struct, forbid_unknown_fields=True):
    category: str
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]
    start: _Place | None = None
    end: _Place | None = None


class _Result(msgspec.Struct, forbid_unknown_fields=True):
    findings: list[_Finding]


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    results: list[_Result]


def build(options: Cursor) -> Webhook:
    """Options: `categories`, all that it may report; `path`; `language`, if all is in one."""
    fields = options.fields(("categories", "path", "language"), required=("categories",))
    names = [
        item.text(_CATEGORY, "a category in capitals") for item in fields["categories"].items()
    ]
    path = fields["path"].text(r"/[\w/.~-]{0,200}", "a path") if "path" in fields else "/"
    language = fields["language"].text() if "language" in fields else None
    return Webhook(names, path, language)


class Webhook:
    """Follows `Method`."""

    version = "1"
    dialect = ""
    of_model = False
    max_chars = 100_000
    batch = 32

    def __init__(self, categories: Collection[str], path: str, language: str | None) -> None:
        self.categories = frozenset(categories)
        self._path = path
        self._language = language

    def calls(self, submissions: Sequence[Submission], model: str) -> Sequence[Outgoing]:
        """One for all neighbours of one direction and role."""
        return [
            self._call(direction, role, [s.text for s in group])
            for (direction, role), group in groupby(submissions, _kind)
        ]

    def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> Answered:
        """Raises Unclear for what is not of the form above, or was not declared."""
        claims: list[list[Claim]] = []
        groups = [[*group] for _, group in groupby(submissions, _kind)]
        for group, body in zip(groups, bodies, strict=True):
            claims += self._claims(group, body)
        return Answered(claims)

    def _call(self, direction: str, role: str, texts: Sequence[str]) -> Outgoing:
        body = {"texts": texts, "direction": direction, "role": role, "language": self._language}
        return Outgoing(json.dumps(body).encode(), "service", self._path)

    def _claims(self, group: Sequence[Submission], body: bytes) -> list[list[Claim]]:
        answer: _Answer = read(body, _Answer)
        results = answer.results
        if len(results) != len(group):
            raise Unclear("not_its_schema")
        return [
            [self._claim(len(submission.text), finding) for finding in result.findings]
            for submission, result in zip(group, results, strict=True)
        ]

    def _claim(self, length: int, finding: _Finding) -> Claim:
        if finding.category not in self.categories:
            raise Unclear("unknown_category")
        if (finding.start is None) != (finding.end is None):
            raise Unclear("not_its_schema")
        start = finding.start or 0
        end = length if finding.end is None else finding.end
        if not start < end <= length:
            raise Unclear("outside_the_text")
        return Claim(finding.category, start, end, finding.score)


def _kind(submission: Submission) -> tuple[str, str]:
    return submission.direction.value, submission.subject.role
