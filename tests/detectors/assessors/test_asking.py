"""An assessor remembers, waits no longer than it may, and tells every failure as a finding."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence

import pytest

from gateway.core.calls import Outgoing
from gateway.core.errors import CircuitOpen, UpstreamError, UpstreamTimeout
from gateway.core.judgement import DETECTOR_ERROR, Finding, Route, Subject
from gateway.core.message import Direction, Kind
from gateway.core.ports import Assessment, Submission
from gateway.detectors._assessors import RemoteAssessor
from gateway.detectors._assessors._asking import MAX_ANSWER_BYTES
from gateway.detectors._assessors._opinions import MAX_AGE_MS, Opinions
from gateway.detectors._assessors._pieces import MAX_PIECES
from tests.detectors.assessors.asked import ROUTE, Clock, There, Words, answers, asks, assessor

SECRET = "jane.roe@example.com"


def assess(
    asked: RemoteAssessor, *texts: str, deadline_s: float = 5, route: Route = ROUTE
) -> Assessment:
    submissions = [asks(text) for text in texts]
    return asyncio.run(asked.assess(submissions, route=route, deadline_s=deadline_s))


def failed(made: Assessment) -> list[str]:
    return [f.note for fs in made.findings for f in fs if f.category == DETECTOR_ERROR]


def test_findings_and_what_they_cost() -> None:
    there = There(b"[]")
    made = assess(assessor(there), "so bad", "good", "bad")
    assert made.findings == [
        [Finding("far", "HATE", 3, 6, 0.9)],
        [],
        [Finding("far", "HATE", 0, 3, 0.9)],
    ]
    assert [json.loads(call.body) for call in there.calls] == [["so bad", "good"], ["bad"]]
    assert (made.calls, made.known, made.prompt_tokens, made.completion_tokens) == (2, 0, 20, 2)
    assert there.closed == 2


def test_what_is_below_its_threshold_is_faint() -> None:
    (found,) = assess(assessor(There(b"[]"), min_score=0.95), "bad").findings[0]
    assert found.faint


def test_a_text_is_asked_about_once() -> None:
    there = There(b"[]")
    asked = assessor(there)
    first = assess(asked, "so bad")
    again = assess(asked, "so bad", "new")
    assert again.findings[0] == first.findings[0]
    assert (again.known, again.calls, len(there.calls)) == (1, 1, 2)


@pytest.mark.parametrize(
    "other",
    [
        Submission(Direction.RESPONSE, Subject("user", Kind.TEXT), "bad"),
        Submission(Direction.REQUEST, Subject("tool", Kind.TEXT), "bad"),
        Submission(Direction.REQUEST, Subject("user", Kind.TOOL_RESULT), "bad"),
        Submission(Direction.REQUEST, Subject("user", Kind.TEXT), "bad", "before"),
        Submission(Direction.REQUEST, Subject("user", Kind.TEXT), "ba", "d"),
    ],
)
def test_what_is_asked_otherwise_is_not_known(other: Submission) -> None:
    opinions = Opinions(10_000, Clock())
    opinions.put(opinions.key(asks("bad"), "c"), ())
    assert opinions.get(opinions.key(asks("bad"), "c")) == ()
    assert opinions.get(opinions.key(other, "c")) is None
    assert opinions.get(opinions.key(asks("bad"), "d")) is None


def test_opinions_are_bounded_and_grow_old() -> None:
    clock = Clock()
    opinions = Opinions(10_000, clock)
    keys = [opinions.key(asks(str(n)), "c") for n in range(100)]
    for key in keys:
        opinions.put(key, ())
    assert opinions.used_bytes <= 10_000
    assert opinions.get(keys[0]) is None
    assert opinions.get(keys[-1]) == ()
    clock.ms = MAX_AGE_MS + 1
    assert opinions.get(keys[-1]) is None


FAILURES: list[tuple[There | None, str, int]] = [
    (There(500), "failed", 1),
    (There(404), "refused", 1),
    (There(302), "refused", 1),
    (There(429), "too_many_requests", 1),
    (There(b"{"), "JSONDecodeError", 1),
    (There(b""), "JSONDecodeError", 1),
    (There(b"x" * (MAX_ANSWER_BYTES + 1)), "too_large", 1),
    (There(UpstreamError(SECRET)), "unreachable", 1),
    (There(UpstreamTimeout(SECRET)), "late", 1),
    (There(CircuitOpen(SECRET, retry_after_s=3)), "rests", 0),
    (There(ZeroDivisionError(SECRET)), "ZeroDivisionError", 1),
    (There(None), "late", 1),
    (None, "off", 0),
]


@pytest.mark.parametrize(("there", "reason", "calls"), FAILURES, ids=lambda v: str(v)[:20])
def test_a_failure_is_a_finding_over_the_whole_text(
    there: There | None, reason: str, calls: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = assessor(there)
    made = assess(asked, SECRET, deadline_s=0.01 if reason == "late" else 5)
    assert made.findings == [[Finding("far", DETECTOR_ERROR, 0, len(SECRET), 1.0, reason)]]
    assert (made.calls, asked.trouble) == (calls, reason)
    told = f"{caplog.text} {asked._counters.values} {made} {asked.trouble}"
    assert "jane" not in told


def test_a_failure_is_not_remembered() -> None:
    there = There(500, b"[]")
    asked = assessor(there)
    assert failed(assess(asked, "bad")) == ["failed"]
    assert assess(asked, "bad").findings == [[Finding("far", "HATE", 0, 3, 0.9)]]
    assert asked.trouble == ""


def test_what_is_late_does_not_spoil_what_came() -> None:
    made = assess(assessor(There(b"[]", None)), "bad", "good", "slow", deadline_s=0.05)
    assert failed(made) == ["late"]
    assert made.findings[0] == [Finding("far", "HATE", 0, 3, 0.9)]


def test_an_answer_that_is_not_one_for_each_text_spoils_them_all() -> None:
    class Short(Words):
        def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> object:
            return super().read(submissions[:1], bodies)

    assert failed(assess(assessor(There(b"[]"), method=Short()), "a", "b")) == ["unclear"] * 2


@pytest.mark.parametrize(
    ("said", "retries", "calls", "reasons"),
    [
        ([503, b"[]"], 1, 2, []),
        ([429, b"[]"], 1, 2, []),
        ([UpstreamError("x", unanswered=True), b"[]"], 1, 2, []),
        ([503, 503, b"[]"], 1, 2, ["failed"]),
        ([400, b"[]"], 1, 1, ["refused"]),
        ([503, b"[]"], 0, 1, ["failed"]),
    ],
)
def test_calls_are_made_again_a_few_times_only(
    said: list[bytes], retries: int, calls: int, reasons: list[str]
) -> None:
    there = There(*said, headers={"retry-after-ms": "1"})
    made = assess(assessor(there, retries=retries), "bad")
    assert len(there.calls) == made.calls == calls
    assert failed(made) == reasons


def test_what_asks_to_wait_long_is_not_waited_for() -> None:
    there = There(429, b"[]", headers={"retry-after": "3600"})
    assert failed(assess(assessor(there, retries=1), "bad")) == ["too_many_requests"]


def test_only_so_many_calls_at_once() -> None:
    there = There(b"[]")
    assess(assessor(there, at_once=3), *map(str, range(40)))
    assert there.most <= 3
    assert len(there.calls) == 20


def test_who_stops_waiting_ends_the_calls() -> None:
    there = There(None)

    async def main() -> None:
        task = asyncio.ensure_future(
            assessor(there).assess([asks("bad"), asks("b"), asks("c")], route=ROUTE, deadline_s=5)
        )
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert there.left == 2


def test_nothing_goes_where_it_was_not_made_fit_for() -> None:
    there = There(b"[]")
    made = assess(assessor(there), "bad", route=Route("judge", "judge-8b", "there", "local"))
    assert failed(made) == ["off"]
    assert there.calls == []


def test_a_long_text_is_asked_about_in_pieces() -> None:
    text = "word " * 40 + "so bad " + "word " * 10
    there = There(b"[]")
    made = assess(assessor(there), text)
    at = text.index("bad")
    assert made.findings == [[Finding("far", "HATE", at, at + 3, 0.9)]]
    asked = [piece for call in there.calls for piece in json.loads(call.body)]
    assert max(map(len, asked)) <= 100
    assert all(any(word in piece for piece in asked) for word in ("so bad", "word word"))


def test_a_text_that_is_far_too_long_is_a_failure() -> None:
    there = There(b"[]")
    assert failed(assess(assessor(there), "x" * 100 * (MAX_PIECES + 9))) == ["too_long"]
    assert there.calls == []


def test_which_texts_it_takes() -> None:
    asked = assessor(None, roles=frozenset({"user"}))
    assert asked.takes(Subject("user", Kind.TEXT))
    assert not asked.takes(Subject("tool", Kind.TEXT))
    assert not asked.takes(Subject("user", Kind.METADATA))


def test_a_backend_of_another_api_is_not_asked() -> None:
    class Deaf(There):
        def speaks(self, dialect: str) -> bool:
            return False

    class Chat(Words):
        dialect = "openai_chat"

    there = Deaf(b"[]")
    assert failed(assess(assessor(there, method=Chat()), "bad")) == ["not_its_api"]
    assert there.calls == []


def test_what_is_counted() -> None:
    asked = assessor(There(b"[]", 500))
    assess(asked, "a", "b", "c")
    counted = asked._counters.values
    assert counted['assessor_calls_total{assessor="far"}'] == 2
    assert counted['assessor_texts_total{assessor="far"}'] == 3
    assert counted['assessor_prompt_tokens_total{assessor="far"}'] == 10
    assert counted['assessor_failures_total{assessor="far",reason="failed"}'] == 1


def test_half_a_surrogate_pair_does_not_break_it() -> None:
    def echo(call: Outgoing) -> bytes:
        return call.body

    assert assess(assessor(There(echo)), "bad \ud800").findings[0][0].category == "HATE"
    assert answers("x").direction is Direction.RESPONSE
