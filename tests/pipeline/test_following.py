"""What shows only in a text as a whole: the same in a stream, however it is cut, as at once."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

from gateway.actions._vault import KeyedVault
from gateway.core.exchange import Outcome, Side
from gateway.core.judgement import StreamMode, Subject
from gateway.core.message import Kind
from gateway.core.ports import Surroundings
from gateway.detectors._verbatim.following import Following
from gateway.detectors._verbatim.works import Works, fingerprint
from gateway.pipeline import passage as passages
from gateway.pipeline.guard import Guard
from gateway.pipeline.passage import Passage
from tests.detectors.verbatim.texts import Author
from tests.pipeline.fakes import (
    ACTIONS,
    SSE,
    Asked,
    Backend,
    Bundle,
    Inspector,
    Sink,
    ask,
    chat,
    heard,
    house,
)

KEY = b"k" * 32
AUTHOR = Author(11)
NOVEL = AUTHOR.work(900)
PROMPT = " ".join(AUTHOR.work(120))
WORKS = Works([("novel", fingerprint(" ".join(NOVEL), KEY))], KEY)
FOLLOWING = Following(lambda: WORKS)
BEFORE, AFTER = " ".join(AUTHOR.work(80)), " ".join(AUTHOR.work(80))
TAKEN = " ".join(NOVEL[300:420])
ANSWER = f"{BEFORE} {TAKEN} {AFTER}"


def stream(text: str, sizes: Iterable[int]) -> bytes:
    """The text as a stream of chunks with so many characters each."""
    out, at = [], 0
    for size in sizes:
        out.append({"index": 0, "delta": {"content": text[at : at + size]}})
        at += size
    out.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    events = [json.dumps({"id": "c", "choices": [choice]}) for choice in out]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()


def whole(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "c", "choices": [choice]}, ensure_ascii=False).encode()


def cuts(text: str) -> list[list[int]]:
    """Sizes of chunks: even ones, and some at random."""
    rng = random.Random(1)
    even = [[size] * -(-len(text) // size) for size in (3, 7, 40, 1_000, len(text))]
    odd = []
    for _ in range(6):
        ends = sorted({*rng.sample(range(1, len(text)), 30), len(text)})
        odd.append([b - a for a, b in zip([0, *ends], ends, strict=False)])
    return [*even, *odd]


def asked(
    answer: bytes, rules: dict[str, str], *, mode: StreamMode = StreamMode.WINDOW, **parts: object
) -> Asked:
    kind = SSE if answer.startswith(b"data:") else "application/json"
    backend = Backend(*(answer[i : i + 1_000] for i in range(0, len(answer), 1_000)), kind=kind)
    body = chat(
        stream=kind == SSE,
        messages=[{"role": "system", "content": PROMPT}, {"role": "user", "content": "Go on."}],
    )
    values: dict[str, object] = {"following": FOLLOWING, **parts}
    return ask(house(backend, Bundle(rules, mode), **values), body)


def learned(seen: Asked) -> tuple[Any, ...]:
    side = seen.exchange.response
    return side.findings, side.top_score, side.notes, side.effects, seen.exchange.outcome


def text_of(seen: Asked) -> str:
    if seen.body.startswith(b"data:"):
        return heard(seen.body)["0/content"]
    if "error" in json.loads(seen.body):
        return ""
    content: str = json.loads(seen.body)["choices"][0]["message"]["content"]
    return content


@pytest.mark.parametrize("answer", [ANSWER, f"{PROMPT}\n{AFTER}", f"{BEFORE}\n\n{PROMPT}\n{TAKEN}"])
def test_findings_do_not_depend_on_how_it_arrived(answer: str) -> None:
    rules = {"PROTECTED_TEXT": "flag", "SYSTEM_PROMPT_LEAK": "flag"}
    at_once = asked(whole(answer), rules)
    assert at_once.exchange.response.findings
    assert text_of(at_once) == answer
    for sizes in cuts(answer):
        streamed = asked(stream(answer, sizes), rules)
        assert learned(streamed) == learned(at_once)
        assert text_of(streamed) == answer


def test_what_is_redacted_does_not_depend_on_how_it_arrived() -> None:
    rules = {"PROTECTED_TEXT": "redact"}
    left = text_of(asked(whole(ANSWER), rules))
    assert left.startswith(BEFORE)
    assert AFTER[60:] in left
    assert "[PROTECTED_TEXT]" in left
    # What left before it was known to be a run of the work is the price of not waiting.
    assert len(left.removeprefix(BEFORE).split("[PROTECTED_TEXT]")[0]) < 400
    for sizes in cuts(ANSWER):
        assert text_of(asked(stream(ANSWER, sizes), rules)) == left


def test_held_answers_lose_the_whole_run() -> None:
    rules = {"PROTECTED_TEXT": "redact"}
    for answer in (whole(ANSWER), *(stream(ANSWER, sizes) for sizes in cuts(ANSWER)[:4])):
        left = text_of(asked(answer, rules, mode=StreamMode.HOLD))
        assert not any(" ".join(NOVEL[at : at + 8]) in left for at in range(300, 412))
        assert left.startswith(BEFORE[: len(BEFORE) - 40])


@pytest.mark.parametrize("category", ["PROTECTED_TEXT", "SYSTEM_PROMPT_LEAK"])
def test_a_block_stops_the_answer_before_most_of_it_has_left(category: str) -> None:
    answer = f"{BEFORE}\n{TAKEN if category == 'PROTECTED_TEXT' else PROMPT}\n{AFTER}"
    assert asked(whole(answer), {category: "block"}).exchange.outcome is Outcome.BLOCKED
    for sizes in cuts(answer):
        streamed = asked(stream(answer, sizes), {category: "block"})
        assert streamed.exchange.outcome is Outcome.BLOCKED
        assert AFTER[:200] not in text_of(streamed)
        assert len(text_of(streamed)) < len(BEFORE) + 500
    for sizes in cuts(answer)[:4]:
        held = asked(stream(answer, sizes), {category: "block"}, mode=StreamMode.HOLD)
        assert b"content" not in held.body.replace(b"content_filter", b"")


def test_the_record_names_the_work_and_no_text() -> None:
    sink = Sink()
    asked(
        whole(f"{ANSWER} {PROMPT}"),
        {"PROTECTED_TEXT": "flag", "SYSTEM_PROMPT_LEAK": "flag"},
        sink=sink,
    )
    leak, work = sink.closed["response"]["findings"]
    assert (work["detector"], work["category"], work["notes"]) == (
        "works",
        "PROTECTED_TEXT",
        ["novel"],
    )
    assert (leak["detector"], leak["category"]) == ("leak", "SYSTEM_PROMPT_LEAK")
    assert "notes" not in leak
    said = json.dumps([entry.core for entry in sink.entries])
    assert not any(word in said for word in {*PROMPT.split(), *TAKEN.split()} if len(word) > 6)


def test_requests_are_followed_if_a_policy_asks() -> None:
    backend = Backend(whole("Fine."))
    seen = ask(
        house(backend, Bundle({"PROTECTED_TEXT": "block"}), following=FOLLOWING), chat(TAKEN)
    )
    assert seen.exchange.outcome is Outcome.BLOCKED
    assert backend.bodies == []


def test_nothing_is_held_back_where_nothing_can_be_found() -> None:
    """As for a model's segments, but only if there is a work or a prompt to look for."""

    def first(following: Following) -> int:
        data = stream(BEFORE, [10] * 80)
        backend = Backend(*data.split(b"\n\n")[:4], kind=SSE, fail="body")
        backend.pieces = tuple(piece + b"\n\n" for piece in backend.pieces)
        bundle = Bundle({"PROTECTED_TEXT": "block"})
        return len(
            heard(ask(house(backend, bundle, following=following), chat(stream=True)).body)[
                "0/content"
            ]
        )

    assert first(Following(lambda: Works((), KEY))) > 0


