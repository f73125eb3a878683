"""Ollama's own dialects: what of them is judged, and how their streams end."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import ollama
import pytest

from gateway.core.calls import Call
from tests.dialects.samples import ALL
from tests.dialects.walk import answered, heard, strings
from tests.pipeline.fakes import WIRE, Asked, Backend, Bundle, ask, house

LINES = "application/x-ndjson"
ID = "an identifier made by the API"
WORD = "one of the API's own words"
LOGPROBS = "dropped when the text beside it is changed"
REQUEST = {
    "/model": "looked up in the catalogue",
    "/keep_alive": "a duration",
    "/options/key": "settings of the sampler",
}
ASKED = REQUEST | {"/think": WORD}
COUNTED = {
    "/model": "the name of the model that answered",
    "/created_at": "a time",
    "/done_reason": WORD,
}
ANSWER = COUNTED | {
    "/logprobs/0/token": LOGPROBS,
    "/logprobs/0/top_logprobs/0/token": LOGPROBS,
}


@dataclass(frozen=True)
class Side:
    """One type of the client. plain: places of it that are not judged, and why."""

    dialect: str
    kind: Any
    plain: dict[str, str]
    base: dict[str, Any] = field(default_factory=dict)
    media: str = "application/json"

    def __str__(self) -> str:
        return self.kind.__name__


STRICT = Bundle({"EMAIL_ADDRESS": "block"})
NOTICE = Bundle({"ANSWER": "label"}, notice="Written by a machine.")
HEAD = {"model": "m:3b", "created_at": "2026-03-04T05:06:07Z"}
CHATTED = ASKED | {"/messages/0/role": WORD, "/tools/0/type": WORD}
REQUESTS = [
    Side("ollama_chat", ollama._types.ChatRequest, CHATTED, {"messages": []}),
    Side("ollama_generate", ollama._types.GenerateRequest, ASKED),
    Side("ollama_embed", ollama._types.EmbedRequest, REQUEST, {"input": "x"}),
    Side("ollama_embeddings", ollama._types.EmbeddingsRequest, REQUEST, {"prompt": "x"}),
]
ANSWERS = [
    Side("ollama_chat", ollama.ChatResponse, ANSWER | {"/message/role": WORD}),
    Side("ollama_chat", ollama.ChatResponse, ANSWER | {"/message/role": WORD}, media=LINES),
    Side("ollama_generate", ollama.GenerateResponse, ANSWER),
    Side("ollama_generate", ollama.GenerateResponse, ANSWER, media=LINES),
    Side("ollama_embed", ollama.EmbedResponse, COUNTED),
    Side("ollama_embeddings", ollama.EmbeddingsResponse, {}),
]
IN = [(side, path, value) for side in REQUESTS for path, value in strings(side.kind)]
OUT = [(side, path, value) for side in ANSWERS for path, value in strings(side.kind)]


@pytest.mark.parametrize(("side", "path", "value"), IN, ids=str)
def test_every_string_of_a_request_is_judged_or_declared(side: Side, path: str, value: Any) -> None:
    body = {"model": "m", **side.base, **value}
    if path == "/model":
        return
    message = ALL[side.dialect].read(Call(json.dumps(body).encode()))
    assert heard(message) == (path not in side.plain)


@pytest.mark.parametrize(("side", "path", "value"), OUT, ids=str)
def test_every_string_of_an_answer_is_judged_or_declared(side: Side, path: str, value: Any) -> None:
    frames = answered(ALL[side.dialect], json.dumps(value).encode(), side.media)
    assert heard(frames) == (path not in side.plain)


@pytest.mark.parametrize("side", [*REQUESTS, *ANSWERS], ids=str)
def test_the_lists_name_nothing_that_is_not_there(side: Side) -> None:
    assert side.plain.keys() <= dict(strings(side.kind)).keys()


def sample(name: str, answer: str) -> bytes:
    return (WIRE.parent / name / answer).read_bytes()


def asked(name: str, data: bytes, bundle: Bundle, *ends: int, fail: str = "") -> Asked:
    """A request in which nothing is found, answered with this, cut at these positions."""
    call = Call(b'{"model": "m", "messages": [], "prompt": "Hello."}')
    pieces = [data[a:b] for a, b in itertools.pairwise([0, *ends, len(data)])]
    kind = LINES if data.count(b"\n") else "application/json"
    backend = Backend(*pieces, kind=kind, fail=fail)
    return ask(house(backend, bundle), call, dialect=ALL[name])


def chat(*texts: str) -> bytes:
    """A chat that is not done."""
    messages = [{"role": "assistant", "content": text} for text in texts]
    return b"".join(json.dumps({**HEAD, "message": m}).encode() + b"\n" for m in messages)


def lines(body: bytes) -> list[Any]:
    return [json.loads(line) for line in body.splitlines()]


def said(body: bytes) -> str:
    return "".join(line["message"]["content"] for line in lines(body))


@pytest.mark.parametrize("value", [True, None, ...])
def test_it_streams_unless_told_not_to(value: Any) -> None:
    more = {} if value is ... else {"stream": value}
    for name, body in (("ollama_chat", {"messages": []}), ("ollama_generate", {})):
        read = ALL[name].read
        assert read(Call(json.dumps({"model": "m", **body, **more}).encode())).stream
        assert not read(Call(json.dumps({"model": "m", **body, "stream": False}).encode())).stream


def test_token_numbers_of_an_earlier_turn_are_told_as_such() -> None:
    read = ALL["ollama_generate"].read
    opaque = read(Call(b'{"model": "m", "context": [1, 2]}')).opaque
    assert [o.media_type for o in opaque] == ["application/x-tokens"]


def test_whose_text_a_prompt_is() -> None:
    body = {"model": "m", "prompt": "a", "system": "b", "template": "c", "suffix": "d"}
    parts = ALL["ollama_generate"].read(Call(json.dumps(body).encode())).parts
    assert [(p.text, p.role) for p in parts if not p.path.endswith("~")] == [
        ("a", "user"), ("b", "system"), ("c", "system"), ("d", "user"),
    ]  # fmt: skip


def test_a_stream_stopped_before_its_first_byte_is_an_error() -> None:
    got = asked("ollama_chat", sample("ollama_chat", "chat.ndjson"), STRICT)
    assert (got.status, got.exchange.outcome) == (400, "blocked")
    assert json.loads(got.body).keys() == {"error"}
    assert "alice" not in got.body.decode()


def test_a_stream_stopped_in_the_middle_says_so_in_its_last_line() -> None:
    first, second = chat(*["words "] * 60), chat("Ask alice.smith@example.com", ", I said. " * 9)
    got = asked("ollama_chat", first + second, STRICT, len(first))
    assert (got.status, got.exchange.outcome) == (200, "blocked")
    assert set(said(got.body)) == set("words ")
    assert lines(got.body)[-1] == {
        **HEAD,
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "content_filter",
    }


def test_a_stream_that_breaks_off_ends_with_an_error_line_and_nothing_more() -> None:
    got = asked("ollama_chat", chat(*["words "] * 60), Bundle({}), fail="body")
    *_, before, last = lines(got.body)
    assert last.keys() == {"error"}
    assert "done" not in before
    assert got.exchange.outcome == "upstream_error"


def test_an_error_line_of_the_upstream_is_passed_on_and_told() -> None:
    data = sample("ollama_chat", "failed.ndjson")
    got = asked("ollama_chat", data, Bundle({}))
    assert (got.body, got.exchange.outcome) == (data, "upstream_error")


@pytest.mark.parametrize("name", ["ollama_chat/chat", "ollama_generate/plain"])
def test_a_whole_answer_that_is_stopped_says_why_it_is_empty(name: str) -> None:
    dialect, _, answer = name.partition("/")
    data = sample(dialect, f"{answer}.json")
    got = asked(dialect, data, STRICT)
    value, told = json.loads(got.body), json.loads(data)
    assert (got.status, value["done"], value["done_reason"]) == (200, True, "content_filter")
    assert value["eval_count"] == told["eval_count"]
    assert value["created_at"] == told["created_at"]
    assert "example" not in json.dumps(value)


def test_raw_tokens_leave_with_their_text_or_not_at_all() -> None:
    for name in ("logprobs.ndjson", "logprobs.json"):
        data = sample("ollama_chat", name)
        assert b'"token"' in asked("ollama_chat", data, Bundle({})).body
        body = asked("ollama_chat", data, Bundle({"EMAIL_ADDRESS": "redact"})).body
        assert b"smith" not in body
        assert b"97,108" not in body
        assert b'"logprobs":null' in body


def test_counts_and_the_models_name_are_noted() -> None:
    got = asked("ollama_chat", sample("ollama_chat", "tools.ndjson"), Bundle({}))
    assert got.exchange.usage == {"input": 26, "output": 28}
    assert got.exchange.answer_model == "llama3.2:3b"


def test_a_notice_stands_under_the_text_and_not_beside_tool_calls() -> None:
    got = asked("ollama_chat", sample("ollama_chat", "chat.ndjson"), NOTICE)
    assert said(got.body).endswith("@example.org.\n\nWritten by a machine.")
    assert lines(got.body)[-1]["done"] is True
    for name in ("tools.ndjson", "chat.json"):
        assert b"Written by" not in asked("ollama_chat", sample("ollama_chat", name), NOTICE).body
    got = asked("ollama_generate", sample("ollama_generate", "generate.ndjson"), NOTICE)
    assert lines(got.body)[-2]["response"] == "\n\nWritten by a machine."
