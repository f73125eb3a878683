from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.apis import Reader
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Kind, Message
from gateway.dialects.openai_chat import Member
from tests.dialects.frames import apart
from tests.pipeline.fakes import SSE, STREAMS, WHOLES, chat, cuts, finish_reasons

CHAT = Member()
BLOCK = Refusal("policy_violation", "Not allowed.", rule="r", policy="p", categories=("KEY",))


def request(**fields: Any) -> dict[str, tuple[str, Kind, str]]:
    body = {"model": "m", "messages": [], **fields}
    parts = CHAT.read(Call(json.dumps(body).encode())).parts
    return {p.path: (p.role, p.kind, p.text) for p in parts}


def message(**fields: Any) -> dict[str, tuple[str, Kind, str]]:
    return {k.removeprefix("/messages/0"): v for k, v in request(messages=[fields]).items()}


def arguments(text: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": text}}


# (a message, its parts by path)
MESSAGES: list[tuple[dict[str, Any], dict[str, tuple[str, Kind, str]]]] = [
    ({"role": "user", "content": "a"}, {"/content": ("user", Kind.TEXT, "a")}),
    ({"content": "a"}, {"/content": ("", Kind.TEXT, "a")}),
    (
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"/content/0/text": ("user", Kind.TEXT, "a"), "/content/1/text": ("user", Kind.TEXT, "b")},
    ),
    ({"role": "tool", "content": "a"}, {"/content": ("tool", Kind.TOOL_RESULT, "a")}),
    ({"role": "function", "content": "a"}, {"/content": ("function", Kind.TOOL_RESULT, "a")}),
    (
        {"role": "assistant", "content": None, "refusal": "no", "reasoning": "hm"},
        {
            "/refusal": ("assistant", Kind.REFUSAL, "no"),
            "/reasoning": ("assistant", Kind.REASONING, "hm"),
        },
    ),
    (
        {"role": "assistant", "tool_calls": [arguments('{"a":"b"}')]},
        {
            "/tool_calls/0/function/name": ("assistant", Kind.TOOL_ARGUMENTS, "f"),
            "/tool_calls/0/function/arguments!/a~": ("assistant", Kind.TOOL_ARGUMENTS, "a"),
            "/tool_calls/0/function/arguments!/a": ("assistant", Kind.TOOL_ARGUMENTS, "b"),
        },
    ),
    (
        {"role": "assistant", "tool_calls": [arguments("{broken")]},
        {
            "/tool_calls/0/function/name": ("assistant", Kind.TOOL_ARGUMENTS, "f"),
            "/tool_calls/0/function/arguments": ("assistant", Kind.TOOL_ARGUMENTS, "{broken"),
        },
    ),
    (
        {"role": "user", "content": "a", "vendor!": {"x/y": ["b"]}},
        {
            "/content": ("user", Kind.TEXT, "a"),
            "/vendor~2~": ("user", Kind.METADATA, "vendor!"),
            "/vendor~2/x~1y~": ("user", Kind.METADATA, "x/y"),
            "/vendor~2/x~1y/0": ("user", Kind.METADATA, "b"),
        },
    ),
    ({"role": "user", "content": ""}, {}),
]


@pytest.mark.parametrize(("given", "parts"), MESSAGES)
def test_texts_of_a_message_are_parts(given: Any, parts: Any) -> None:
    assert message(**given) == parts


@pytest.mark.parametrize(
    ("fields", "path", "kind"),
    [
        ({"tools": [{"type": "function", "function": {"description": "c"}}]},
         "/tools/0/function/description", Kind.TOOL_DEFINITION),
        ({"tools": [{"function": {"parameters": {"properties": {"c": {"enum": ["c"]}}}}}]},
         "/tools/0/function/parameters/properties/c/enum/0", Kind.TOOL_DEFINITION),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "c"}}},
         "/response_format/json_schema/name", Kind.TOOL_DEFINITION),
        ({"metadata": {"k": "c"}}, "/metadata/k", Kind.METADATA),
        ({"user": "c"}, "/user", Kind.METADATA),
        ({"stop": ["c"]}, "/stop/0", Kind.METADATA),
        ({"web_search_options": {"user_location": {"approximate": {"city": "c"}}}},
         "/web_search_options/user_location/approximate/city", Kind.METADATA),
        ({"chat_template_kwargs": {"x": "c"}}, "/chat_template_kwargs/x", Kind.METADATA),
        ({"prediction": {"type": "content", "content": "c"}}, "/prediction/content", Kind.TEXT),
    ],
)  # fmt: skip
def test_texts_beside_the_messages_are_parts(fields: dict[str, Any], path: str, kind: Kind) -> None:
    assert request(**fields)[path] == ("", kind, "c")


