"""Calls that fail: made again, made elsewhere, and each of them on the record."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.apis import Answer, Candidate
from gateway.core.calls import Call, Outgoing
from gateway.core.classes import Classes, Shown
from gateway.core.clearance import DataClass
from gateway.core.errors import CircuitOpen, Refused, UpstreamError, UpstreamTimeout
from gateway.core.exchange import Exchange
from gateway.core.judgement import Context, Refusal, Route
from gateway.core.ports import Chosen
from gateway.core.standing import Standing, Under
from gateway.pipeline.house import House
from gateway.pipeline.run import run
from tests.pipeline.fakes import (
    CHAT,
    SSE,
    STREAMS,
    WHO,
    WHOLES,
    Asked,
    Backend,
    Bundle,
    Clock,
    Sink,
    ask,
    ask_async,
    chat,
    house,
)

GOOD = WHOLES["openai_text"]
BROKEN, TOO_MANY = (503, {}), (429, {})
AWAY = UpstreamError("reset", unanswered=True)
LATE = UpstreamTimeout("no head")
OPEN = CircuitOpen("open", retry_after_s=9)
MAIL = "to bob@example.com"
LABELS = {"EMAIL_ADDRESS": "label"}

MAIL_IS_CONFIDENTIAL = Classes(shows={"EMAIL_ADDRESS": (Shown(0.5, DataClass.of("confidential")),)})

Step = int | tuple[int, dict[str, str]] | Exception


class Script(Backend):
    """Does one thing after the other; the last again and again."""

    def __init__(self, *steps: Step, name: str = "b") -> None:
        super().__init__(GOOD)
        self.steps, self.name = list(steps), name

    async def send(self, call: Outgoing) -> Answer:
        self.bodies.append(call.body)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        status, headers = step if isinstance(step, tuple) else (step, {})
        heads = {"content-type": "application/json", "x-ms-region": self.name, **headers}
        return Answer(status, heads, self._body(), self._close)


class Sleeps:
    """Waits that take no time, on a clock that knows of them."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def now_ms(self) -> int:
        return Clock().now_ms()

    def monotonic_ms(self) -> float:
        return 1000 * sum(self.waits)


def candidate(backend: Backend, name: str = "b", **more: Any) -> Candidate:
    return Candidate(Route(f"m-{name}", f"up-{name}", name, f"p-{name}"), backend, **more)


def made(*candidates: Candidate, bundle: Any = None, sleeps: Any = None, sink: Any = None) -> House:
    waits = sleeps or Sleeps()
    return house(
        candidates[0].backend,  # type: ignore[arg-type]
        bundle or Bundle(LABELS),
        route=lambda message, dialect, who: list(candidates),
        sleep=waits.sleep,
        clock=waits,
        chance=lambda: 0.0,
        sink=sink or Sink(),
    )


def attempts(asked: Asked) -> list[tuple[str, str, int, str, bool]]:
    return [
        (a.backend, a.model, a.status, a.error, bool(a.digest)) for a in asked.exchange.attempts
    ]


# (what the upstream does, retries allowed, status for the client, calls, waits)
ALONE: dict[str, tuple[Sequence[Step], int, int, int, list[float]]] = {
    "well": ([200], 1, 200, 1, []),
    "once away": ([AWAY, 200], 1, 200, 2, [0.5]),
    "once broken": ([BROKEN, 200], 1, 200, 2, [0.5]),
    "overloaded, soon back": ([(529, {"retry-after-ms": "40"}), 200], 1, 200, 2, [0.04]),
    "away for long": ([(503, {"retry-after": "60"}), 200], 1, 503, 1, []),
    "twice broken": ([BROKEN, BROKEN, 200], 1, 503, 2, [0.5]),
    "patient": ([BROKEN, AWAY, BROKEN, 200], 5, 200, 4, [0.5, 1.0, 2.0]),
    "never again": ([BROKEN, 200], 0, 503, 1, []),
    "its own no": ([(503, {"x-should-retry": "false"}), 200], 3, 503, 1, []),
    "too many": ([TOO_MANY, 200], 5, 429, 1, []),
    "a bad request": ([400, 200], 5, 400, 1, []),
    "late": ([LATE, 200], 5, 504, 1, []),
    "away for good": ([AWAY], 2, 502, 3, [0.5, 1.0]),
    "resting": ([OPEN], 5, 503, 1, []),
}


