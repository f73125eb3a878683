"""Every answer's cost is on record, by the price of the model that gave it, or not at all."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.apis import Candidate
from gateway.core.judgement import Route
from gateway.core.prices import Price
from gateway.pipeline.assessing import Panel
from tests.dialects.samples import Sample, answers
from tests.pipeline.fakes import (
    SSE,
    STREAMS,
    WHOLES,
    Backend,
    Bundle,
    Shelf,
    Sink,
    ask,
    ask_async,
    chat,
    house,
)
from tests.pipeline.talking import SocketBackend, response, talk
from tests.pipeline.test_assessing import FINE, HERE, THERE, Assessor

GOOD = WHOLES["openai_text"]
TOLD = {"input": 12, "output": 13}
DEAR = Price("EUR", {"input": 3_000_000, "output": 15_000_000})
CHEAP = Price("USD", {"input": 100_000, "output": 200_000}, "2025-01-01", 1_735_689_600_000)
LATER = Price("EUR", {"input": 1, "output": 1}, "2099-01-01", 4_070_908_800_000)
OPEN = Bundle({})


def place(name: str, *prices: Price) -> Route:
    return Route(f"m-{name}", f"up-{name}", name, "p", prices=prices)


def closed(*candidates: Candidate, body: bytes = b"", bundle: Bundle = OPEN) -> dict[str, Any]:
    sink = Sink()
    made = house(
        candidates[0].backend,  # type: ignore[arg-type]
        bundle,
        route=lambda message, dialect, who: list(candidates),
        sink=sink,
    )
    ask(made, body or chat())
    return sink.closed


def test_the_cost_of_an_answer_is_on_record_with_its_price() -> None:
    told = closed(Candidate(place("a", CHEAP), Backend(GOOD)))
    assert told["usage"] == TOLD
    assert told["cost"] == {
        "currency": "USD",
        "nanos": 12 * 100 + 13 * 200,
        "since": "2025-01-01",
        "parts": [
            {"charge": "input", "tokens": 12, "rate": 100_000},
            {"charge": "output", "tokens": 13, "rate": 200_000},
        ],
    }


def test_the_price_is_that_of_the_model_that_answered() -> None:
    asked, instead = place("asked", DEAR), place("instead", CHEAP)
    told = closed(Candidate(asked, Backend(b"{}", status=503)), Candidate(instead, Backend(GOOD)))
    assert (told["asked_model"], told["cost"]["currency"]) == ("m-asked", "USD")
    unknown = closed(
        Candidate(asked, Backend(b"{}", status=503)), Candidate(place("x"), Backend(GOOD))
    )
    assert "cost" not in unknown


@pytest.mark.parametrize("prices", [(), (LATER,)])
def test_without_a_price_in_force_there_is_no_cost(prices: tuple[Price, ...]) -> None:
    told = closed(Candidate(place("a", *prices), Backend(GOOD)))
    assert told["usage"] == TOLD
    assert "cost" not in told


def test_without_tokens_there_is_no_cost() -> None:
    free = Price("EUR", {"input": 0, "output": 0})
    for answer in (b'{"choices": []}', b"{}"):
        assert "cost" not in closed(Candidate(place("a", free), Backend(answer)))
    told = closed(Candidate(place("a", free), Backend(GOOD)))
    assert told["cost"]["nanos"] == 0


def test_an_answer_that_policy_withholds_has_cost_all_the_same() -> None:
    told = closed(Candidate(place("a", CHEAP), Backend(GOOD)), bundle=Bundle({"KEY": "block"}))
    assert told["outcome"] == "blocked"
    assert told["cost"]["nanos"] == 12 * 100 + 13 * 200
    assert "at_least" not in told["cost"]


def test_a_request_that_never_leaves_costs_nothing() -> None:
    told = closed(
        Candidate(place("a", CHEAP), Backend(GOOD)),
        body=chat("key-0a1b2c3d"),
        bundle=Bundle({"KEY": "block"}),
    )
    assert "cost" not in told


def streamed(name: str, *, cut: str = "", leave_after: int | None = None) -> dict[str, Any]:
    """What is recorded of a sample's stream that ends, or falls silent before it says `cut`."""
    sample = next(each for each in answers() if str(each) == name)
    at = sample.answer.index(cut.encode()) if cut else len(sample.answer)
    backend = Backend(sample.answer[:at], kind=sample.content_type, fail="hang" if cut else "")
    sink = Sink()
    made = house(
        backend,
        OPEN,
        route=lambda *_: [Candidate(place("a", DEAR), backend)],
        sink=sink,
        shelf=Shelf(own="m"),
    )
    ask(made, sample.call, dialect=sample.dialect, leave_after=leave_after)
    return sink.closed


# a stream, what it tells at its end, its cost
STREAMED = [
    ("openai_chat/openai_text.sse", {"input": 12, "output": 13}, 12 * 3_000 + 13 * 15_000),
    (
        "anthropic_messages/search.sse",
        {"input": 900, "output": 61, "cached": 40},
        940 * 3_000 + 61 * 15_000,
    ),
    (
        "gemini_stream/events.sse",
        {"input": 12, "output": 9, "reasoning": 3},
        12 * 3_000 + 12 * 15_000,
    ),
]


