"""What is encoded is read, and told in characters of the text as it is written."""

from __future__ import annotations

import itertools
from functools import cache
from html import escape
from html.entities import html5
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.detectors import _marks
from gateway.detectors._view import view
from tests.timing import assert_linear

# written -> read
READ = {
    "jan&#64;firma.de": "jan@firma.de",
    "jan&#x40;firma.de": "jan@firma.de",
    "jan&#X0040;firma.de": "jan@firma.de",
    "jan&#64 firma": "jan@ firma",
    "jan&commat;firma&period;de": "jan@firma.de",
    "m&uuml;ller": "müller",
    "a&nbsp;b&NewLine;c": "a b\nc",
    "a&shy;b&ZeroWidthSpace;c&#8203;d": "abcd",
    "jan%40firma.de": "jan@firma.de",
    "m%C3%BCller%40x.de": "müller@x.de",
    "%F0%9F%98%80": "😀",
    "%FF%41%C3x%E2%82": "%FFA%C3x%E2%82",
    "a%E2%80%8Bb%EF%BC%A0c": "ab@c",
    r"jan\u0040firma\x2ede": "jan@firma.de",
    r"jan\\u0040firma": "jan@firma",
    r"\ud83d\ude00 \ud83d": "😀 \\ud83d",
    "jan%2540firma.de": "jan@firma.de",
    "m%25C3%25BCller": "müller",
    "jan&amp;commat;firma&amp;#46;de": "jan@firma.de",
    "jan%26%2364%3Bfirma": "jan@firma",
    r"jan\u0026#64;firma": "jan@firma",
    "jan%252540": "jan%40",
    "&amp;amp;#64;": "&#64;",
    "j\u200ba\u2060\ufe01n\xad@\U000e0100firma": "jan@firma",
    "4\ufe0f1\ufe0f1": "411",
    "4\U000e00611": "41",
    "see\U000e006a\U000e0061\U000e006e\U000e0040": "seejan@",
    "ｊａｎ＠ｆｉｒｍａ．ｄｅ": "jan@firma.de",
    "𝗷𝗮𝗻@ﬁrma": "jan@ﬁrma",
    "key：４１": "key:41",
    "4111\xa01111\u20111111": "4111 1111-1111",
    "AKIАQ3": "AKIAQ3",
    "АKIAQ3": "AKIAQ3",
    "a\u200b": "a",
    "\u200ba": "a",
}
# What reads as it is written, however odd it looks.
PLAIN = [
    "",
    "50% of 100 %, %4, %zz, %u",
    "if (a && b & c) x = &value; y = &foo; AT&T &; &#; &#x;",
    r"C:\users\new \d+ \n \\server\share \uXYZ",
    "&notaname; &DiacriticalGrave;",
    "Grüße – naïve “quotes”, 10 m², 1º, … № ½",
    "❤️ 👩\u200d💻 👍🏽 🏳️\u200d🌈 1️⃣ 2️⃣ #️⃣ ☺\ufe0e ©\ufe0f",
    "ПРИВЕТ, это web-сайт и USB-кабель; Ελλάδα",
    "می\u200cخواهم, क्\u200dष",
    "（中文，标点）：好！",
]


@pytest.mark.parametrize(("written", "read"), READ.items())
def test_what_is_encoded_is_read(written: str, read: str) -> None:
    seen = view(written)
    assert seen is not None
    assert seen.text == read


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_not_encoded_has_no_view(text: str) -> None:
    assert view(text) is None


@cache
def encoded(char: str) -> list[str]:
    """A character in its encodings, each whole, then itself."""
    code = ord(char)
    names = [f"&{n}" for n, said in html5.items() if said == char and n[-1] == ";" and len(n) <= 15]
    return [
        f"&#{code};",
        f"&#x{code:x};",
        *names[:1],
        "".join(f"%{octet:02X}" for octet in char.encode()),
        f"%25{code:02x}" if code < 0x80 else char,
        f"\\u{code:04x}",
        f"&amp;#{code};",
        char,
    ]


def unseen(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["", "", "\u200b", "\u2060\u200b", "\xad" * 40]))


@st.composite
def writings(draw: st.DrawFn, alphabet: str = "abc @.-019ü") -> list[tuple[str, str]]:
    """(character, one way to write it) one by one; between them, what shows nothing."""
    said = draw(st.text(alphabet, min_size=1, max_size=30))
    return [(char, draw(st.sampled_from(encoded(char))) + unseen(draw)) for char in said]


@given(writings())
def test_each_character_read_stands_where_it_is_written(pairs: list[tuple[str, str]]) -> None:
    written = "".join(w for _, w in pairs)
    read = "".join(char for char, _ in pairs)
    seen = view(written)
    if seen is None:
        assert written == read
        return
    assert seen.text == read
    starts = [0, *itertools.accumulate(len(w) for _, w in pairs)]
    for i, (_, way) in enumerate(pairs):
        mark = way.rstrip("\u200b\u2060\xad")
        assert seen.span(i, i + 1) == (starts[i], starts[i] + len(mark))
        assert seen.whole(starts[i], starts[i] + 1) == seen.span(i, i + 1)


@given(writings())
def test_up_to_its_first_mark_a_text_reads_as_it_is_written(pairs: list[tuple[str, str]]) -> None:
    written = "".join(w for _, w in pairs)
    seen = view(written)
    if seen is None or not seen.marks:
        return
    before = seen.marks[0] - _marks.MAX_CHARS
    assert written[: max(0, before)] == seen.text[: max(0, before)]
    assert list(seen.marks) == sorted(set(seen.marks))


@settings(deadline=None, max_examples=30)
@given(writings())
def test_a_prefix_shows_the_marks_that_end_in_it(pairs: list[tuple[str, str]]) -> None:
    written = "".join(w for _, w in pairs)
    whole = view(written)
    marks = list(whole.marks) if whole else []
    for length in range(len(written) + 1):
        seen = view(written[:length])
        assert {m for m in marks if m <= length} <= set(seen.marks if seen else ())


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_is_read(text: str) -> None:
    seen = view(text)
    if seen is not None:
        assert len(seen.text) <= len(text)
        assert not seen.text or seen.span(0, len(seen.text))[1] <= len(text)


@given(st.text("aZ09 @.-_+/<>\"'ü中😀\n"))
def test_what_libraries_encode_is_read(text: str) -> None:
    for written in (quote(text), quote(quote(text)), escape(text), escape(escape(text))):
        seen = view(written)
        assert (seen.text if seen else written) == text


def test_no_mark_is_longer_than_a_stream_holds_back_for() -> None:
    seen = view("&#000000000064;&#x00000000040;&ZeroWidthSpace;" + r"\\\ud83d\ude00\\\u0040")
    assert seen is not None
    assert seen.text == "@@😀@"
    longest = max(end - start for start, end in (seen.span(i, i + 1) for i in range(4)))
    assert longest <= _marks.MAX_CHARS


@pytest.mark.parametrize(
    "unit",
    ["%41", "%2541", "\u200b", "a\u200b", "&#x41;", "&", "\\", "&aaaaaaaaaaaa", "Ａ", "aа", "❤️"],
)
def test_ten_times_as_much_takes_nowhere_near_a_hundred_times_as_long(unit: str) -> None:
    assert_linear(lambda count: view(unit * count), 1_000, 10_000)
