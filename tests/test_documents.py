"""YAML is read strictly, with lines, and within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway import documents
from gateway.core.errors import ConfigError


def one(text: str) -> documents.Document:
    (document,) = documents.parse(text.encode(), "f.yaml")
    return document


def test_values_remember_their_lines() -> None:
    document = one("a: 1\nb:\n  - x\n  - c: true\n")
    assert document.value == {"a": 1, "b": ["x", {"c": True}]}
    assert document.lines[("b", 1, "c")] == 4
    assert str(document.error(("b", 1, "missing", 3), "no.")) == "f.yaml:4: no."


def test_several_documents() -> None:
    assert [d.value for d in documents.parse(b"a: 1\n---\n---\nb: 2\n", "f")] == [
        {"a": 1},
        None,
        {"b": 2},
    ]


def test_dates_stay_as_written() -> None:
    assert one("version: 2026-11-01").value == {"version": "2026-11-01"}


def test_an_alias_is_a_copy() -> None:
    assert one("a: &x [1, 2]\nb: *x").value == {"a": [1, 2], "b": [1, 2]}


BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
REFUSED = [
    (BOMB, r"f.yaml:\d+: more than 200000 values"),
    ("&a [*a, *a]", "f.yaml:1: (nested deeper|more than)"),
    ("---\na: &a [" + "x, " * 30_000 + "]\nb: [*a, *a, *a, *a, *a, *a, *a]", "more than 200000"),
    ("[" * 40 + "]" * 40, "nested deeper than 32 levels"),
    ("[" * 200_000, "not YAML: RecursionError"),
    ("- " * 200_000, "not YAML: RecursionError"),
    ("? " * 200_000, "not YAML: RecursionError"),
    ("a: 1\na: 2", "f.yaml:2: 'a' is given twice"),
    ("<<: {a: 1}", "without merging"),
    ("[a]: 1", "keys are plain words"),
    ("a: b: c", "f.yaml:1: not YAML"),
    ("a: !!int ''", "f.yaml:1: a value that YAML cannot read"),
    ("a: !!bool x", "f.yaml:1: a value that YAML cannot read"),
    ("a: !!timestamp x", "f.yaml:1: a value that YAML cannot read"),
    ("a: !!python/name:os.system x", "f.yaml:1: a value that YAML cannot read"),
    ("a: " + "9" * 5_000, "f.yaml:1: a value that YAML cannot read"),
    ("a: \x00", "not YAML"),
    ("x" * (4 * 1024 * 1024 + 1), "larger than 4 MiB"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        documents.parse(text.encode(), "f.yaml")


def test_the_bound_is_for_the_file_and_not_for_each_document() -> None:
    half = "a: &a [" + "x, " * 20_000 + "]\nb: [*a, *a, *a, *a]\n"
    documents.parse(half.encode(), "f")
    with pytest.raises(ConfigError, match="more than"):
        documents.parse(f"{half}---\n{half}".encode(), "f")


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"not UTF-8 \(byte 3\)"):
        documents.parse(b"a: \xff", "f")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        documents.load(tmp_path / "none.yaml")


def test_a_near_name_is_offered() -> None:
    assert documents.unknown("redacted", ["redact", "block"]) == (
        " Did you mean 'redact'? Known: block, redact."
    )


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text("{}[]:,-&*!|>'\"#%@ \nab1.", max_size=60)))
@example("!!binary x")
@example("? a\n: b")
def test_anything_is_read_or_refused(data: str | bytes) -> None:
    raw = data.encode() if isinstance(data, str) else data
    try:
        found = documents.parse(raw, "f")
    except ConfigError:
        return
    assert all(document.lines[()] >= 1 for document in found)