@pytest.mark.parametrize("case", ALONE)
def test_one_upstream_is_asked_again_only_if_that_may_help(case: str) -> None:
    steps, retries, status, calls, waits = ALONE[case]
    backend, sleeps = Script(*steps), Sleeps()
    asked = ask(made(candidate(backend, retries=retries), sleeps=sleeps), chat(MAIL))
    assert (asked.status, len(backend.bodies), sleeps.waits) == (status, calls, waits)
    assert len(set(backend.bodies)) == 1
    assert len(asked.exchange.attempts) == calls
    answered = sum(a.status > 0 for a in asked.exchange.attempts)
    assert backend.closed == answered


def test_every_call_is_on_the_record_with_the_body_that_was_sent() -> None:
    sink, backend = Sink(), Script(AWAY, BROKEN, 200)
    bundle = Bundle({"EMAIL_ADDRESS": "redact"})
    ask(made(candidate(backend, retries=2), bundle=bundle, sink=sink), chat(MAIL))
    digest = hashlib.sha256(backend.bodies[0]).hexdigest()
    common = {"backend": "b", "model": "m-b", "digest": digest, "rule": "", "took_us": 0}
    assert sink.closed["attempts"] == [
        {**common, "status": 0, "error": "upstream_unreachable"},
        {**common, "status": 503, "error": ""},
        {**common, "status": 200, "error": ""},
    ]
    assert sink.closed["request"]["digest"] == digest


def test_the_record_is_open_before_the_first_call() -> None:
    log: list[str] = []

    class Watched(Script):
        async def send(self, call: Outgoing) -> Answer:
            log.append("send")
            return await super().send(call)

    ask(made(candidate(Watched(AWAY, 200), retries=1), sink=Sink(log=log)), chat())
    assert log == ["exchange.opened", "send", "send", "exchange.closed"]


def test_retries_end_with_the_total_time() -> None:
    backend, sleeps = Script(BROKEN), Sleeps()
    asked = ask(made(candidate(backend, retries=5, total_s=4.0), sleeps=sleeps), chat())
    assert (asked.status, sleeps.waits) == (503, [0.5, 1.0, 2.0])


def test_a_retry_that_hangs_ends_with_the_total_time() -> None:
    class Hangs(Script):
        async def send(self, call: Outgoing) -> Answer:
            answer = await super().send(call)
            await asyncio.sleep(3600 if len(self.bodies) > 1 else 0)
            return answer

    asked = ask(made(candidate(Hangs(BROKEN), retries=1, total_s=0.51)), chat())
    assert (asked.status, asked.exchange.error) == (504, "upstream_timeout")


def test_a_client_that_repeats_itself_is_not_multiplied() -> None:
    async def main(count: str) -> int:
        backend = Script(BROKEN)
        headers = {"x-stainless-retry-count": count}
        exchange = Exchange("id", WHO, CHAT.name, CHAT.paths[0], headers, Call(chat()))
        async for _ in run(exchange, CHAT, made(candidate(backend, retries=3))):
            pass
        return len(backend.bodies)

    assert [asyncio.run(main(count)) for count in ("0", "1")] == [4, 1]


def test_nothing_is_asked_again_once_a_byte_was_given_on() -> None:
    cut = Backend(STREAMS["openai_text"][:700], kind=SSE, fail="body")
    spare = Backend(GOOD)
    asked = ask(made(candidate(cut, retries=5), candidate(spare, "c")), chat(stream=True))
    assert (asked.status, len(cut.bodies), spare.bodies) == (200, 1, [])
    assert asked.exchange.outcome == "upstream_error"


