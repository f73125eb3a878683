from __future__ import annotations

import hmac
import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.audit import chain
from gateway.core.canonical import canonical

HEAD = chain.Head("r1", 1_700_000_000_000, 1, -1, chain.GENESIS, 1_700_000_000_000)
ANY_TEXT = st.text(st.characters(exclude_categories=()))
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
)


@given(st.dictionaries(ANY_TEXT, DATA, max_size=4), st.lists(ANY_TEXT, min_size=8, max_size=8))
def test_core_is_canonical_json_of_everything_in_the_row(data, words):
    texts = chain.columns(tuple(words))
    row = chain.rows(HEAD, [("id", 5, texts, chain.data_text(data))])[0]
    core = json.loads(row[-3])
    assert canonical(core) == row[-3]
    assert tuple(core[name] for name in ("replica", "epoch", "n", "id", "ts_ms")) == row[:5]
    assert row[5:13] == texts
    assert "\0" not in row[-3]
    assert "\\u0000" not in row[-3].replace("\\\\", "")


def test_each_row_follows_the_one_before():
    entry = ("id", 5, ("",) * 8, "{}")
    first, second = chain.rows(HEAD, [entry, entry])
    assert first[-2] == chain.GENESIS
    assert second[-2] == first[-1] == chain.entry_hash(chain.GENESIS, first[-3].encode())


def test_hash_of_a_known_entry():
    # SHA-256 of 33 zero bytes and "{}", computed with coreutils' sha256sum.
    expected = "df2fad6a42533aaab95db7d32ba62a1222257cd5908f1f5eb7ce850d55dc0709"
    assert chain.entry_hash(chain.GENESIS, b"{}").hex() == expected


def test_prev_must_be_a_hash():
    with pytest.raises(ValueError, match="32 bytes"):
        chain.entry_hash(b"", b"{}")


@pytest.mark.parametrize(
    "changed",
    [
        {"n": 4},
        {"hash": b"x" * 32},
        {"ordinal": 2},
        {"epoch": 2},
        {"replica": "r2"},
        {"closed_ms": 9},
        {"opened_ms": 9},
    ],
)
def test_every_field_of_a_head_is_sealed(changed):
    assert replace(HEAD, **changed).mac(b"k" * 32) != HEAD.mac(b"k" * 32)


def test_seal_is_over_canonical_json():
    values = ["chain", "r1", HEAD.epoch, 1, -1, "00" * 32, HEAD.opened_ms, None]
    assert HEAD.mac(b"k") == hmac.digest(b"k", canonical(values).encode(), "sha256")
    values[-1] = 9
    sealed = replace(HEAD, closed_ms=9).mac(b"k")
    assert sealed == hmac.digest(b"k", canonical(values).encode(), "sha256")


@pytest.mark.parametrize("value", [0.5, -1.0, 1e300, [1.5], {"a": 2.0}])
def test_floats_are_refused(value):
    with pytest.raises(TypeError):
        chain.data_text({"score": value})


@given(st.dictionaries(st.text(), DATA, max_size=4))
@example({"a": "\x7f", "b": '\x1f\n"\\\u2028/<', "é": -5, "c": 2**70, "d": [1, ":1.5"]})
def test_quick_spelling_is_the_canonical_one(data):
    text = canonical(data)
    if "\\u0000" not in text and "\\ud" not in text:
        assert chain.data_text(data) == text
