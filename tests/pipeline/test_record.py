"""One entry before the call, one after it, in every case; and nothing personal in either."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.core.calls import Call
from gateway.core.errors import RecordUnavailable
from gateway.core.exchange import Exchange
from gateway.core.ports import Entry
from gateway.pipeline.run import run
from tests.pipeline.fakes import (
    CHAT,
    SAMPLES,
    SSE,
    STREAMS,
    WHO,
    WHOLES,
    Backend,
    Bundle,
    Inspector,
    Sink,
    answered,
    ask,
    ask_async,
    chat,
    house,
)

BLOCK = {"KEY": "block", "EMAIL_ADDRESS": "redact"}
TEXT, TOOLS = STREAMS["openai_text"], STREAMS["openai_tools"]


def crash(*_: object) -> Any:
    raise ZeroDivisionError("alice.smith@example.com")


def exchange(body: bytes) -> Exchange:
    return Exchange("id-1", WHO, CHAT.name, CHAT.paths[0], {}, Call(body))


def pieces(data: bytes) -> list[bytes]:
    return [data[i : i + 50] for i in range(0, len(data), 50)]


# what happens -> backend, request body, other parts of the house, outcome, status
CASES: dict[str, tuple[Backend, bytes, dict[str, object], str, int]] = {
    "unary": (Backend(WHOLES["openai_text"]), chat(), {}, "blocked", 200),
    "stream": (Backend(*pieces(TOOLS), kind=SSE), chat(), {}, "blocked", 400),
    "clean": (Backend(b'{"choices":[]}'), chat(), {}, "completed", 200),
    "empty": (Backend(), chat(), {}, "completed", 200),
    "blocked request": (Backend(b"{}"), chat("key-0a1b2c3d"), {}, "blocked", 400),
    "unreadable": (Backend(b"{}"), b'{"model": "m"', {}, "refused", 400),
    "no model": (Backend(b"{}"), b'{"messages": []}', {}, "refused", 400),
    "unknown model": (Backend(b"{}"), chat(model="none"), {}, "refused", 404),
    "upstream error": (Backend(b"{}", status=500), chat(), {}, "upstream_error", 500),
    "no head": (Backend(fail="head"), chat(), {}, "upstream_error", 502),
    "cut whole": (Backend(b"{", fail="body"), chat(), {}, "upstream_error", 502),
    "cut stream": (Backend(TEXT[:500], kind=SSE, fail="body"), chat(), {}, "upstream_error", 200),
    "not text": (Backend(b"\xff\xfe"), chat(), {}, "upstream_error", 502),
    "bug in answer": (Backend(TEXT[:500], kind=SSE, fail="bug"), chat(), {}, "failed", 200),
    "bug in whole": (Backend(b"{", fail="bug"), chat(), {}, "failed", 500),
    "bug in bundle": (Backend(b"{}"), chat(), {"bundle": crash}, "failed", 500),
    "bug in route": (Backend(b"{}"), chat(), {"route": crash}, "failed", 500),
    "bug in vault": (Backend(b"{}"), chat(), {"vault": crash}, "failed", 500),
    "detector": (Backend(b"{}"), chat("@ "), {"inspector": Inspector(broken=True)}, "blocked", 400),
}


@pytest.mark.parametrize("case", CASES)
def test_every_exchange_has_one_entry_before_and_one_after(case: str) -> None:
    backend, body, parts, outcome, status = CASES[case]
    log: list[str] = []
    sink = Sink(log=log)
    backend.log = log
    asked = ask(house(backend, Bundle(BLOCK), sink=sink, **parts), body)
    assert sink.kinds == ["exchange.opened", "exchange.closed"]
    assert (sink.closed["outcome"], sink.closed["status"]) == (outcome, status)
    assert asked.status == status
    if backend.bodies:
        assert log.index("exchange.opened") < log.index("send")
        assert backend.closed == (backend.fail != "head")
    assert sink.closed["upstream_called"] == bool(backend.bodies)
    backend.bodies.clear()
    backend.closed = 0


@pytest.mark.parametrize("case", CASES)
def test_entries_hold_no_text_of_either_side(case: str) -> None:
    backend, body, parts, _, _ = CASES[case]
    sink = Sink()
    ask(house(backend, Bundle(BLOCK), sink=sink, **parts), body)
    told = json.dumps([e.core for e in sink.entries])
    assert "0a1b" not in told
    assert "alice" not in told
    backend.bodies.clear()
    backend.closed = 0


def test_a_senders_words_stay_out_of_the_record() -> None:
    canary = "zanzibar"
    image = {"type": "image_url", "image_url": {"url": f"data:image/{canary};base64,AAAA"}}
    body = chat(
        f"{canary} alice.smith@example.com",
        **{canary: f"data:{canary}/x;base64,AAAA", "user": canary, "tools": [{canary: canary}]},
    ).replace(
        b'"messages": [',
        b'"messages": [' + json.dumps({"role": "user", "content": [image]}).encode() + b", ",
    )
    for data, kind in SAMPLES.values():
        sink = Sink()
        backend = Backend(data.replace(b"alice", canary.encode()), kind=kind)
        ask(house(backend, Bundle({"EMAIL_ADDRESS": "redact", "OPAQUE": "flag"}), sink=sink), body)
        assert canary not in json.dumps([e.core for e in sink.entries])
        assert [o["media_type"] for o in sink.closed["request"]["opaque"]]


def test_the_record_tells_what_was_found_and_done() -> None:
    sink = Sink()
    backend = Backend(WHOLES["openai_text"].replace(b"key-", b"kex-"))
    asked = ask(house(backend, Bundle(BLOCK), sink=sink), chat("to bob@example.com"))
    request, response = sink.closed["request"], sink.closed["response"]
    assert request["findings"] == [
        {"detector": "fake", "category": "EMAIL_ADDRESS", "count": 1, "max_pm": 900}
    ]
    assert request["effects"] == [{"action": "redact", "rule": "test/r", "reason": "R", "count": 1}]
    assert (response["bytes"], sink.closed["usage"]) == (
        len(asked.body), {"input": 12, "output": 13},
    )  # fmt: skip


@pytest.mark.parametrize("size", [30, 10_000])
@pytest.mark.parametrize("rules", [{}, BLOCK])
def test_the_sealed_bytes_are_the_bytes_that_left(size: int, rules: dict[str, str]) -> None:
    for data, kind in SAMPLES.values():
        asked = answered(data, kind, Bundle(rules), *range(size, len(data), size))
        inner = hashlib.sha256(asked.body).digest()
        assert asked.exchange.response.digest == hashlib.sha256(inner).hexdigest()
        assert asked.exchange.response.bytes == len(asked.body)


def test_the_request_digest_is_of_the_bytes_that_went_upstream() -> None:
    backend = Backend(b"{}")
    asked = ask(house(backend, Bundle(BLOCK)), chat("to bob@example.com"))
    assert asked.exchange.request.digest == hashlib.sha256(backend.bodies[0]).hexdigest()


@pytest.mark.parametrize("text", ["Hello.", "key-0a1b2c3d"])
def test_no_record_no_call(text: str) -> None:
    backend, sink = Backend(b"{}"), Sink(broken_from=0)
    asked = ask(house(backend, Bundle(BLOCK), sink=sink), chat(text))
    assert (asked.status, asked.error["code"]) == (503, "record_unavailable")
    assert asked.headers["retry-after"] == "5"
    assert asked.headers["x-should-retry"] == "true"
    assert (backend.bodies, sink.entries) == ([], [])


def test_an_exchange_without_a_beginning_has_no_end() -> None:
    class BackSoon(Sink):
        failed = 0

        def append(self, entry: Entry) -> asyncio.Future[None]:
            self.failed += 1
            if self.failed == 1:
                raise RecordUnavailable("away")
            return super().append(entry)

    sink = BackSoon()
    assert ask(house(Backend(b"{}"), Bundle({}), sink=sink), chat()).status == 503
    assert sink.entries == []


def test_no_call_if_the_entry_cannot_be_made_durable() -> None:
    class Lost(Sink):
        def append(self, entry: Entry) -> asyncio.Future[None]:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.set_exception(RecordUnavailable("away"))
            return future

    backend = Backend(b"{}")
    asked = ask(house(backend, Bundle({}), sink=Lost()), chat())
    assert (asked.status, backend.bodies) == (503, [])


def test_an_answer_is_given_although_its_end_cannot_be_recorded() -> None:
    backend, sink = Backend(b'{"choices":[]}'), Sink(broken_from=1)
    house_ = house(backend, Bundle({}), sink=sink)
    asked = ask(house_, chat())
    assert (asked.status, backend.closed) == (200, 1)
    assert house_.counters.values == {"record_unavailable_total": 1}


def yields(make: Callable[[], Backend]) -> int:
    asked = ask(house(make(), Bundle({"EMAIL_ADDRESS": "redact"})), chat(stream=True))
    return 1 + len(asked.pieces)


@pytest.mark.parametrize("fail", ["", "hang", "body"])
def test_a_client_that_leaves_is_recorded_wherever_it_left(fail: str) -> None:
    def make(fail: str = fail) -> Backend:
        return Backend(*pieces(TEXT), kind=SSE, fail=fail)

    for leave_after in range(1, yields(lambda: make("")) - 1):
        backend, sink = make(), Sink()
        ask(house(backend, Bundle({"EMAIL_ADDRESS": "redact"}), sink=sink), chat(),
            leave_after=leave_after)  # fmt: skip
        assert sink.kinds == ["exchange.opened", "exchange.closed"]
        assert sink.closed["outcome"] == "disconnected"
        assert backend.closed == 1


def test_a_cancelled_exchange_is_recorded_wherever_it_stood() -> None:
    async def cancelled_after(ticks: int) -> tuple[Sink, Backend, bool]:
        sink, backend = Sink(), Backend(*pieces(TEXT), kind=SSE)
        task = asyncio.create_task(ask_async(house(backend, Bundle(BLOCK), sink=sink), chat()))
        for _ in range(ticks):
            await asyncio.sleep(0)
        done = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return sink, backend, done

    for ticks in range(1, 60, 3):
        sink, backend, done = asyncio.run(cancelled_after(ticks))
        assert sink.kinds == ["exchange.opened", "exchange.closed"]
        assert done or sink.closed["outcome"] == "disconnected"
        assert backend.closed == len(backend.bodies)


def test_a_hanging_upstream_is_left_when_the_client_leaves() -> None:
    async def main() -> tuple[Sink, Backend]:
        sink, backend = Sink(), Backend(fail="hang", kind=SSE)
        task = asyncio.create_task(ask_async(house(backend, Bundle({}), sink=sink), chat()))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return sink, backend

    sink, backend = asyncio.run(main())
    assert sink.closed["outcome"] == "disconnected"
    assert backend.closed == 1


def test_rules_are_asked_about_the_path_as_explain_does() -> None:
    asked = []

    class Asked(Bundle):
        def bind(self, context: Any) -> Any:
            asked.append(context.endpoint)
            return super().bind(context)

    ask(house(Backend(WHOLES["openai_text"]), Asked(BLOCK)), chat("hello"))
    assert asked == ["/v1/chat/completions"] * 2


@pytest.mark.parametrize("case", CASES)
def test_end_of_an_answer_is_told_when_its_closing_entry_is_durable(case: str) -> None:
    """Setting before_release. What comes before the end of a stream is not delayed by it."""
    backend, body, parts, outcome, _ = CASES[case]
    log: list[str] = []

    async def heard() -> None:
        made = house(backend, Bundle(BLOCK), sink=Sink(log=log), ends_recorded=True, **parts)
        async for piece in run(exchange(body), CHAT, made):
            note = "piece" if isinstance(piece, bytes) else "head"
            log.append(note)

    asyncio.run(heard())
    assert log[-1] == "piece" or outcome == "failed" or case == "empty"
    assert log.count("exchange.closed") == 1
    # One piece, or two that arrived together, stand behind it; the rest came at once.
    assert log[log.index("exchange.closed") :].count("piece") <= 2
    backend.bodies.clear()
    backend.closed = 0


def test_stream_is_held_back_only_at_its_end() -> None:
    log: list[str] = []

    async def heard() -> None:
        backend = Backend(*pieces(TEXT), kind=SSE)
        made = house(backend, Bundle({}), sink=Sink(log=log), ends_recorded=True)
        async for piece in run(exchange(chat(stream=True)), CHAT, made):
            last = isinstance(piece, bytes) and b"[DONE]" in piece
            log.append("[DONE]" if last else "piece")

    asyncio.run(heard())
    assert log.index("exchange.closed") < log.index("[DONE]")
    assert log[: log.index("exchange.closed")].count("piece") > 3


@pytest.mark.parametrize("streamed", [False, True])
def test_end_that_cannot_be_recorded_is_withheld(streamed: bool) -> None:
    """broken_from: the opening entry is written, the closing one is not."""
    backend = Backend(*pieces(TEXT), kind=SSE) if streamed else Backend(WHOLES["openai_text"])
    made = house(backend, Bundle({}), sink=Sink(broken_from=1), ends_recorded=True)
    asked = ask(made, chat(stream=streamed))
    if streamed:
        assert asked.exchange.cut_off
        assert b"[DONE]" not in asked.body
    else:
        assert asked.status == 503
        assert asked.error["code"] == "record_unavailable"
