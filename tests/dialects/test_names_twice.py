"""An answer in which a name stands twice means two things, so none of it is passed on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.dialects.samples import answers
from tests.fuzzing import MAIL
from tests.pipeline.fakes import Backend, Bundle, Shelf, ask, house

JSON_ANSWERS = [
    s
    for s in answers()
    if s.content_type in ("application/json", "text/event-stream", "application/x-ndjson")
]


def doubled(answer: bytes, spell: Any) -> bytes | None:
    """The answer with its first name a second time, in front, with an address."""
    at = answer.find(b"{")
    start = answer.find(b'"', at)
    if at < 0 or start < 0:
        return None
    name = json.loads(answer[start : answer.index(b'"', start + 1) + 1])
    return answer[: at + 1] + spell(name).encode() + f': "{MAIL}", '.encode() + answer[at + 1 :]


@pytest.mark.parametrize(
    "spell", [json.dumps, lambda n: f'"\\u{ord(n[0]):04x}{n[1:]}"'], ids=["plainly", "escaped"]
)
@pytest.mark.parametrize("sample", JSON_ANSWERS, ids=str)
def test_what_stands_twice_does_not_reach_the_client(sample: Any, spell: Any) -> None:
    raw = doubled(sample.answer, spell)
    if raw is None:
        return
    backend = Backend(raw, kind=sample.content_type)
    site = house(backend, Bundle({"EMAIL_ADDRESS": "redact"}), shelf=Shelf(own="m"))
    asked = ask(site, sample.call, dialect=sample.dialect)
    assert MAIL.encode() not in asked.body
    assert asked.exchange.outcome in ("upstream_error", "completed")
