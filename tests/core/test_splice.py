from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.message import Edit
from gateway.core.splice import apply, escape, insert_member, origin, splice_json, values

# (body, path, edit, body after): outside the edit not a byte changes.
CASES: list[tuple[str, str, Edit, str]] = [
    ('{ "a" : "abc" , "n":1.50 }', "/a", Edit(1, 2, "X"), '{ "a" : "aXc" , "n":1.50 }'),
    ('{"a":"\\u0061\\/b"}', "/a", Edit(1, 2, "-"), '{"a":"\\u0061-b"}'),
    ('{"a":"\\ud83d\\ude00b"}', "/a", Edit(1, 2, "c"), '{"a":"\\ud83d\\ude00c"}'),
    ('{"a":"x\\ud83d\\ude00y"}', "/a", Edit(1, 2, "c"), '{"a":"xcy"}'),
    ('{"a":"😀b"}', "/a", Edit(0, 1, "é"), '{"a":"éb"}'),
    ('{"a":"b"}', "/a", Edit(0, 1, 'q"\\\n'), '{"a":"q\\"\\\\\\n"}'),
    ('{"a":[{"b":"c"},"d"]}', "/a/1", Edit(0, 1, "e"), '{"a":[{"b":"c"},"e"]}'),
    ('{"a/b~c":"d"}', "/a~1b~0c", Edit(0, 1, "e"), '{"a/b~c":"e"}'),
    ('{"a!":{"b":"d"}}', "/a~2/b", Edit(0, 1, "e"), '{"a!":{"b":"e"}}'),
    ('{"":"d"}', "/", Edit(0, 1, "e"), '{"":"e"}'),
    ('{"key":"key"}', "/key~", Edit(0, 3, "yek"), '{"yek":"key"}'),
    ('"abc"', "", Edit(1, 1, "-"), '"a-bc"'),
    ('["[1,2]","b"]', "/1", Edit(0, 1, "e"), '["[1,2]","e"]'),
    ('{"a":"{\\"b\\": \\"c\\"}"}', "/a!/b", Edit(0, 1, '"'), '{"a":"{\\"b\\": \\"\\\\\\"\\"}"}'),
    ('{"a":"{\\"b\\": \\"c\\"}"}', "/a!/b~", Edit(0, 1, "z"), '{"a":"{\\"z\\": \\"c\\"}"}'),
    ('{"a":"[\\"\\\\u0062\\"]"}', "/a!/0", Edit(0, 1, "z"), '{"a":"[\\"z\\"]"}'),
    ('{"a":"data:x/y;b=c;base64,YWI="}', "/a!base64", Edit(1, 2, "é"),
     '{"a":"data:x/y;b=c;base64,YcOp"}'),
    ('{"a":"d\\u0061ta:;base64,YWI"}', "/a!base64", Edit(0, 0, "-"),
     '{"a":"d\\u0061ta:;base64,LWFi"}'),
    ('{"a":"YWI="}', "/a!base64", Edit(0, 2, ""), '{"a":""}'),
    ('{"a":"{\\"b\\":\\"data:;base64,YWI=\\"}"}', "/a!/b!base64", Edit(2, 2, "c"),
     '{"a":"{\\"b\\":\\"data:;base64,YWJj\\"}"}'),
]  # fmt: skip


@pytest.mark.parametrize(("body", "path", "edit", "after"), CASES)
def test_only_the_edited_characters_change(body: str, path: str, edit: Edit, after: str) -> None:
    assert splice_json(body.encode(), {path: [edit]}) == after.encode()


def test_values_become_null() -> None:
    body = b'{"a": {"b": ["x", {"c": 1}]}, "d": "e"}'
    edits = {"/d": [Edit(0, 1, "f")]}
    assert splice_json(body, edits, nulls={"/a/b", "/gone"}) == b'{"a": {"b": null}, "d": "f"}'


def test_no_edit_is_the_same_object() -> None:
    body = b'{"a": 1}'
    assert splice_json(body, {}) is body


def test_an_edit_that_finds_no_string_is_an_error() -> None:
    for path in ("/b", "/n", "/a/0"):
        with pytest.raises(KeyError):
            splice_json(b'{"a":"x","n":1}', {path: [Edit(0, 1, "")]})


