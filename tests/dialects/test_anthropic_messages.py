"""Anthropic's messages: what clients get, whole and streamed, changed, stopped and broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway import dialects
from gateway.core.calls import Call
from gateway.core.judgement import StreamMode
from gateway.core.message import Kind
from tests.dialects.messages import events, said
from tests.pipeline.fakes import SSE, WIRE, Asked, Backend, Bundle, Shelf, ask, call_of, cuts, house

MEMBER = dialects.load()["anthropic_messages"]
FOLDER = WIRE.parent / "anthropic_messages"
STREAMS = {p.stem: p.read_bytes() for p in FOLDER.glob("*.sse")}
REDACT = Bundle({"EMAIL_ADDRESS": "redact", "KEY": "redact"})
BLOCK = Bundle({"KEY": "block"})
PING = MEMBER.reader(MEMBER.read(call_of(FOLDER / "text.request.json")), status=200,
                     content_type=SSE).ping  # fmt: skip


def asked(*pieces: bytes, bundle: Bundle = REDACT, kind: str = SSE, **how: Any) -> Asked:
    backend = Backend(*pieces, kind=kind, **how)
    call = call_of(FOLDER / "text.request.json")
    return ask(house(backend, bundle), call, dialect=MEMBER)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def whole(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes()


TEXTS = {
    "text": {"0/text": 'Write to [EMAIL_ADDRESS] or use [KEY], not "later".'},
    "text_crlf": {"0/text": "At [EMAIL_ADDRESS]\n\n— 😀 done."},
    "compatible_cr": {"0/text": "Ask [EMAIL_ADDRESS]"},
    "tools": {
        "0/text": "I will write to [EMAIL_ADDRESS].",
        "1/name": "send_mail",
        "1/partial_json": (
            '{"to": "[EMAIL_ADDRESS]", "body": "use \\"[KEY]\\" \\u2014 now", "cc": []}'
        ),
        "2/partial_json": '{"line":"sent to [EMAIL_ADDRESS]"}',
        "3/name": "now",
    },
    "thinking": {"0/thinking": "", "2/thinking": "Nothing personal in here."},
    "citations": {"1/text": "Alice is [EMAIL_ADDRESS]", "2/text": ". That is all."},
    "search": {
        "1/partial_json": '{"query": "[EMAIL_ADDRESS] staff"}',
        "3/text": "She is at [EMAIL_ADDRESS].",
    },
    "refusal": {"0/text": "I can", "stop_reason": "refusal"},
    "error": {"0/text": "Dear [EMAIL_ADDRESS], "},
    "unknown": {"0/content": "", "1/caption": "for [EMAIL_ADDRESS]", "2/text": "Done."},
}


def test_every_stream_sample_is_in_the_table() -> None:
    assert TEXTS.keys() == STREAMS.keys()


@pytest.mark.parametrize("name", TEXTS)
def test_a_client_hears_each_text_without_what_was_redacted(name: str) -> None:
    texts = said(asked(STREAMS[name]).body)
    assert {place: texts.get(place) for place in TEXTS[name]} == TEXTS[name]


def test_thinking_that_is_not_changed_arrives_with_its_signature() -> None:
    data = STREAMS["thinking"]
    ours, theirs = said(asked(data).body), said(data)
    for place in ("0/signature", "1/data", "2/thinking", "2/signature"):
        assert ours[place] == theirs[place] != ""


@pytest.mark.parametrize("name", ["text", "tools", "thinking", "citations", "search", "refusal"])
def test_a_whole_answer_is_judged_as_the_stream_is(name: str) -> None:
    body = asked(whole(name), kind="application/json").body
    before, after = json.loads(whole(name)), json.loads(body)
    assert b"alice" not in body
    assert b"0a1b" not in body
    assert [b["type"] for b in after["content"]] == [b["type"] for b in before["content"]]
    assert [b.get("signature") for b in after["content"]] == [
        b.get("signature") for b in before["content"]
    ]
    assert after["usage"] == before["usage"]


def test_thinking_in_a_request_is_emptied_not_edited() -> None:
    value = json.loads((FOLDER / "tools.request.json").read_bytes())
    value["messages"][1]["content"][0]["thinking"] = "Of alice.smith@example.com."
    backend = Backend(b"{}")
    here = house(backend, REDACT, shelf=Shelf(own="m"))
    ask(here, Call(json.dumps(value).encode()), dialect=MEMBER)
    value["messages"][1]["content"][0]["thinking"] = ""
    expected = json.dumps(value).replace("alice.smith@example.com", "[EMAIL_ADDRESS]")
    assert json.loads(backend.bodies[0]) == json.loads(expected)


def test_images_and_files_are_opaque_and_texts_are_texts() -> None:
    message = MEMBER.read(call_of(FOLDER / "tools.request.json"))
    media = [opaque.media_type for opaque in message.opaque]
    assert media == ["image/png", "application/pdf", "image/png"]
    kinds = {part.path: (part.role, part.kind) for part in message.parts}
    assert kinds["/system/0/text"] == ("system", Kind.TEXT)
    assert kinds["/messages/0/content/1/source/data"] == ("user", Kind.TEXT)
    assert kinds["/messages/1/content/2/input/to"] == ("assistant", Kind.TOOL_ARGUMENTS)
    assert kinds["/messages/2/content/0/content"] == ("user", Kind.TOOL_RESULT)
    assert kinds["/messages/2/content/1/content/0/text"] == ("user", Kind.TOOL_RESULT)
    assert message.path == "/v1/messages?beta=true"
    assert message.json_output


# --- stopped ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["text", "tools"])
def test_a_stream_blocked_in_the_middle_ends_as_refused(name: str) -> None:
    data = STREAMS[name]
    for ends in cuts(len(data)):
        pieces = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
        got = asked(*pieces, bundle=BLOCK)
        assert b"0a1b" not in got.body
        if got.status == 400:
            assert got.error["type"] == "invalid_request_error"
            continue
        assert said(got.body)["stop_reason"] == "refusal"
        assert events(got.body)[-1] == {"type": "message_stop"}


def test_a_refused_message_says_why_and_what_was_used() -> None:
    (last,) = [
        e
        for e in events(asked(*cut(STREAMS["text"], 40), bundle=BLOCK).body)
        if e["type"] == "message_delta"
    ]
    assert last["delta"]["stop_details"] == {
        "type": "refusal", "category": None, "explanation": "Not allowed.",
    }  # fmt: skip
    assert last["usage"] == {
        "input_tokens": 31, "cache_read_input_tokens": 12, "output_tokens": 1,
    }  # fmt: skip


def test_a_tool_call_that_is_stopped_was_never_begun() -> None:
    got = asked(*cut(STREAMS["tools"], 40), bundle=BLOCK)
    assert got.status == 200
    assert said(got.body)["0/text"] == "I will write to alice@example.com."
    assert b"tool_use" not in got.body


def test_what_stops_after_the_end_of_the_message_only_ends_it() -> None:
    late = b'event: weather\ndata: {"type":"weather","report":"key-0a1b2c3d"}\n\n'
    start, stop, end = (
        STREAMS["text_crlf"].replace(b"\r\n", b"\n").partition(b"event: message_stop")
    )
    got = asked(start, late, stop + end, bundle=BLOCK)
    assert [e["type"] for e in events(got.body)][-2:] == ["message_delta", "message_stop"]
    assert said(got.body)["stop_reason"] == "max_tokens"


def test_a_stream_that_has_not_begun_is_stopped_by_an_error() -> None:
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    got = asked(ping, STREAMS["text"], bundle=BLOCK)
    assert got.body.startswith(ping)
    assert [e["type"] for e in events(got.body)] == ["ping", "error"]


@pytest.mark.parametrize("mode", StreamMode)
def test_an_answer_blocked_before_its_first_byte_is_a_plain_error(mode: StreamMode) -> None:
    got = asked(STREAMS["text"], bundle=Bundle({"KEY": "block"}, mode))
    assert (got.status, got.headers["content-type"]) == (400, "application/json")
    assert got.headers["x-should-retry"] == "false"
    assert got.headers["request-id"] == json.loads(got.body)["request_id"] == "id-1"
    assert got.error["gateway"]["rule"] == "r"


def test_a_blocked_whole_answer_is_a_refusal_with_honest_usage() -> None:
    got = asked(whole("text"), bundle=BLOCK, kind="application/json")
    value = json.loads(got.body)
    assert (got.status, value["stop_reason"], value["content"]) == (200, "refusal", [])
    assert value["stop_details"]["explanation"] == "Not allowed."
    assert value["usage"] == json.loads(whole("text"))["usage"]


def test_a_blocked_error_is_an_error() -> None:
    got = asked(whole("error"), bundle=Bundle({"EMAIL_ADDRESS": "block"}), kind="application/json")
    assert (got.status, got.error["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("at", [200, 700])
def test_a_stream_that_breaks_off_ends_with_an_error(at: int) -> None:
    got = asked(*cut(STREAMS["text"][:at], 50), fail="body")
    if got.status == 200:
        assert events(got.body)[-1]["type"] == "error"
        assert events(got.body)[-1]["error"]["type"] == "api_error"
    assert got.exchange.error == "upstream_unreachable"


def test_an_error_in_the_stream_is_passed_on_and_told() -> None:
    got = asked(STREAMS["error"], bundle=Bundle({}))
    assert got.body == STREAMS["error"]
    assert got.exchange.error == "upstream_error_event"


# --- the rest --------------------------------------------------------------------------


def test_text_flows_while_it_arrives_and_a_tool_call_comes_whole() -> None:
    got = asked(*cut(STREAMS["tools"], 25), bundle=Bundle({}))
    assert len(got.pieces) > 5
    begun = [p for p in got.pieces if b"toolu_01A" in p]
    assert [p.count(b'"content_block_stop"') for p in begun] == [1]


def test_a_block_ends_its_texts_so_that_the_next_need_not_wait() -> None:
    data = STREAMS["thinking"]
    at = data.index(b"redacted_thinking")
    got = asked(data[:at], bundle=REDACT, fail="body")
    assert said(got.body.partition(b"event: error")[0])["0/signature"] != ""


def test_usage_and_model_are_told() -> None:
    for got in (asked(STREAMS["search"]), asked(whole("search"), kind="application/json")):
        assert got.exchange.usage["input"] == 900
        assert got.exchange.usage["output"] == 61
        assert got.exchange.answer_model == "claude-sonnet-4-5"


NOTICE = Bundle({"ANSWER": "label"}, notice="Written by a machine.")


@pytest.mark.parametrize("name", ["text", "citations", "thinking"])
def test_a_notice_stands_once_under_the_last_text(name: str) -> None:
    texts = said(asked(STREAMS[name], bundle=NOTICE).body)
    plain = said(STREAMS[name])
    (added,) = texts.keys() - plain.keys()
    assert texts[added] == "Written by a machine."
    assert {k: v for k, v in texts.items() if k != added} == plain
    body = json.loads(asked(whole(name), bundle=NOTICE, kind="application/json").body)
    assert json.dumps(body).count("Written by a machine.") == 1
    assert body["content"][-1]["text"].endswith("\n\nWritten by a machine.")


def test_a_message_that_calls_tools_has_no_notice() -> None:
    assert asked(STREAMS["tools"], bundle=NOTICE).body == STREAMS["tools"]
    got = asked(whole("tools"), bundle=NOTICE, kind="application/json")
    assert got.body == whole("tools")


def test_our_ping_is_one_of_theirs() -> None:
    assert events(PING) == [{"type": "ping"}]