def test_a_text_that_goes_on_after_its_end_is_followed_as_one() -> None:
    def passage() -> Passage:
        follow = FOLLOWING.open({"works"}, ())
        assert follow is not None
        made = Passage(Subject("assistant", Kind.TEXT))
        made.follower = follow(made.subject)
        return made

    one, two = passage(), passage()
    one.append(TAKEN)
    one.close()
    expected = list(one.follow())
    two.append(TAKEN[:333])
    two.close()
    assert list(two.follow())
    two.reopen()
    two.append(TAKEN[333:])
    two.close()
    found = {f for _, findings in two.follow() for f in findings}
    assert found <= {f for _, findings in expected for f in findings}
    assert max(f.end for f in found) == max(f.end for _, fs in expected for f in fs)


def test_a_long_text_lets_others_in_between() -> None:
    async def turns(times: int) -> int:
        count = 0

        async def tick() -> None:
            nonlocal count
            while True:
                await asyncio.sleep(0)
                count += 1

        vault = KeyedVault(KEY, Surroundings())
        bundle = Bundle({"PROTECTED_TEXT": "flag"})
        guard = Guard(bundle, Inspector(), ACTIONS, vault, Side(), following=FOLLOWING)
        passage = passages.whole(" ".join(NOVEL * times), Subject("assistant", Kind.TEXT))
        ticking = asyncio.create_task(tick())
        await guard.advance([passage])
        ticking.cancel()
        return count

    assert asyncio.run(turns(1)) == 0
    assert asyncio.run(turns(16)) >= 4