@pytest.mark.parametrize(
    ("content", "media", "size"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, "image/png", 3),
        ({"type": "image_url", "image_url": {"url": "DATA:;base64,AAAA"}}, "text/plain", 3),
        ({"type": "input_audio", "input_audio": {"data": "AAAAAAAA", "format": "wav"}},
         "audio/*", 6),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}},
         "application/pdf", 3),
        ({"type": "file", "file": {"file_data": "AAAA"}}, "application/octet-stream", 3),
        ({"type": "x", "x": {"url": "data:image/alice;base64,AAAA"}}, "image/*", 3),
    ],
)  # fmt: skip
def test_media_are_opaque_and_not_text(content: Any, media: str, size: int) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": [content]}]})
    found = CHAT.read(Call(body.encode()))
    assert [(o.media_type, o.size_bytes) for o in found.opaque] == [(media, size)]
    assert not [p for p in found.parts if "AAAA" in p.text]


def test_a_link_is_text() -> None:
    url = "https://example.com/alice?key=1"
    content = [{"type": "image_url", "image_url": {"url": url}}]
    assert message(role="user", content=content)["/content/0/image_url/url"][2] == url


@pytest.mark.parametrize(
    ("fields", "stream", "json_output"),
    [
        ({}, False, False),
        ({"stream": True}, True, False),
        ({"stream": 1}, False, False),
        ({"response_format": {"type": "text"}}, False, False),
        ({"response_format": {"type": "json_object"}}, False, True),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, False, True),
    ],
)
def test_switches(fields: dict[str, Any], stream: bool, json_output: bool) -> None:
    found = CHAT.read(Call(chat(**fields)))
    assert (found.stream, found.json_output) == (stream, json_output)


REFUSALS = [
    (401, "authentication_error"),
    (403, "permission_error"),
    (404, "invalid_request_error"),
    (413, "invalid_request_error"),
    (415, "invalid_request_error"),
    (429, "rate_limit_error"),
    (500, "server_error"),
    (503, "server_error"),
]


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
def test_refusals_have_the_shape_the_sdk_reads(status: int, kind: str) -> None:
    reply = CHAT.refuse(Refusal("c", "M.", status), "id-1")
    assert json.loads(reply.body) == {
        "error": {
            "message": "M.",
            "type": kind,
            "param": None,
            "code": "c",
            "gateway": {"request_id": "id-1"},
        }
    }


def test_a_policys_refusal_says_which_rule_and_what_kind_of_thing() -> None:
    error = json.loads(CHAT.refuse(BLOCK, "id-1").body)["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "messages")
    assert error["gateway"] == {
        "request_id": "id-1", "policy": "p", "rule": "r", "categories": ["KEY"],
    }  # fmt: skip


def reader(kind: str = SSE, status: int = 200) -> Reader:
    return CHAT.reader(Message(b"", ()), status=status, content_type=kind)


@pytest.mark.parametrize("name", STREAMS)
def test_frames_are_the_same_at_every_split(name: str) -> None:
    data = STREAMS[name]
    whole = reader()
    frames = apart(whole.feed(data) + whole.flush())
    for cut in cuts(len(data)):
        other = reader()
        found = [
            frame
            for a, b in zip([0, *cut], [*cut, len(data)], strict=True)
            for frame in other.feed(data[a:b])
        ]
        assert apart(found + other.flush()) == frames
        assert (other.usage, other.model) == (whole.usage, whole.model)


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("openai_text", {"input": 12, "output": 13, "cached": 4, "reasoning": 2}),
        ("vllm_reasoning", {"input": 9, "output": 11}),
        ("llamacpp_text", {"input": 3, "output": 6}),
        ("openai_refusal", {}),
    ],
)
def test_usage_is_read_wherever_a_server_puts_it(name: str, usage: dict[str, int]) -> None:
    stream = reader()
    stream.feed(STREAMS[name])
    assert stream.usage == usage
    assert stream.streamed