# (what the first one does, what the others do, who answered, status for the client)
ELSEWHERE: dict[str, tuple[Step, list[Step], str, int]] = {
    "not needed": (200, [200], "b", 200),
    "a bad request": (400, [200], "b", 400),
    "away": (AWAY, [200], "c", 200),
    "late": (LATE, [200], "c", 200),
    "resting": (OPEN, [200], "c", 200),
    "too many": (TOO_MANY, [200], "c", 200),
    "broken": (500, [200], "c", 200),
    "the second is away": (BROKEN, [AWAY, 200], "d", 200),
    "the second does not understand": (BROKEN, [400, 200], "d", 200),
    "all broken": ((503, {"retry-after": "60"}), [500, 529], "b", 503),
    "all away": (LATE, [AWAY, OPEN], "", 504),
    "none": (TOO_MANY, [], "b", 429),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_the_first_that_can_answers(case: str) -> None:
    first, others, who, status = ELSEWHERE[case]
    names = ["b", "c", "d"]
    backends = [Script(step, name=n) for n, step in zip(names, [first, *others], strict=False)]
    sink = Sink()
    house_ = made(*(candidate(b, n) for n, b in zip(names, backends, strict=False)), sink=sink)
    asked = ask(house_, chat())
    assert (asked.status, asked.headers.get("x-ms-region", "")) == (status, who)
    route = asked.exchange.route
    assert route
    assert (route.model, sink.closed["backend"]) == (f"m-{who or 'b'}", who or "b")
    for backend in backends:
        answered = [a for a in asked.exchange.attempts if a.backend == backend.name and a.status]
        assert backend.closed == len(answered)
    assert sink.entries[0].model == "m-b"


def test_a_client_is_told_how_long_a_resting_upstream_rests() -> None:
    asked = ask(made(candidate(Script(OPEN))), chat())
    assert (asked.status, asked.error["code"]) == (503, "upstream_unavailable")
    assert (asked.headers["retry-after"], asked.headers["x-should-retry"]) == ("9", "true")
    assert attempts(asked) == [("b", "m-b", 0, "upstream_unavailable", False)]
    assert not asked.exchange.upstream_called


class ByBackend(Bundle):
    """Other rules for each backend."""

    def __init__(self, **rules: dict[str, str]) -> None:
        super().__init__({})
        self.by = rules

    def bind(self, context: object) -> Bundle:
        assert isinstance(context, Context)
        return Bundle(self.by[context.route.backend])


def test_each_upstream_gets_the_request_as_policy_lets_it_have_it() -> None:
    bundle = ByBackend(b={"EMAIL_ADDRESS": "redact"}, c={"EMAIL_ADDRESS": "flag"}, d={})
    first, second, third = Script(BROKEN), Script(BROKEN), Script(200)
    sink = Sink()
    candidates = candidate(first), candidate(second, "c"), candidate(third, "d")
    ask(made(*candidates, bundle=bundle, sink=sink), chat(MAIL))
    texts = [json.loads(b.bodies[0])["messages"][0]["content"] for b in (first, second, third)]
    assert texts == ["to [EMAIL_ADDRESS]", MAIL, MAIL]
    assert [json.loads(b.bodies[0])["model"] for b in (first, third)] == ["up-b", "up-d"]
    assert sink.closed["request"]["findings"] == []
    assert sink.closed["request"]["digest"] == hashlib.sha256(third.bodies[0]).hexdigest()
    digests = [a["digest"] for a in sink.closed["attempts"]]
    assert digests == [hashlib.sha256(b.bodies[0]).hexdigest() for b in (first, second, third)]


def test_an_upstream_that_policy_forbids_is_passed_over_on_record() -> None:
    bundle = ByBackend(b={}, c={"EMAIL_ADDRESS": "block"}, d={})
    first, second, third = Script(BROKEN), Script(200), Script(200, name="d")
    candidates = candidate(first), candidate(second, "c"), candidate(third, "d")
    asked = ask(made(*candidates, bundle=bundle), chat(MAIL))
    assert (asked.headers["x-ms-region"], second.bodies) == ("d", [])
    assert attempts(asked)[1] == ("c", "m-c", 0, "policy_violation", False)
    assert asked.exchange.attempts[1].rule == "test/r"
    assert asked.exchange.outcome == "completed"


def test_if_policy_forbids_all_others_the_first_failure_stands() -> None:
    bundle = ByBackend(b={"EMAIL_ADDRESS": "redact"}, c={"EMAIL_ADDRESS": "block"})
    first, second, sink = Script(BROKEN), Script(200), Sink()
    asked = ask(
        made(candidate(first), candidate(second, "c"), bundle=bundle, sink=sink), chat(MAIL)
    )
    assert (asked.status, second.bodies) == (503, [])
    assert (sink.closed["outcome"], sink.closed["backend"]) == ("upstream_error", "b")
    assert "refusal" not in sink.closed
    assert sink.closed["request"]["effects"][0]["action"] == "redact"


def test_the_record_of_the_first_failure_is_all_of_the_first() -> None:
    bundle = ByBackend(b={"EMAIL_ADDRESS": "redact"}, c={})
    first, second, sink = Script(BROKEN), Script(BROKEN), Sink()
    at = replace(
        made(candidate(first), candidate(second, "c"), bundle=bundle, sink=sink),
        terms=lambda who, route, made_of: Standing((Under(f"terms-of-{route.backend}", "1"),)),
        classes=lambda: MAIL_IS_CONFIDENTIAL,
    )
    ask(at, chat(MAIL))
    assert [a["backend"] for a in sink.closed["attempts"]] == ["b", "c"]
    assert sink.closed["backend"] == "b"
    assert [each["profile"] for each in sink.closed["terms"]] == ["terms-of-b"]
    assert sink.closed["data_class"]["sent"] == ["public"]
    assert sink.closed["data_class"]["shown"] == ["confidential"]


def test_a_request_that_policy_blocks_is_taken_nowhere_else() -> None:
    bundle = ByBackend(b={"EMAIL_ADDRESS": "block"}, c={})
    first, second = Script(200), Script(200)
    asked = ask(made(candidate(first), candidate(second, "c"), bundle=bundle), chat(MAIL))
    assert (asked.status, first.bodies, second.bodies) == (400, [], [])
    assert asked.exchange.attempts == []


def test_an_answer_is_judged_for_the_upstream_that_gave_it() -> None:
    bundle = ByBackend(b={}, c={"EMAIL_ADDRESS": "redact", "KEY": "redact"})
    asked = ask(made(candidate(Script(BROKEN)), candidate(Script(200), "c"), bundle=bundle), chat())
    assert b"[EMAIL_ADDRESS]" in asked.body


def test_placeholders_come_back_in_a_fallbacks_answer() -> None:
    class Echo(Script):
        async def send(self, call: Outgoing) -> Answer:
            text = json.loads(call.body)["messages"][0]["content"]
            message = {"role": "assistant", "content": text}
            self.pieces = (json.dumps({"choices": [{"message": message}]}).encode(),)
            return await super().send(call)

    bundle = Bundle({"EMAIL_ADDRESS": "pseudonymise"})
    asked = ask(
        made(candidate(Script(BROKEN)), candidate(Echo(200), "c"), bundle=bundle), chat(MAIL)
    )
    assert json.loads(asked.body)["choices"][0]["message"]["content"] == MAIL
    assert asked.exchange.restored == 1


@pytest.mark.parametrize("where", ["the wait", "the call"])
def test_a_client_that_leaves_meanwhile_ends_it_at_once(where: str) -> None:
    class Endless(Sleeps):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(3600)

    class Hangs(Script):
        async def send(self, call: Outgoing) -> Answer:
            await asyncio.sleep(3600)
            raise AssertionError

    async def main() -> tuple[Sink, Script]:
        sink, first = Sink(), Script(BROKEN)
        house_ = made(
            candidate(first, retries=int(where == "the wait")),
            candidate(Hangs(200), "c"),
            sleeps=Endless(),
            sink=sink,
        )
        task = asyncio.create_task(ask_async(house_, chat()))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return sink, first

    sink, first = asyncio.run(main())
    assert (sink.closed["outcome"], first.closed) == ("disconnected", 1)
    told = [(a["backend"], a["status"], a["error"]) for a in sink.closed["attempts"]]
    later = [("c", 0, "disconnected")] if where == "the call" else []
    assert told == [("b", 503, ""), *later]


UNABLE = Refused(Refusal("untranslatable", "Not there.", 400))


def test_a_backend_that_cannot_ask_this_is_not_called() -> None:
    asked = ask(made(candidate(Script(UNABLE))), chat())
    assert (asked.status, asked.error["code"]) == (400, "untranslatable")
    assert attempts(asked) == [("b", "m-b", 0, "untranslatable", False)]
    assert not asked.exchange.upstream_called


def test_another_that_cannot_ask_this_is_passed_over() -> None:
    others = candidate(Script(UNABLE), "c"), candidate(Script(200, name="d"), "d")
    asked = ask(made(candidate(Script(TOO_MANY)), *others), chat())
    assert (asked.status, asked.headers["x-ms-region"]) == (200, "d")


def test_a_bug_in_a_backend_is_on_the_record_and_leads_nowhere_else() -> None:
    spare = Script(200)
    asked = ask(made(candidate(Script(KeyError("alice"))), candidate(spare, "c")), chat())
    assert (asked.status, spare.bodies) == (500, [])
    assert attempts(asked) == [("b", "m-b", 0, "KeyError", True)]


def test_repeated_and_moved_calls_are_counted_by_backend() -> None:
    house_ = made(candidate(Script(BROKEN), retries=2), candidate(Script(200), "c"))
    ask(house_, chat())
    assert house_.counters.values == {
        'upstream_retries_total{backend="b"}': 2,
        'fallbacks_total{backend="c"}': 1,
    }


def test_a_reload_never_splits_an_exchange() -> None:
    bundles = [Bundle({"EMAIL_ADDRESS": "redact"}), Bundle({})]
    second = Script(200)
    house_ = made(candidate(Script(BROKEN)), candidate(second, "c"))
    ask(replace(house_, bundle=lambda who, parts: Chosen(bundles.pop(0))), chat(MAIL))
    assert b"[EMAIL_ADDRESS]" in second.bodies[0]
    assert len(bundles) == 1
