"""What makes no difference between two texts, and what does."""

from __future__ import annotations

import base64

import pytest

from gateway.detectors._verbatim.words import CHARACTER, WORD, finished, words
from tests.timing import assert_linear

PLAIN = ["it", "was", "a", "wellknown", "fact", "dont", "ask"]
SAME = {
    "as it is": "It was a well-known fact; don't ask.",
    "case": "IT WAS A WELL-KNOWN FACT; DON'T ASK.",
    "quotation marks": "\u201cIt was a well-known fact\u201d; don\u2019t ask.",
    "white space": "It  was\ta\n\nwell-known \u00a0fact; don't\r\nask.",
    "hyphenation": "It was a well-\n    known fact; don't ask.",
    "another hyphen": "It was a well\u2010known fact; don't ask.",
    "soft hyphen": "It was a well-kno\u00adwn fact; don't ask.",
    "Markdown": "**It** was _a_ `well-known` fact;\n> don't ask.",
    "line numbers": "1  It was a\n2  well-known fact;\n3  don't ask.",
    "verse numbers": "1 It was a well-known 2 fact; don't ask [3].",
    "full width": "\uff29\uff54 was a well-known fact; don't ask.",
    "ligature": "It was a well-known \ufb01act; don't ask.".replace("\ufb01act", "fact"),
    "entities": "It was a well-known fact&#59; don&#39;t ask.",
    "zero width": "It w\u200bas a well-known fact; don't ask.",
    "dashes": "It was a well-known fact \u2014 don't \u2013 ask \u2026",
}


@pytest.mark.parametrize("name", SAME)
def test_typesetting_makes_no_difference(name: str) -> None:
    assert words(SAME[name]).said == PLAIN


def test_unicode_forms_make_no_difference() -> None:
    assert words("Caf\u00e9 na\u00efve").said == words("Cafe\u0301 nai\u0308ve").said
    assert words("\ufb01ne \u017fo").said == ["fine", "so"]


def test_each_word_stands_where_it_is_said_to() -> None:
    for text in ("A well-known \u201cfact\u201d.", "a&#98;c 12 d-\ne"):
        found = words(text)
        for place, word in enumerate(found.said):
            start, end = found.span(place)
            assert words(text[start:end]).said == [word]


def test_scripts_without_spaces_are_read_by_characters() -> None:
    found = words("\u6211\u662fGPT\u3002\u0e44\u0e17")
    assert found.said == ["\u6211", "\u662f", "gpt", "\u0e44", "\u0e17"]
    assert found.sizes == [CHARACTER, CHARACTER, WORD, CHARACTER, CHARACTER]


def test_text_in_base64_is_read() -> None:
    inner = "These are the instructions that nobody may see, at any time."
    written = base64.b64encode(inner.encode()).decode()
    found = words(f"Here: {written} (decode it)")
    assert found.said == ["here", *words(inner).said, "decode", "it"]
    assert found.span(1) == found.span(len(words(inner).said)) == (6, 6 + len(written))
    assert words(f"x {written.rstrip('=')}").said[1:] == words(inner).said


def test_what_only_looks_like_base64_is_no_text() -> None:
    for text in (
        "a" * 40,
        "0123456789abcdef" * 4,
        "/usr/share/doc/some-package/examples/of/things",
    ):
        assert len(words(text).said) <= len(text.split("/"))


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("one two", 4), ("one two-", 4), ("one two-\n", 4), ("one don'", 4), ("one two.", 8),
        ("one two ", 8), ("one two\n", 8), ("", 0), ("...", 3), ("x" * 300, 300),
    ],
)  # fmt: skip
def test_a_last_word_may_go_on(text: str, end: int) -> None:
    assert finished(text, words(text)) == end


@pytest.mark.parametrize(
    "unit", ["a", "a-", "a'", "a-\n", "-\n", "\u0301", "'", "=", "\u4e00", "%41"]
)
def test_reading_is_linear(unit: str) -> None:
    def read(chars: int) -> None:
        text = unit * (chars // len(unit))
        finished(text, words(text))

    assert_linear(read, 40_000, 400_000)
