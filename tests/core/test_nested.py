from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.message import Edit, Kind
from gateway.core.nested import MAX_DEPTH, MAX_TEXTS, nested_parts, texts
from gateway.core.splice import escape, splice_json


def parts(text: str) -> dict[str, str]:
    found = nested_parts("/p", text, role="assistant", kind=Kind.TOOL_ARGUMENTS)
    assert {(p.role, p.kind) for p in found} <= {("assistant", Kind.TOOL_ARGUMENTS)}
    return {p.path: p.text for p in found}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "b"}', {"/p!/a~": "a", "/p!/a": "b"}),
        ('["x", ["y", ""], 1, null]', {"/p!/0": "x", "/p!/1/0": "y"}),
        ('{"a/b~": "c"}', {"/p!/a~1b~0~": "a/b~", "/p!/a~1b~0": "c"}),
        ('{"a!": "c"}', {"/p!/a~2~": "a!", "/p!/a~2": "c"}),
        (
            '["data:;base64,YWI=", "data:;base64,?"]',
            {"/p!/0!base64": "ab", "/p!/1": "data:;base64,?"},
        ),
        ("{}", {}),
        ('{"a": "b"', {"/p": '{"a": "b"'}),
        ("plain", {"/p": "plain"}),
        ('"quoted"', {"/p": '"quoted"'}),
        ("12", {"/p": "12"}),
        ("", {"/p": ""}),
    ],
)
def test_strings_and_keys_are_parts(text: str, found: dict[str, str]) -> None:
    assert parts(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "[" * (MAX_DEPTH + 2) + '"x"' + "]" * (MAX_DEPTH + 2),
        "[" * 99_999,
        json.dumps(["x"] * (MAX_TEXTS + 1)),
        json.dumps({"x" * 5_000: 1}),
    ],
)
def test_what_is_too_much_is_not_read_as_it_stands(text: str) -> None:
    with pytest.raises(RecursionError):
        parts(text)


def test_a_number_that_is_too_long_hides_nothing() -> None:
    assert parts('{"a":' + "9" * 5_000 + ',"b":"\\u0063"}') == {
        "/p!/a~": "a", "/p!/b~": "b", "/p!/b": "c"
    }  # fmt: skip


def test_a_name_that_stands_twice_is_read_each_time() -> None:
    text = '{"a":"x","b":1,"a":{"a":"y"},"a":["z"],"a~31":"w"}'
    assert parts(text) == {
        "/p!/a~": "a", "/p!/a": "x",
        "/p!/b~": "b",
        "/p!/a~31~": "a", "/p!/a~31/a~": "a", "/p!/a~31/a": "y",
        "/p!/a~32~": "a", "/p!/a~32/0": "z",
        "/p!/a~031~": "a~31", "/p!/a~031": "w",
    }  # fmt: skip


def test_an_edit_lands_where_its_text_stands() -> None:
    text = '{"a":"x", "a":{"a":"y","a":"z"}, "a":"x"}'
    body = json.dumps({"p": text}).encode()
    for part in nested_parts("/p", text, role="", kind=Kind.TEXT):
        after = json.loads(splice_json(body, {part.path: [Edit(0, 1, "Q")]}))["p"]
        assert len(after) == len(text)
        (again,) = {*after} - {*text}
        assert (again, after.count("Q")) == ("Q", 1)
    found = {p.path for p in nested_parts("/p", text, role="", kind=Kind.TEXT)}
    assert len(found) == 9


def test_keys_are_escaped_as_steps_of_a_path() -> None:
    assert [escape(k) for k in ("a", "a/b", "~", "~1", "a!")] == ["a", "a~1b", "~0", "~01", "a~2"]


WORDS = st.text(alphabet='ab~/!\\"é😀\x00', max_size=4)
VALUES = st.recursive(
    WORDS, lambda i: st.lists(i, max_size=3) | st.dictionaries(WORDS, i, max_size=3), max_leaves=5
)


@given(VALUES)
@settings(max_examples=60, deadline=None)
def test_each_part_can_be_edited_where_it_stands(value: Any) -> None:
    text = json.dumps(value)
    body = json.dumps({"p": text}).encode()
    for part in nested_parts("/p", text, role="", kind=Kind.TEXT):
        after = json.loads(splice_json(body, {part.path: [Edit(0, len(part.text), "Z")]}))
        if part.path != "/p":
            new = [t for _, t in texts(json.loads(after["p"]))]
            assert "Z" in new
