"""Whatever arrives, a dialect reads it, or says clearly and in its own words why not."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Unreadable, UpstreamError
from gateway.core.message import Message
from tests.dialects.samples import ALL, answers, requests
from tests.fuzzing import MAIL, body_of, changed, fuzzed
from tests.pipeline.fakes import Backend, Bundle, ask_async, call_of, house

REQUESTS = [pytest.param(ALL[n], p, id=f"{n}/{p.name}") for n in ALL for p in requests(n)]
ANSWERS = answers()

# What no sound encoder writes: cut short, other encodings, two meanings, no end.
damages = st.sampled_from(
    [
        lambda b: b[: len(b) // 2],
        lambda b: b + b"}",
        lambda b: b"\xff\xfe" + b,
        lambda b: b"\xef\xbb\xbf" + b,
        lambda b: b.replace(b'"', b"'", 3),
        lambda b: b.replace(b":", b":NaN,", 1),
        lambda b: b.replace(b"{", b'{"model":"a","model":"b",', 1),
        lambda b: b.replace(b'"', b'"\\ud800', 1),
        lambda b: b.replace(b'"', b'"\\', 2),
        lambda b: b"[" * 100_000 + b,
        lambda b: b.replace(b"{", b'{"x":' + b"[" * 80 + b"]" * 80 + b",", 1),
        lambda b: b.replace(b"{", b'{"x":' + b"9" * 5_000 + b",", 1),
        lambda b: b.replace(b"a", b"\xc3", 2),
        lambda b: b"",
    ]
)


@pytest.mark.parametrize(("dialect", "path"), REQUESTS)
@fuzzed
@given(data=st.data())
def test_a_changed_request_is_judged_whole_or_refused(dialect: Any, path: Any, data: Any) -> None:
    call = call_of(path)
    try:
        value = json.loads(call.body)
    except ValueError:
        value = None
    body = data.draw(damages)(call.body) if value is None else body_of(data.draw(changed(value)))
    backend = Backend(b"{}")
    asked = asyncio.run(
        ask_async(
            house(backend, Bundle({"EMAIL_ADDRESS": "redact"})),
            replace(call, body=body),
            dialect=dialect,
        )
    )
    assert asked.status < 500
    assert all(MAIL.encode() not in sent for sent in backend.bodies)


@pytest.mark.parametrize(("dialect", "path"), REQUESTS)
@fuzzed
@given(damage=damages, tail=st.binary(max_size=8))
def test_a_damaged_request_is_refused_clearly(
    dialect: Any, path: Any, damage: Any, tail: bytes
) -> None:
    call = call_of(path)
    body = damage(call.body) + tail
    try:
        message = dialect.read(replace(call, body=body))
    except Unreadable as err:
        reply = dialect.refuse(err.refusal, "id-1")
        assert 400 <= reply.status < 500
        assert json.loads(reply.body)
    else:
        assert message.body == body


@pytest.mark.parametrize("sample", ANSWERS, ids=str)
@fuzzed
@given(data=st.data())
def test_a_damaged_answer_is_read_or_the_upstreams_fault(sample: Any, data: Any) -> None:
    raw = data.draw(damages)(sample.answer) + data.draw(st.binary(max_size=8))
    reader = sample.dialect.reader(Message(b"", ()), status=200, content_type=sample.content_type)
    ends = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=4)))
    marks = [0, *ends, len(raw)]
    out = b""
    try:
        for a, b in itertools.pairwise(marks):
            out += b"".join(frame.raw for frame in reader.feed(raw[a:b]))
        out += b"".join(frame.raw for frame in reader.flush())
    except UpstreamError:
        return
    assert len(out) <= len(raw) + 16


@pytest.mark.parametrize("sample", ANSWERS, ids=str)
@fuzzed
@given(data=st.data())
def test_a_changed_event_or_answer_is_judged_whole(sample: Any, data: Any) -> None:
    lines = sample.answer.split(b"\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    start = 6 if lines[at].startswith(b"data: ") else 0
    try:
        value = json.loads(sample.answer if len(lines) < 2 else lines[at][start:])
    except ValueError:
        return
    line = lines[at][:start] + body_of(data.draw(changed(value)))
    raw = line if len(lines) < 2 else b"\n".join([*lines[:at], line, *lines[at + 1 :]])
    backend = Backend(raw, kind=sample.content_type)
    asked = asyncio.run(
        ask_async(
            house(backend, Bundle({"EMAIL_ADDRESS": "redact"})), sample.call, dialect=sample.dialect
        )
    )
    assert asked.status < 500 or asked.status == 502
    assert MAIL.encode() not in asked.body