def test_an_edit_within_what_is_not_base64_is_an_error() -> None:
    with pytest.raises(KeyError):
        splice_json(b'{"a":"?"}', {"/a!base64": [Edit(0, 0, "x")]})


def test_a_path_that_stands_twice_is_an_error() -> None:
    with pytest.raises(KeyError):
        splice_json(b'{"a":"x","a":"y"}', {"/a": [Edit(0, 1, "")]})


@pytest.mark.parametrize(
    "edits", [[Edit(0, 2, ""), Edit(1, 3, "")], [Edit(0, 9, "")], [Edit(2, 1, "")]]
)
def test_edits_that_make_no_sense_are_errors(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match="overlap"):
        apply("abc", edits)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def strings(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(path, value)]
    if isinstance(value, dict):
        return [f for k, v in value.items() for f in strings(v, f"{path}/{escape(k)}")]
    if isinstance(value, list):
        return [f for i, v in enumerate(value) for f in strings(v, f"{path}/{i}")]
    return []


def replaced(value: Any, at: str, new: str, path: str = "") -> Any:
    if path == at and isinstance(value, str):
        return new
    if isinstance(value, dict):
        return {k: replaced(v, at, new, f"{path}/{escape(k)}") for k, v in value.items()}
    if isinstance(value, list):
        return [replaced(v, at, new, f"{path}/{i}") for i, v in enumerate(value)]
    return value


@settings(deadline=None)
@given(JSON, st.booleans(), st.sampled_from([None, 1]), st.text(max_size=5), st.data())
def test_splicing_is_editing_the_value(
    value: Any, ascii_only: bool, indent: int | None, new: str, data: st.DataObject
) -> None:
    found = strings(value)
    if not found:
        return
    path, text = data.draw(st.sampled_from(found))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    after = splice_json(body.encode(), {path: [Edit(start, end, new)]}).decode()
    assert json.loads(after) == replaced(value, path, text[:start] + new + text[end:])
    spans = {p: (s, e) for p, s, e in values(body) if not p.endswith("~")}
    first, last = spans[path]
    assert after[: first + 1] == body[: first + 1]
    assert after.endswith(body[last - 1 :])


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_every_string_is_found_where_it_stands(value: Any) -> None:
    body = json.dumps(value)
    found = [
        (path, json.loads(body[start:end]))
        for path, start, end in values(body)
        if body[start] == '"' and not path.endswith("~")
    ]
    assert found == [f for f in strings(value) if not f[0].endswith("~")]


@pytest.mark.parametrize(
    ("body", "after"),
    [
        (b"{}", b'{"m": "x"}'),
        (b" { } ", b' {"m": "x" } '),
        (b'{"a":{}}', b'{"m": "x","a":{}}'),
    ],
)
def test_a_member_put_in_front_leaves_the_rest(body: bytes, after: bytes) -> None:
    assert insert_member(body, "m", "x") == after


@pytest.mark.parametrize(
    ("edits", "span", "expected"),
    [
        ([], (2, 5), (2, 5)),
        ([Edit(2, 5, "XY")], (0, 2), (0, 2)),
        ([Edit(2, 5, "XY")], (4, 6), (5, 7)),
        ([Edit(2, 5, "XY")], (3, 4), (2, 5)),
        ([Edit(2, 5, "XY")], (0, 3), (0, 5)),
        ([Edit(2, 5, "XY")], (3, 6), (2, 7)),
        ([Edit(2, 5, "")], (1, 3), (1, 6)),
        ([Edit(2, 5, "")], (0, 2), (0, 2)),
        ([Edit(2, 5, "")], (2, 3), (5, 6)),
        ([Edit(0, 1, "XYZ"), Edit(4, 6, "W")], (3, 6), (1, 4)),
        ([Edit(0, 1, "XYZ"), Edit(4, 6, "W")], (3, 8), (1, 7)),
        ([Edit(0, 1, "XYZ"), Edit(4, 6, "W")], (0, 7), (0, 6)),
    ],
)
def test_what_stands_in_an_edited_text_is_found_again(
    edits: list[Edit], span: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert origin(edits, *span) == expected
