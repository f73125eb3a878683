"""What the client is told when something breaks, and that it is told nothing else."""

from __future__ import annotations

import json

import pytest

from tests.pipeline.fakes import SSE, STREAMS, Backend, Bundle, Inspector, ask, chat, heard, house

TEXT = STREAMS["openai_text"]


def test_a_bug_of_ours_tells_the_request_id_and_no_detail() -> None:
    backend = Backend(b"{", fail="bug")
    asked = ask(house(backend, Bundle({})), chat())
    assert (asked.status, asked.error["code"]) == (500, "internal_error")
    assert asked.error["gateway"] == {"request_id": "id-1"}
    assert b"alice" not in asked.body
    assert asked.exchange.error == "ZeroDivisionError"


def test_detectors_get_the_time_that_the_policy_gives_them() -> None:
    inspector, bundle = Inspector(), Bundle({"EMAIL_ADDRESS": "redact"})
    bundle.deadline_s = 0.25
    ask(house(Backend(TEXT, kind=SSE), bundle, inspector=inspector), chat("to a@example.com"))
    assert len(inspector.limits) > 1
    assert all(each == {"deadline_s": 0.25} for each in inspector.limits)


@pytest.mark.parametrize(("fail", "status"), [("head", 502), ("body", 502)])
def test_an_upstream_that_fails_before_its_answer_is_an_error(fail: str, status: int) -> None:
    asked = ask(house(Backend(b"{", fail=fail), Bundle({})), chat())
    assert (asked.status, asked.error["code"]) == (status, "upstream_unreachable")
    assert asked.error["type"] == "server_error"


def test_a_stream_that_breaks_ends_in_an_error_event() -> None:
    backend = Backend(TEXT[:1200], kind=SSE, fail="body")
    asked = ask(house(backend, Bundle({"EMAIL_ADDRESS": "redact"})), chat())
    events = asked.body.decode().strip().split("\n\n")
    assert asked.status == 200
    assert json.loads(events[-1].removeprefix("data: "))["error"]["type"] == "server_error"
    assert b"[DONE]" not in asked.body
    assert b"alice" not in asked.body


@pytest.mark.parametrize(
    "event", [b'{"error": {"message": "out of memory"}}', b'{"object": "error", "message": "no"}']
)
def test_an_error_that_comes_as_an_event_is_on_record(event: bytes) -> None:
    backend = Backend(b"data: " + event + b"\n\n", kind=SSE)
    asked = ask(house(backend, Bundle({})), chat())
    assert (asked.status, asked.body) == (200, b"data: " + event + b"\n\n")
    assert (asked.exchange.outcome, asked.exchange.error) == (
        "upstream_error",
        "upstream_error_event",
    )


def test_an_answer_of_the_upstreams_errors_is_passed_on() -> None:
    body = b'{"error": {"message": "no", "type": "x", "param": null, "code": "y"}}'
    backend = Backend(body, status=429)
    backend.headers = {"retry-after": "7", "x-ratelimit-remaining-requests": "0"}
    asked = ask(house(backend, Bundle({"EMAIL_ADDRESS": "redact"})), chat())
    assert (asked.status, asked.body) == (429, body)
    assert asked.headers["retry-after"] == "7"
    assert asked.exchange.outcome.value == "upstream_error"


def test_headers_of_one_hop_and_of_the_upstream_stay_behind() -> None:
    backend = Backend(b"{}")
    backend.headers = {
        "x-request-id": "req_1", "set-cookie": "a=b", "content-encoding": "gzip",
        "content-length": "999", "transfer-encoding": "chunked", "server": "nginx",
        "gw-request-id": "forged", "openai-version": "2020-10-01",
    }  # fmt: skip
    asked = ask(house(backend, Bundle({})), chat())
    assert dict(asked.headers) == {
        "content-type": "application/json", "content-length": "2", "openai-version": "2020-10-01",
        "x-upstream-request-id": "req_1", "x-request-id": "id-1", "gw-request-id": "id-1",
    }  # fmt: skip


def test_streams_ask_proxies_not_to_buffer() -> None:
    asked = ask(house(Backend(TEXT, kind=SSE), Bundle({})), chat())
    assert asked.headers["cache-control"] == "no-cache"
    assert asked.headers["x-accel-buffering"] == "no"
    assert "content-length" not in asked.headers


# An upstream that speaks JSON only some parsers take: what its client reads was judged.
LAX = [
    b'{"choices":[{"index":0,"delta":{"content":"alice\\u002esmith\\u0040example.com "},"x":NaN}]}',
    b'{"choices":[{"index":0,"delta":{"content":"\\ud800 alice\\u002esmith@example.com"}}]}',
    b'{"choices":[{"index":0,"delta":"alice.smith@example.com"}]}',
    b'{"choices":[{"index":0,"delta":{"tool_calls":[{"function":"alice.smith@example.com"}]}}]}',
    b'{"choices":[{"delta":{"tool_calls":[{"custom":{"input":"alice.smith@example.com"}}]}}]}',
    b'{"choices":["alice.smith@example.com"]}',
    b'{"choices":{"x":"alice.smith@example.com"}}',
    b'"alice.smith@example.com"',
    b"alice.smith@example.com",
]


@pytest.mark.parametrize("data", LAX)
def test_odd_json_is_judged_as_lenient_clients_read_it(data: bytes) -> None:
    for body, kind in ((b"data: " + data + b"\n\n", SSE), (data, "application/json")):
        asked = ask(house(Backend(body, kind=kind), Bundle({"EMAIL_ADDRESS": "redact"})), chat())
        assert b"smith" not in asked.body
        assert b"[EMAIL_ADDRESS]" in asked.body


@pytest.mark.parametrize(
    "body", ['{"a":"alice.smith@example.com"}'.encode("utf-16"), b"{" * 99_999, b'"\xff"',
             b'{"a":' * 3_000 + b'"alice"' + b"}" * 3_000]
)  # fmt: skip
def test_what_cannot_be_read_is_not_passed_on(body: bytes) -> None:
    for data, kind in ((b"data: " + body + b"\n\n", SSE), (body, "application/json")):
        asked = ask(house(Backend(data, kind=kind), Bundle({"EMAIL_ADDRESS": "redact"})), chat())
        assert b"alice" not in asked.body.replace(b"\x00", b"")


def test_a_byte_order_mark_before_an_answer_hides_nothing() -> None:
    body = b'\xef\xbb\xbf{"choices":[{"message":{"content":"alice.smith\\u0040example.com"}}]}'
    asked = ask(house(Backend(body), Bundle({"EMAIL_ADDRESS": "redact"})), chat())
    assert asked.body == body.replace(b"alice.smith\\u0040example.com", b"[EMAIL_ADDRESS]")


def test_lines_beside_the_data_leave_judged_or_not_at_all() -> None:
    body = b': alice.smith@example.com\ndata: {"choices":[]}\nx: alice.smith@example.com\n\n'
    body += b": alice.smith@example.com\n\n"
    asked = ask(house(Backend(body, kind=SSE), Bundle({"EMAIL_ADDRESS": "redact"})), chat())
    assert asked.body == b'data: {"choices":[]}\n\n: [EMAIL_ADDRESS]\n\n'
    assert heard(asked.body) == {}