@pytest.mark.parametrize(
    "told", [{"prompt_tokens": "9"}, {"prompt_tokens": -1}, [], "x", {"prompt_tokens": 1 << 70}]
)
def test_odd_usage_counts_for_nothing(told: Any) -> None:
    whole = reader("application/json")
    whole.feed(json.dumps({"choices": [], "usage": told}).encode())
    whole.flush()
    assert whole.usage == {}


def frames(*values: Any) -> list[Any]:
    stream = reader()
    return stream.feed(b"".join(b"data: " + json.dumps(v).encode() + b"\n\n" for v in values))


def test_each_streamed_text_is_a_lane_of_its_own() -> None:
    delta = {"content": "a", "reasoning": "b", "tool_calls": [
        {"index": 0, "function": {"arguments": "c"}}, {"index": 1, "custom": {"input": "d"}}
    ], "odd": {"x": ["e"]}}  # fmt: skip
    (frame,) = frames({"choices": [{"index": 1, "delta": delta, "finish_reason": None}]})
    assert [(f.lane.choice, f.lane.index, f.lane.kind, f.text) for f in frame.fragments] == [
        (1, 0, Kind.TEXT, "a"),
        (1, 0, Kind.REASONING, "b"),
        (1, 0, Kind.TOOL_ARGUMENTS, "c"),
        (1, 1, Kind.TOOL_ARGUMENTS, "d"),
        (1, 0, Kind.METADATA, "e"),
    ]
    assert len({f.lane for f in frame.fragments}) == 5
    assert {p.text for p in frame.parts} == {"odd", "x"}


def test_ends_close_their_choice_and_done_closes_all() -> None:
    stream = reader()
    ends = [f.closes for f in stream.feed(STREAMS["openai_two_choices"])]
    assert [e for e in ends if e] == [(1,), (0,), (ALL,)]


def test_error_events_are_judged() -> None:
    (frame,) = frames({"error": {"message": "about alice", "type": "x", "code": 5}})
    assert [(p.path, p.kind, p.text) for p in frame.parts] == [
        ("/error/message", Kind.ERROR, "about alice")
    ]
    (frame,) = frames({"object": "error", "message": "about alice"})
    assert "about alice" in [p.text for p in frame.parts]


def test_tokens_beside_an_edited_text_are_dropped() -> None:
    body = WHOLES["openai_logprobs"]
    whole = reader("application/json")
    whole.feed(body)
    (frame,) = whole.flush()
    path = "/choices/0/message/content"
    after = json.loads(whole.rewrite(frame, {path: [Edit(0, 5, "x")]}))
    assert after["choices"][0]["logprobs"] is None
    assert whole.rewrite(frame, {}) == body


def test_added_text_is_one_more_chunk_of_its_choice() -> None:
    stream = reader()
    frame = [f for f in stream.feed(STREAMS["openai_two_choices"]) if f.fragments][-1]
    value = json.loads(stream.add(frame, frame.fragments[0], 'x"')[6:])
    assert value["choices"][0]["delta"] == {"content": 'x"'}
    assert value["id"] == "chatcmpl-B7x1"


@pytest.mark.parametrize(
    ("ended", "reasons"), [((), ["content_filter"] * 2), ((0,), ["content_filter"]), ((ALL,), [])]
)
def test_stopping_ends_what_is_open(ended: tuple[int, ...], reasons: list[str]) -> None:
    stream = reader()
    stream.feed(STREAMS["openai_two_choices"])
    out = stream.stop(BLOCK, "id-1", ended)
    assert finish_reasons(out) == reasons
    assert out.endswith(b"data: [DONE]\n\n") == (ALL not in ended)


def test_a_broken_stream_ends_in_an_error_the_sdk_raises() -> None:
    out = reader().broken("Broke off.", "id-1")
    assert json.loads(out.removeprefix(b"data: "))["error"]["message"] == "Broke off."


@pytest.mark.parametrize("kind", ["text/html", "", "application/problem+json", "image/png"])
def test_a_body_that_is_not_json_is_judged_as_text(kind: str) -> None:
    whole = reader(kind, 502)
    assert whole.feed(b"<p>alice") == []
    (frame,) = whole.flush()
    assert [(p.path, p.text) for p in frame.parts] == [("", "<p>alice")]
    assert whole.rewrite(frame, {"": [Edit(3, 8, "[X]")]}) == b"<p>[X]"
    assert not whole.streamed
