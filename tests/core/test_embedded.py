from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.embedded import data_text, decoded, encoded, is_text

TEXT = "Grüße an jan@firma.de"
CONTENT = base64.b64encode(TEXT.encode()).decode()


@pytest.mark.parametrize(
    "head",
    ["data:;base64,", "data:text/plain;base64,", "DATA:text/csv;charset=utf-8;base64,",
     "data:application/json;base64,", "data:application/ld+json;base64,"],
)  # fmt: skip
def test_text_in_a_data_url_is_read(head: str) -> None:
    assert data_text(head + CONTENT) == TEXT


@pytest.mark.parametrize(
    "value",
    ["", "x", CONTENT, "data:text/plain," + CONTENT, "data:image/png;base64," + CONTENT,
     "data:application/pdf;base64," + CONTENT, "data:text/plain;base64,%%%",
     "see data:text/plain;base64," + CONTENT],
)  # fmt: skip
def test_what_is_no_text_in_a_data_url_is_not_read(value: str) -> None:
    assert data_text(value) is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (CONTENT.rstrip("="), TEXT),
        (CONTENT[:8] + "\r\n" + CONTENT[8:], TEXT),
        (base64.urlsafe_b64encode("???>>>ÿÿÿ".encode()).decode(), "???>>>ÿÿÿ"),
        ("ab cd", None),
        ("abcde", None),
        (base64.b64encode(TEXT.encode("latin-1")).decode(), None),
        (base64.b64encode(TEXT.encode("utf-16-le")).decode(), None),
        (base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(), None),
    ],
)
def test_base64_is_read_as_kindly_as_others_read_it(content: str, text: str | None) -> None:
    assert decoded(content) == text


@given(st.text(), st.sampled_from(["", "data:text/plain;x=y;base64,"]))
def test_what_is_written_is_read(text: str, head: str) -> None:
    start, new = encoded(head + CONTENT, text)
    assert start == len(head)
    assert decoded(head + new) == (None if "\0" in text else text)


def test_media_types_of_text() -> None:
    assert is_text("text/markdown")
    assert is_text("application/vnd.api+json")
    assert not is_text("text/")
    assert not is_text("image/svg+xml")
    assert not is_text("application/octet-stream")
