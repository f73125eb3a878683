"""Gemini's dialects: what of them is judged, and how their streams end."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from google.genai import types
from pydantic.alias_generators import to_camel

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.judgement import Refusal
from gateway.core.message import Kind, Message
from tests.dialects.samples import ALL
from tests.dialects.walk import answered, heard, strings
from tests.pipeline.fakes import WIRE, Asked, Backend, Bundle, ask, cuts, house

SSE = "text/event-stream"
PARAMS = {"model": "m"}
ID = "an identifier made by the API"
WORD = "one of the API's own words"
OFFSET = "an offset in a video"
LOGPROBS = "dropped when the text beside it is changed"
VOICE = "voices and languages"
CONTENT = {
    "/role": WORD,
    "/parts/0/code_execution_result/id": ID,
    "/parts/0/executable_code/id": ID,
    "/parts/0/function_call/id": ID,
    "/parts/0/function_call/partial_args/0/null_value": WORD,
    "/parts/0/function_response/id": ID,
    "/parts/0/tool_call/id": ID,
    "/parts/0/tool_response/id": ID,
    "/parts/0/video_metadata/start_offset": OFFSET,
    "/parts/0/video_metadata/end_offset": OFFSET,
}
GENERATED = {f"/candidates/0/content{path}": why for path, why in CONTENT.items()} | {
    "/candidates/0/logprobs_result/chosen_candidates/0/token": LOGPROBS,
    "/candidates/0/logprobs_result/top_candidates/0/candidates/0/token": LOGPROBS,
    "/model_version": "the name of the model that answered",
    "/response_id": ID,
}
# Places whose strings are not judged while they look like what they should be, and why.
PLAIN: dict[str, dict[str, str]] = {
    "contents": CONTENT,
    "systemInstruction": CONTENT,
    "tools": {},
    "toolConfig": {"/retrieval_config/language_code": WORD},
    "generationConfig": {
        path: VOICE
        for path, _ in strings(types.GenerationConfig)
        if path.startswith("/speech_config/")
    },
    "gemini": GENERATED,
    "gemini_stream": GENERATED,
    "gemini_count": {},
    "gemini_embed": {},
}
STRICT = Bundle({"EMAIL_ADDRESS": "block"})
NOTICE = Bundle({"ANSWER": "label"}, notice="Written by a machine.")
ASKED: dict[str, Any] = {
    "contents": [types.Content],
    "systemInstruction": types.Content,
    "tools": [types.Tool],
    "toolConfig": types.ToolConfig,
    "generationConfig": types.GenerationConfig,
}
IN = [
    (name, path, [value] if isinstance(kind, list) else value)
    for name, kind in ASKED.items()
    for path, value in strings(kind[0] if isinstance(kind, list) else kind)
]
OUT = [
    (name, path, value)
    for name, kind in (
        ("gemini", types.GenerateContentResponse),
        ("gemini_stream", types.GenerateContentResponse),
        ("gemini_count", types.CountTokensResponse),
        ("gemini_embed", types.EmbedContentResponse),
    )
    for path, value in strings(kind)
]


def camel(value: Any) -> Any:
    """As it is on the wire, where the SDK's names are spelt in camelCase."""
    if isinstance(value, dict):
        return {to_camel(key): camel(item) for key, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


def read(body: dict[str, Any], name: str = "gemini") -> Message:
    return ALL[name].read(Call(json.dumps(body).encode(), params=PARAMS))


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


@pytest.mark.parametrize(("name", "path", "value"), IN, ids=str)
def test_every_string_of_a_request_is_judged_or_declared(name: str, path: str, value: Any) -> None:
    for spelt in ({name: camel(value)}, {snake(name): value}):
        assert heard(read({"contents": [], **spelt})) == (path not in PLAIN[name])


@pytest.mark.parametrize(("name", "path", "value"), OUT, ids=str)
def test_every_string_of_an_answer_is_judged_or_declared(name: str, path: str, value: Any) -> None:
    data, kind = json.dumps(camel(value)).encode(), "application/json"
    if name == "gemini_stream":
        data, kind = b"data: " + data + b"\n\n", SSE
    assert heard(answered(ALL[name], data, kind)) == (path not in PLAIN[name])


def test_the_lists_name_nothing_that_is_not_there() -> None:
    assert {(name, path) for name, paths in PLAIN.items() for path in paths} <= {
        (name, path) for name, path, _ in (*IN, *OUT)
    }


def part(text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, **more}


def chunk(*parts: dict[str, Any], index: int = 0, finish: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": index}
    if finish:
        found["finishReason"] = finish
    return {"candidates": [found], "modelVersion": "m-1", "responseId": "r-1"}


def asked(
    chunks: list[dict[str, Any]], bundle: Bundle, *, sse: bool, cut: int = 0, fail: str = ""
) -> Asked:
    """What a client gets of these chunks; the first `cut` of them arrive alone."""
    texts = [json.dumps(value).encode() for value in chunks]
    pieces = [b"data: " + text + b"\r\n\r\n" for text in texts]
    if not sse:
        pieces = [b"[" + texts[0], *(b"\n,\r\n" + text for text in texts[1:])]
    data = [b"".join(pieces[:cut]), b"".join(pieces[cut:])] if cut else [b"".join(pieces)]
    if not sse and not fail:
        data.append(b"]")
    backend = Backend(*data, kind=SSE if sse else "application/json", fail=fail)
    call = Call(b'{"contents": []}', params=PARAMS)
    return ask(house(backend, bundle), call, dialect=ALL["gemini_stream"])


def heard_by_client(got: Asked, *, sse: bool) -> list[Any]:
    if not sse:
        found: list[Any] = json.loads(got.body)
        return found
    return [json.loads(event[6:]) for event in got.body.decode().split("\r\n\r\n") if event]


WORDS = [chunk(part("words ")) for _ in range(60)]


@pytest.mark.parametrize("sse", [True, False])
def test_a_stream_stopped_in_the_middle_ends_every_open_candidate(sse: bool) -> None:
    begun = [*WORDS, chunk(index=1, finish="STOP"), *WORDS]
    rest = [chunk(part("Ask alice.smith@example.com, she knows.")), *WORDS]
    got = asked(begun + rest, STRICT, sse=sse, cut=len(begun))
    assert (got.status, got.exchange.outcome) == (200, "blocked")
    last = heard_by_client(got, sse=sse)[-1]
    assert last["candidates"] == [
        {"index": 0, "finishReason": "PROHIBITED_CONTENT", "finishMessage": "Not allowed."}
    ]
    assert (last["modelVersion"], last["responseId"]) == ("m-1", "r-1")
    assert b"alice" not in got.body


@pytest.mark.parametrize("sse", [True, False])
def test_a_stream_that_breaks_off_ends_with_an_error(sse: bool) -> None:
    got = asked(WORDS, Bundle({}), sse=sse, fail="body")
    error = heard_by_client(got, sse=sse)[-1]["error"]
    assert (error["code"], error["status"]) == (502, "INTERNAL")


@pytest.mark.parametrize("sse", [True, False])
def test_a_stream_stopped_before_its_first_byte_is_an_error(sse: bool) -> None:
    got = asked([chunk(part("alice.smith@example.com"))], STRICT, sse=sse)
    assert (got.status, got.error["status"]) == (400, "INVALID_ARGUMENT")
    assert got.error["details"][0]["metadata"]["rule"] == "r"


@pytest.mark.parametrize("sse", [True, False])
def test_a_notice_stands_under_the_text_and_not_beside_calls(sse: bool) -> None:
    told = heard_by_client(asked(WORDS, NOTICE, sse=sse), sse=sse)
    assert told[-1]["candidates"][0]["content"]["parts"] == [part("\n\nWritten by a machine.")]
    call = chunk({"functionCall": {"name": "f", "args": {}}})
    assert b"Written" not in asked([*WORDS, call], NOTICE, sse=sse).body


def test_a_finish_reason_in_every_chunk_hides_nothing() -> None:
    pieces = [chunk(part(text), finish="STOP") for text in ("alice.sm", "ith@exam", "ple.com")]
    body = asked(pieces, Bundle({"EMAIL_ADDRESS": "redact"}), sse=True).body
    assert b"example" not in body.replace(b'"', b"")
    assert b"[EMAIL_ADDRESS]" in body


def test_thoughts_are_a_text_of_their_own() -> None:
    value = chunk(part("Hm.", thought=True), part("Yes."))
    (frame,) = answered(ALL["gemini"], json.dumps(value).encode(), "application/json")
    said = {p.text: (p.kind, p.role) for p in frame.parts}
    assert said["Hm."] == (Kind.REASONING, "assistant")
    assert said["Yes."] == (Kind.TEXT, "assistant")


def test_a_whole_answer_that_is_stopped_is_filtered_as_by_google() -> None:
    for name in ("plain", "tools"):
        data = (WIRE.parent / "gemini" / f"{name}.json").read_bytes()
        call = Call(b'{"contents": []}', params=PARAMS)
        got = ask(house(Backend(data), STRICT), call, dialect=ALL["gemini"])
        value = json.loads(got.body)
        assert [c["finishReason"] for c in value["candidates"]] == ["PROHIBITED_CONTENT"]
        assert value["usageMetadata"] == json.loads(data)["usageMetadata"]
        assert got.exchange.answer_model == "gemini-2.5-flash"
        assert got.exchange.usage == {"input": 12, "output": 9, "reasoning": 3}
        assert b"example" not in got.body


def test_raw_tokens_leave_with_their_text_or_not_at_all() -> None:
    data = (WIRE.parent / "gemini" / "logprobs.json").read_bytes()
    call = Call(b'{"contents": []}', params=PARAMS)
    bundle = Bundle({"EMAIL_ADDRESS": "redact"})
    value = json.loads(ask(house(Backend(data), bundle), call, dialect=ALL["gemini"]).body)
    assert [bool(c["logprobsResult"]) for c in value["candidates"]] == [False, True]


@pytest.mark.parametrize(
    "config",
    [
        {"responseMimeType": "application/json"},
        {"response_mime_type": "text/x.enum"},
        {"responseSchema": {"type": "OBJECT"}},
        {"response_json_schema": {"type": "object"}},
    ],
)
def test_structured_output_is_told(config: dict[str, Any]) -> None:
    assert read({"contents": [], "generationConfig": config}).json_output
    assert read({"contents": [], "generation_config": config}).json_output
    assert not read({"contents": [], "generationConfig": {"temperature": 1}}).json_output


def test_a_cache_of_the_upstreams_is_told() -> None:
    for name in ("cachedContent", "cached_content"):
        assert read({"contents": [], name: "cachedContents/1"}).states == ("cached_content",)


@pytest.mark.parametrize("params", [{}, {"model": "a b"}, {"model": "m", "project": "a@b.example"}])
def test_a_path_that_could_say_more_than_a_name_is_refused(params: dict[str, str]) -> None:
    with pytest.raises(Unreadable):
        ALL["gemini"].read(Call(b'{"contents": []}', params=params))


def test_a_body_that_names_another_model_is_refused() -> None:
    for name, body in (
        ("gemini", {"contents": [], "model": "models/other"}),
        ("gemini_embed_batch", {"requests": [{"model": "models/other"}]}),
        ("gemini_count", {"generateContentRequest": {"model": 3}}),
    ):
        with pytest.raises(Unreadable):
            read(body, name)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (404, "NOT_FOUND"),
        (413, "INVALID_ARGUMENT"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
    ],
)
def test_statuses_have_googles_names(status: int, name: str) -> None:
    error = json.loads(ALL["gemini"].refuse(Refusal("c", "W.", status), "i").body)["error"]
    assert (error["code"], error["status"]) == (status, name)


def test_arguments_that_come_in_pieces_are_judged_by_their_place() -> None:
    data = (WIRE.parent / "gemini_stream" / "partial.sse").read_bytes()
    for ends in itertools.islice(cuts(len(data)), 8):
        marks = itertools.pairwise([0, *ends, len(data)])
        backend = Backend(*(data[a:b] for a, b in marks), kind=SSE)
        call = Call(b'{"contents": []}', params=PARAMS)
        bundle = Bundle({"EMAIL_ADDRESS": "redact"})
        body = ask(house(backend, bundle), call, dialect=ALL["gemini_stream"]).body
        assert body.count(b"[EMAIL_ADDRESS]") == 2
        assert b"example" not in body


@pytest.mark.parametrize("tells_end", [True, False])
def test_an_end_that_is_known_is_judged_with_what_stands_before_it(tells_end: bool) -> None:
    """All of a candidate's texts end with the stream: what is held back need not wait for more."""
    data = b"".join(
        b"data: " + json.dumps(value).encode() + b"\r\n\r\n"
        for value in (*WORDS, chunk(part("Ask alice.smith@example.com."), finish="STOP"))
    )
    call = Call(b'{"contents": []}', params=PARAMS)
    apart = Backend(*(data[at : at + 100] for at in range(0, len(data), 100)), kind=SSE)
    at_once = Backend(data, kind=SSE, tells_end=tells_end)
    slowly, got = (
        ask(house(backend, Bundle({"EMAIL_ADDRESS": "redact"})), call, dialect=ALL["gemini_stream"])
        for backend in (apart, at_once)
    )
    assert got.body == slowly.body
    assert got.exchange.response.digest == slowly.exchange.response.digest
    assert len([piece for piece in got.pieces if piece]) == (1 if tells_end else 2)


def test_a_stream_that_breaks_off_behind_what_seemed_its_end_is_told_as_broken() -> None:
    backend = Backend(json.dumps(WORDS[0]).encode(), kind=SSE, tells_end=True, fail="body")
    call = Call(b'{"contents": []}', params=PARAMS)
    got = ask(house(backend, Bundle({})), call, dialect=ALL["gemini_stream"])
    assert got.exchange.outcome == "upstream_error"
