from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.canonical import canonical, digest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ("é😀", '"\\u00e9\\ud83d\\ude00"'),
        ((1, 2), "[1,2]"),
        ({}, "{}"),
    ],
)
def test_one_spelling(value: Any, text: str) -> None:
    assert canonical(value) == text
    assert digest(value) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("value", [1.0, {"a": 0.5}, {1: 2}, [b"x"], {"a": {1}}, {"a": object()}])
def test_what_has_no_one_spelling_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="canonical"):
        canonical(value)


@given(VALUES)
@settings(max_examples=50, deadline=None)
def test_the_text_reads_back_and_repeats(value: Any) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text
    assert text.isascii()
