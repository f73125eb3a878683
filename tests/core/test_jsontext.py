from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.errors import Unreadable
from gateway.core.jsontext import MAX_DEPTH, names_twice, parse, parse_object

# (body, words the caller is told)
UNREADABLE: list[tuple[bytes, str]] = [
    (b"", "not valid JSON"),
    (b"{", "not valid JSON"),
    (b'{"a":1}x', "not valid JSON"),
    (b"{'a':1}", "not valid JSON"),
    (b'{"a":1,"a":2}', "same key twice"),
    (b'{"a":1,"\\u0061":2}', "same key twice"),
    (b'[{"b":{"a":1,"a":1}}]', "same key twice"),
    (b'{"a":"\\ud800"}', "surrogate"),
    (b'{"a":"\\udc00\\ud800"}', "surrogate"),
    (b'{"\\uD83d":1}', "surrogate"),
    (b'{"a":NaN}', "NaN"),
    (b'{"a":-Infinity}', "-Infinity"),
    (b"\xef\xbb\xbf{}", "byte order mark"),
    (b'{"a":"\xff"}', "not UTF-8 (byte 6)"),
    (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
    ('{"a":1}'.encode("utf-16"), "not UTF-8"),
    (b'{"a":"\x00"}', "not valid JSON"),
    (b"1" * 5_000, "number"),
    (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), "nested deeper"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested deeper"),
    (b"[" * 1_000_000, "nested deeper"),
]


@pytest.mark.parametrize(("body", "words"), UNREADABLE, ids=[w for _, w in UNREADABLE])
def test_what_parsers_read_differently_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(body)
    assert words in caught.value.refusal.message
    assert caught.value.refusal.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"\\ud83d\\ude00"}',
        '{"a":"😀"}'.encode(),
        b'{"a":"\\\\ud800"}',
        b'{"a":{"a":1}}',
        b" [1.0, -0, 1e3, null] ",
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
    ],
)
def test_plain_json_is_read(body: bytes) -> None:
    assert parse(body) == json.loads(body)


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"1", b"null"])
def test_a_request_is_an_object(body: bytes) -> None:
    with pytest.raises(Unreadable, match="unreadable_body"):
        parse_object(body)


def test_a_reason_never_repeats_what_was_sent() -> None:
    for body in (b'{"secret-1":1,"secret-1":2}', b'{"a": secret-1}', b'{"a":"secret-1\xff"}'):
        with pytest.raises(Unreadable) as caught:
            parse(body)
        assert "secret" not in caught.value.refusal.message


def readable(body: bytes) -> Any:
    """The value, or None if it is refused; nothing else may come out."""
    try:
        return parse(body)
    except Unreadable:
        return None


@settings(deadline=None)
@given(st.binary(max_size=64))
@example(b'"\\ud83d\\u0041"')
def test_random_bytes_are_read_or_refused(body: bytes) -> None:
    readable(body)


MUTABLE = b'{"model":"m","n":[1.5e3,-2,true,null],"t":"a\\u00e9\\ud83d\\ude00\\n","o":{"x":{}}}'


@settings(deadline=None)
@given(st.integers(0, len(MUTABLE)), st.integers(0, 8), st.binary(max_size=8))
def test_damaged_json_is_read_or_refused(at: int, cut: int, new: bytes) -> None:
    body = MUTABLE[:at] + new + MUTABLE[at + cut :]
    value = readable(body)
    if value is not None:
        assert value == json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()


TWICE = [
    '{"a": 1, "a": 2}',
    '{"a": {"b": 1}, "\\u0061": 2}',
    '[{"x": {"b": "c", "b": ":"}}]',
    '{"a\\\\": ":b", "c": 1, "c": "\\":"}',
    '{"": 1, "": 2}',
]
ONCE = [
    "{}",
    "7",
    '{"a": ":smile:", "b": "\\"a\\": 1", "c\\\\": ["a", ": ", "\\\\"]}',
    '[{"a": 1}, {"a": {"a": 1}}]',
    '{"a" : "\\n" ,"b"\n:"\u00e9"}',
]


@pytest.mark.parametrize(("text", "twice"), [(t, True) for t in TWICE] + [(t, False) for t in ONCE])
def test_a_name_that_stands_twice_is_told(text: str, twice: bool) -> None:
    assert names_twice(text.encode(), json.loads(text)) is twice


@given(
    value=st.recursive(
        st.text(alphabet='a":\\,{} '),
        lambda v: st.lists(v) | st.dictionaries(st.text(alphabet='a":\\ '), v),
    )
)
def test_whatever_strings_hold_no_name_stands_twice(value: Any) -> None:
    assert not names_twice(json.dumps(value).encode(), value)