@pytest.mark.parametrize(("name", "usage", "nanos"), STREAMED)
def test_a_stream_costs_what_it_tells_at_its_end(
    name: str, usage: dict[str, int], nanos: int
) -> None:
    told = streamed(name)
    assert {key: told["usage"][key] for key in usage} == usage
    assert told["cost"]["nanos"] == nanos
    assert "at_least" not in told["cost"]


def test_a_stream_that_is_cut_off_has_cost_at_least_what_it_told() -> None:
    told = streamed("anthropic_messages/search.sse", cut="event: message_stop", leave_after=2)
    assert told["outcome"] == "disconnected"
    assert told["cost"]["at_least"] is True
    never = streamed("openai_chat/openai_text.sse", cut='"usage":{"prompt', leave_after=2)
    assert (never["outcome"], never["usage"]) == ("disconnected", {})
    assert "cost" not in never


TOKENS = re.compile(rb'data: [^\n]*"choices": ?\[\],[^\n]*"usage": ?\{[^\n]*\n\n')
COUNTED = [
    "openai_chat/openai_text.sse",
    "openai_completions/openai_text.sse",
    "azure_chat/text.sse",
]


def unasked(name: str, *, counts: bool, **more: Any) -> tuple[bytes, bytes, dict[str, Any], Sample]:
    """What the upstream gets, what the client gets and what is recorded, of a stream."""
    sample = next(each for each in answers() if str(each) == name)
    if sample.dialect.wire == "openai_chat":
        sample = replace(sample, answer=STREAMS["openai_text"])
    body = json.loads(sample.call.body) | {"stream": True}
    body.pop("stream_options", None)
    route = replace(place("a", DEAR), counts=counts)
    sink, backend = Sink(), Backend(sample.answer, kind=sample.content_type)
    made = house(backend, OPEN, route=lambda *_: [Candidate(route, backend)], sink=sink)
    call = replace(sample.call, body=json.dumps(body | more).encode())
    asked = ask(made, call, dialect=sample.dialect)
    return backend.bodies[0], asked.body, sink.closed, sample


@pytest.mark.parametrize("name", COUNTED)
def test_a_stream_is_asked_for_tokens_that_its_client_is_not_told(name: str) -> None:
    sent, got, told, sample = unasked(name, counts=True)
    assert json.loads(sent)["stream_options"] == {"include_usage": True}
    assert len(TOKENS.findall(sample.answer)) == 1
    assert got == TOKENS.sub(b"", sample.answer)
    assert told["cost"]["nanos"] > 0
    assert "at_least" not in told["cost"]


# whether streams are counted there, what the client says of it
LEFT_ALONE: list[tuple[bool, dict[str, Any]]] = [
    (False, {}),
    (True, {"stream_options": {"include_usage": True}}),
    (True, {"stream_options": {"include_usage": False}}),
]


@pytest.mark.parametrize(("counts", "more"), LEFT_ALONE)
@pytest.mark.parametrize("name", COUNTED)
def test_other_streams_are_left_as_they_are(name: str, counts: bool, more: dict[str, Any]) -> None:
    sent, got, _, sample = unasked(name, counts=counts, **more)
    assert json.loads(sent).get("stream_options") == more.get("stream_options")
    assert got == sample.answer


def test_only_streams_are_asked_for_their_tokens() -> None:
    sent, _, told, _ = unasked("openai_chat/openai_text.json", counts=True, stream=False)
    assert "stream_options" not in json.loads(sent)
    assert told["usage"] == TOLD


@pytest.mark.parametrize("size", [1, 7, 64])
def test_tokens_are_kept_back_however_a_stream_arrives(size: int) -> None:
    data = STREAMS["openai_text"]
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    backend, sink = Backend(*pieces, kind=SSE), Sink()
    route = replace(place("a", DEAR), counts=True)
    made = house(backend, OPEN, route=lambda *_: [Candidate(route, backend)], sink=sink)
    asked = ask(made, chat(stream=True))
    assert asked.body == TOKENS.sub(b"", data)
    assert sink.closed["usage"] == TOLD | {"cached": 4, "reasoning": 2}


def test_reading_an_answer_again_costs_nothing() -> None:
    told = streamed("openai_responses_stored/stream.sse")
    assert told["outcome"] == "completed"
    assert told["usage"] == {}
    assert "cost" not in told


def test_all_turns_of_a_session_are_one_cost() -> None:
    sink = Sink()
    backend = SocketBackend(*response("One."), *response("Two.", number=2))
    talk(backend, OPEN, sink=sink, route=lambda *_: [Candidate(place("a", DEAR), backend)])
    assert sink.closed["cost"]["nanos"] == 4 * 3_000 + 6 * 15_000


def judged(route: Route) -> dict[str, Any]:
    sink = Sink()
    panel = Panel([Assessor(where=route)])
    made = house(Backend(FINE), Bundle({"HATE": "flag"}), sink=sink, panel=panel)

    async def main() -> None:
        await ask_async(made, chat())
        await made.later.aclose()

    asyncio.run(main())
    return sink.closed


def test_what_judging_cost_stands_apart() -> None:
    told = judged(replace(THERE, prices=(DEAR,)))
    (consulted,) = told["request"]["consulted"]
    assert (consulted["prompt_tokens"], consulted["completion_tokens"]) == (7, 2)
    assert (consulted["cost"]["currency"], consulted["cost"]["nanos"]) == ("EUR", 51_000)
    assert "cost" not in told
    assert "cost" not in judged(HERE)["request"]["consulted"][0]
