"""Models and services elsewhere judge whole texts: in their turn, and of each what may leave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest

from gateway.core.calls import Call
from gateway.core.exchange import Exchange
from gateway.core.judgement import DETECTOR_ERROR, Finding, Route, StreamMode, Subject
from gateway.core.message import Direction
from gateway.core.ports import Asking, Assessment, Band, Submission
from gateway.pipeline.assessing import Panel
from gateway.pipeline.house import House
from gateway.pipeline.run import run
from tests.pipeline.fakes import (
    CHAT,
    SSE,
    STREAMS,
    WHO,
    Asked,
    Backend,
    Bundle,
    Inspector,
    Sink,
    ask_async,
    chat,
    house,
)

HERE = Route("judge", "judge-8b", "gpu", "us", hosting="self_hosted")
THERE = Route("judge", "judge-8b", "cloud", "them")
ANSWER = json.dumps(
    {
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Something vile."},
                "finish_reason": "stop",
            }
        ],
    }
).encode()
FINE = ANSWER.replace(b"vile", b"nice")
MAIL = "anna.b@example.org"


class Assessor:
    """Finds a word; remembers what it was sent."""

    version = "1"

    def __init__(self, name: str = "far", word: str = "vile", **other: Any) -> None:
        self.name, self.word = name, word
        self.categories = frozenset({"HATE"})
        self.directions = frozenset(Direction)
        self.tier = 1
        self.unsure: Sequence[Band] = ()
        self.where: Route | None = THERE
        self.score = 0.9
        self.note = ""
        self.slow = False
        self.__dict__.update(other)
        self.got: list[Submission] = []
        self.left = 0
        self.deadlines: list[float] = []

    def takes(self, subject: Subject) -> bool:
        return True

    def route(self) -> Route | None:
        return self.where

    async def assess(
        self, submissions: Sequence[Submission], *, route: Route, deadline_s: float
    ) -> Assessment:
        self.got += submissions
        self.deadlines.append(deadline_s)
        try:
            await (asyncio.Event().wait() if self.slow else asyncio.sleep(0))
        except asyncio.CancelledError:
            self.left += 1
            raise
        return Assessment([self._found(s.text) for s in submissions], 0, len(submissions), 7, 2)

    def _found(self, text: str) -> list[Finding]:
        if self.note:
            return [Finding(self.name, DETECTOR_ERROR, 0, len(text), 1.0, self.note)]
        at = text.find(self.word)
        return [Finding(self.name, "HATE", at, at + len(self.word), self.score)] if at >= 0 else []

    @property
    def texts(self) -> list[str]:
        return [submission.text for submission in self.got]


class Elsewhere(Bundle):
    """Says something else about what goes to the cloud."""

    def __init__(self, rules: dict[str, str], there: dict[str, str], **other: Any) -> None:
        super().__init__(rules, **other)
        self.there = Bundle(there)

    def bind(self, context: Any) -> Bundle:
        return self.there if context.route.backend == "cloud" else self


BLOCK, FLAG = {"HATE": "block"}, {"HATE": "flag"}


def asked(
    body: bytes,
    bundle: Bundle,
    *assessors: Assessor,
    backend: Backend | None = None,
    **how: Any,
) -> tuple[Asked, dict[str, Any], Backend]:
    backend = backend or Backend(FINE)
    sink = Sink(log=how.pop("log", None))
    parts = {"sink": sink, "panel": Panel(assessors), **how.pop("parts", {})}
    made = house(backend, bundle, **parts)

    async def main() -> Asked:
        found = await ask_async(made, body, **how)
        await made.later.aclose()
        return found

    return asyncio.run(main()), sink.closed, backend


def findings(side: dict[str, Any]) -> dict[str, int]:
    return {f["category"]: f["count"] for f in side["findings"]}


@pytest.mark.parametrize(("mode", "kind"), [("window", ""), ("window", SSE), ("hold", SSE)])
def test_what_it_finds_in_a_request_stops_it(mode: str, kind: str) -> None:
    far = Assessor()
    bundle = Bundle(BLOCK, StreamMode(mode))
    found, closed, backend = asked(chat("How vile.", stream=bool(kind)), bundle, far)
    assert (found.status, closed["outcome"], backend.bodies) == (400, "blocked", [])
    assert findings(closed["request"]) == {"HATE": 1}


def test_what_it_finds_in_an_answer_stops_that() -> None:
    found, closed, _ = asked(chat(), Bundle(BLOCK), Assessor(), backend=Backend(ANSWER))
    assert b"vile" not in found.body
    assert closed["outcome"] == "blocked"


TEXT = STREAMS["openai_text"]


@pytest.mark.parametrize("size", [1, 50, 100_000])
def test_a_stream_is_held_for_one_who_can_stop_it(size: int) -> None:
    pieces = [TEXT[i : i + size] for i in range(0, len(TEXT), size)]
    word = Assessor(word="never there")
    found, _, _ = asked(chat(stream=True), Bundle(BLOCK), word, backend=Backend(*pieces, kind=SSE))
    assert found.body == TEXT
    assert len(found.pieces) == 1
    (answer,) = [s for s in word.got if s.direction is Direction.RESPONSE]
    stops = Assessor(word=answer.text[-5:])
    found, closed, _ = asked(
        chat(stream=True), Bundle(BLOCK), stops, backend=Backend(*pieces, kind=SSE)
    )
    assert (found.status, closed["outcome"]) == (400, "blocked")
    assert answer.text[:8].encode() not in found.body


def test_one_who_sees_requests_only_holds_no_answer() -> None:
    far = Assessor(directions=frozenset({Direction.REQUEST}))
    pieces = [TEXT[i : i + 100] for i in range(0, len(TEXT), 100)]
    found, _, _ = asked(chat(stream=True), Bundle(BLOCK), far, backend=Backend(*pieces, kind=SSE))
    assert len(found.pieces) > 1
    assert far.texts == ["Hello."]


def test_nobody_waits_for_one_whose_findings_are_only_flagged() -> None:
    far = Assessor(word="e")
    log: list[str] = []
    backend = Backend(*[TEXT[i : i + 100] for i in range(0, len(TEXT), 100)], kind=SSE, log=log)
    found, closed, _ = asked(chat(stream=True), Bundle(FLAG), far, backend=backend, log=log)
    assert found.body == TEXT
    assert len(found.pieces) > 1
    assert closed["outcome"] == "completed"
    assert findings(closed["request"]) == findings(closed["response"]) == {"HATE": 1}
    assert [e["action"] for e in closed["response"]["effects"]] == ["flag"]
    assert log[-1] == "exchange.closed"


def test_what_fails_afterwards_is_on_record_and_stops_nothing() -> None:
    found, closed, _ = asked(chat(), Bundle(FLAG), Assessor(note="late"), backend=Backend(ANSWER))
    assert found.body == ANSWER
    assert findings(closed["response"]) == {DETECTOR_ERROR: 1}
    assert closed["response"]["effects"] == []
    assert closed["response"]["consulted"][0]["failed"] == {"late": 1}


def test_what_fails_before_is_as_the_policy_says() -> None:
    found, _, backend = asked(chat(), Bundle(BLOCK), Assessor(note="late"))
    assert (found.status, backend.bodies) == (400, [])
    bundle = Bundle({**BLOCK, DETECTOR_ERROR: "flag"})
    found, _, _ = asked(chat(), bundle, Assessor(note="late"))
    assert found.status == 200


def test_nobody_is_asked_about_what_is_stopped_already() -> None:
    far = Assessor()
    rules = {"KEY": "block", **BLOCK}
    found, _, _ = asked(chat("key-0a1b2c3d"), Bundle(rules), far)
    assert (found.status, far.got) == (400, [])
    flags = Assessor()
    asked(chat("key-0a1b2c3d"), Bundle({"KEY": "block", **FLAG}), flags)
    assert flags.got == []


def test_those_of_a_later_tier_are_asked_only_if_nothing_stops_it_before() -> None:
    late, early = Assessor("late", tier=2, where=HERE), Assessor("early", tier=1)
    asked(chat("vile"), Bundle(BLOCK), late, early)
    assert (len(early.got), late.got) == (1, [])
    late, early = Assessor("late", tier=2), Assessor("early", word="nothing", tier=1)
    asked(chat("vile"), Bundle(BLOCK), late, early)
    assert (len(early.got), len(late.got)) == (1, 1)


BANDS = [
    (Band(0.2, 0.95), 0.9, True),
    (Band(0.2, 0.8), 0.9, False),
    (Band(0.2, 0.95, detectors=frozenset({"fake"})), 0.9, True),
    (Band(0.2, 0.95, detectors=frozenset({"other"})), 0.9, False),
    (Band(0.2, 0.95, categories=frozenset({"EMAIL_ADDRESS"})), 0.9, True),
    (Band(0.2, 0.95, categories=frozenset({"KEY"})), 0.9, False),
]


@pytest.mark.parametrize(("band", "score", "expected"), BANDS)
def test_it_is_asked_where_cheaper_detection_is_unsure(
    band: Band, score: float, expected: bool
) -> None:
    far = Assessor(unsure=[band])
    asked(chat(f"vile {MAIL}"), Bundle(BLOCK), far)
    assert bool(far.got) == expected
    plain = Assessor(unsure=[band])
    asked(chat("vile"), Bundle(BLOCK), plain)
    assert plain.got == []


class Faint(Inspector):
    async def inspect(self, windows: Any, detectors: Any, **_: Any) -> list[list[Finding]]:
        return [[Finding("fake", "KEY", w.own_start, w.own_end, 0.3, faint=True)] for w in windows]


def test_what_is_too_faint_to_act_on_may_make_unsure() -> None:
    far = Assessor(unsure=[Band(0.2, 0.8, detectors=frozenset({"fake"}))])
    rules = {"KEY": "block", **BLOCK}
    parts = {"inspector": Faint(model=True)}
    found, closed, _ = asked(chat("Hi"), Bundle(rules), far, parts=parts)
    assert found.status == 200
    assert far.texts[0] == "Hi"
    assert findings(closed["request"]) == {}


def test_a_policy_can_have_it_asked_always() -> None:
    bundle = Bundle(BLOCK)
    bundle.asking = Asking(frozenset({"far"}), 3)
    far = Assessor(unsure=[Band(0.2, 0.8)])
    found, _, _ = asked(chat("vile"), bundle, far)
    assert (found.status, far.deadlines) == (400, [3])


def test_an_unsure_assessor_makes_the_next_one_be_asked() -> None:
    cheap = Assessor("cheap", score=0.5)
    dear = Assessor("dear", tier=2, unsure=[Band(0.4, 0.6, frozenset({"cheap"}))])

    class Dear(Bundle):
        def enforcing(self, detectors: Any) -> tuple[str, ...]:
            return ("dear",) if "dear" in detectors else ()

        def decide(self, found: Any, subject: Any) -> Any:
            return super().decide([f for f in found if f.detector == "dear"], subject)

    found, _, _ = asked(chat("vile"), Dear(BLOCK), cheap, dear)
    assert (found.status, len(cheap.got), len(dear.got)) == (400, 1, 1)


# --- what leaves ----------------------------------------------------------------------------

REDACT = {**BLOCK, "EMAIL_ADDRESS": "redact"}


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (REDACT, "vile [EMAIL_ADDRESS]!"),
        ({**BLOCK, "EMAIL_ADDRESS": "flag"}, f"vile {MAIL}!"),
    ],
)
def test_it_gets_what_policy_lets_through(rules: dict[str, str], text: str) -> None:
    far = Assessor()
    _, closed, _ = asked(chat(f"vile {MAIL}!"), Bundle(rules), far)
    assert far.texts == [text]
    assert closed["request"]["consulted"][0]["got"] == "edited"


def test_a_pseudonym_is_the_one_that_the_model_gets() -> None:
    far = Assessor(word="nothing")
    _, _, backend = asked(chat(MAIL), Bundle({**BLOCK, "EMAIL_ADDRESS": "pseudonymise"}), far)
    (forwarded,) = json.loads(backend.bodies[0])["messages"]
    assert far.texts[0] == forwarded["content"] != MAIL


def test_one_of_the_house_gets_the_original() -> None:
    far = Assessor(where=HERE)
    _, closed, _ = asked(chat(f"vile {MAIL}!"), Bundle(REDACT), far)
    assert far.texts == [f"vile {MAIL}!"]
    (told,) = closed["request"]["consulted"]
    assert (told["got"], told["hosting"], told["backend"]) == ("original", "self_hosted", "gpu")


def test_rules_for_where_it_is_count_as_well() -> None:
    """A model of the house may have what one elsewhere that judges may not."""
    far = Assessor()
    bundle = Elsewhere(BLOCK, {"EMAIL_ADDRESS": "redact"})
    asked(chat(f"vile {MAIL}!"), bundle, far)
    assert far.texts == ["vile [EMAIL_ADDRESS]!"]


def test_what_may_not_go_there_does_not() -> None:
    far = Assessor()
    bundle = Elsewhere({**BLOCK, "EMAIL_ADDRESS": "flag"}, {"EMAIL_ADDRESS": "block"})
    found, closed, _ = asked(chat(f"vile {MAIL}!"), bundle, far)
    assert (found.status, far.got) == (400, [])
    assert closed["request"]["consulted"][0]["failed"] == {"withheld": 1}


def test_one_that_cannot_be_asked_has_failed() -> None:
    found, _, _ = asked(chat(), Bundle(BLOCK), Assessor(where=None))
    assert found.status == 400


def test_an_answer_comes_with_what_was_asked_as_it_may_leave() -> None:
    far = Assessor(word="nothing")
    asked(chat(f"Mail {MAIL}."), Bundle(REDACT), far)
    answer = far.got[-1]
    assert (answer.text, answer.before) == ("Something nice.", "Mail [EMAIL_ADDRESS].")
    near = Assessor(word="nothing", where=HERE)
    asked(chat(f"Mail {MAIL}."), Bundle(REDACT), near)
    assert near.got[-1].before == f"Mail {MAIL}."


def test_what_goes_only_to_who_judges_the_answer_is_looked_at_as_well() -> None:
    far = Assessor(word="nothing", directions=frozenset({Direction.RESPONSE}))
    asked(chat(f"Mail {MAIL}."), Elsewhere(BLOCK, {"EMAIL_ADDRESS": "redact"}), far)
    assert [s.before for s in far.got] == ["Mail [EMAIL_ADDRESS]."]


def test_what_was_asked_is_edited_by_the_rules_for_requests() -> None:
    class OneWay(Bundle):
        def bind(self, context: Any) -> Bundle:
            return Bundle(BLOCK) if context.direction is Direction.RESPONSE else self

    far = Assessor(word="nothing")
    asked(chat(f"Mail {MAIL}."), OneWay(REDACT), far)
    assert far.got[-1].before == "Mail [EMAIL_ADDRESS]."


@pytest.mark.parametrize("where", [HERE, THERE])
@pytest.mark.parametrize("text", [f"vile {MAIL}", f"{MAIL} vile", f"é😀 {MAIL} 😀 vile {MAIL}"])
def test_what_it_finds_is_changed_where_it_stood(where: Route, text: str) -> None:
    rules = {"HATE": "redact", "EMAIL_ADDRESS": "redact"}
    _, _, backend = asked(chat(text), Bundle(rules), Assessor(where=where))
    (forwarded,) = json.loads(backend.bodies[0])["messages"]
    assert forwarded["content"] == text.replace("vile", "[HATE]").replace(MAIL, "[EMAIL_ADDRESS]")


# --- the record -----------------------------------------------------------------------------


def test_its_calls_are_on_record_apart() -> None:
    _, closed, _ = asked(chat("vile"), Bundle(FLAG), Assessor(), backend=Backend(ANSWER))
    for side in ("request", "response"):
        (told,) = closed[side]["consulted"]
        assert told.pop("took_us") >= 0
        assert told == {
            "assessor": "far",
            "backend": "cloud",
            "model": "judge",
            "upstream_model": "judge-8b",
            "hosting": "hosted",
            "got": "edited",
            "texts": 1,
            "known": 0,
            "calls": 1,
            "prompt_tokens": 7,
            "completion_tokens": 2,
            "failed": {},
        }
    assert len(closed["attempts"]) == 1


def test_without_assessors_there_is_nothing_to_say() -> None:
    _, closed, _ = asked(chat("vile"), Bundle(FLAG))
    assert "consulted" not in closed["request"]


def test_no_record_no_call() -> None:
    far = Assessor()
    found, _ = _unrecorded(far)
    assert (found.status, far.got) == (503, [])


def _unrecorded(far: Assessor) -> tuple[Asked, House]:
    made = house(Backend(FINE), Bundle(BLOCK), sink=Sink(broken_from=0), panel=Panel([far]))
    return asyncio.run(ask_async(made, chat("vile"))), made


def test_no_call_before_the_opening_entry_is_durable() -> None:
    log: list[str] = []

    class Logged(Assessor):
        async def assess(self, *args: Any, **how: Any) -> Assessment:
            log.append("assess")
            return await super().assess(*args, **how)

    asked(chat("vile"), Bundle(BLOCK), Logged(), log=log)
    assert log[:2] == ["exchange.opened", "assess"]


@pytest.mark.parametrize("body", [chat("vile"), chat("vile", stream=True)])
def test_who_leaves_is_not_judged_for(body: bytes) -> None:
    far = Assessor(slow=True)
    made = house(Backend(FINE), Bundle(BLOCK), panel=Panel([far]))

    async def main() -> None:
        exchange = Exchange("id-1", WHO, CHAT.name, CHAT.paths[0], {}, Call(body))

        async def client() -> None:
            async with aclosing(run(exchange, CHAT, made)) as pieces:
                async for _ in pieces:
                    pass

        task = asyncio.ensure_future(client())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (len(far.got), far.left) == (1, 1)


def test_too_much_put_off_is_not_put_off_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.pipeline.later.MAX_WAITING", 0)
    far = Assessor()
    found, closed, _ = asked(chat("vile"), Bundle(FLAG), far)
    assert (found.status, far.got) == (200, [])
    assert findings(closed["request"]) == {DETECTOR_ERROR: 1}
