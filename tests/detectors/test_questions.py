from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.judgement import Finding
from gateway.core.ports import Window
from gateway.core.segments import cut
from gateway.core.windows import windows
from gateway.detectors._jobs import Outcome, Row
from gateway.detectors._locator import Locator
from gateway.detectors._questions import Question, fired, merge
from gateway.detectors._view import view

UNITS = [
    "fire ",
    "AKIAQ3EGUZHLWQRT2B7C ",
    "4111 1111 1111 1111 ",
    "words and words. ",
    "x" * 90,
    "\n",
    "&#52;111 1111&nbsp;1111 1111 ",
    "AKIA%51%33EGUZ\u200bHLWQRT2B7C",
    "%41%4",
    "\u200b" * 70,
    "&amp;#",
]
TEXTS = st.lists(st.sampled_from(UNITS), max_size=30).map("".join)


@example(["AKIAQ3EGUZHLWQRT2B7C"], False)
@given(st.lists(TEXTS, max_size=4), st.booleans())
def test_scanning_windows_together_is_like_scanning_each(
    patterns_locator: Locator, texts: list[str], backwards: bool
) -> None:
    found: list[Window] = [w for text in texts for w in windows(text, 0, cut(text, final=True))]
    if backwards:
        found.reverse()
    together = fired(found, ["patterns"], patterns_locator)
    for window, both in zip(found, together, strict=True):
        (alone,) = fired([window], ["patterns"], patterns_locator)
        assert (both.written, both.read) == (alone.written, alone.read)


def test_a_mark_cut_by_a_window_is_read_as_what_is_left_of_it(patterns_locator: Locator) -> None:
    text = "%4AKIA%51%33EGUZHLWQRT2B7C and more"
    first, second = Window(text[:26], 0, 26), Window(text[2:], 24, 33)
    assert fired([first, second], ["patterns"], patterns_locator) == [
        *fired([first], ["patterns"], patterns_locator),
        *fired([second], ["patterns"], patterns_locator),
    ]
    assert fired([second], ["patterns"], patterns_locator)[0].read


def test_one_thing_found_both_ways_is_told_once() -> None:
    window = Window("m&uuml;ller@x.de", 0, 16)
    (short, long) = Row("MAIL", 7, 16, 0.5), Row("MAIL", 0, 11, 0.5)
    questions = [
        Question(0, window, [], view(window.text)),
        Question(0, window, [], view(window.text), read=True),
    ]
    out: list[list[Finding]] = [[]]
    assert merge("d", questions, Outcome([[short], [long]]), ["MAIL"], out)
    assert out == [[Finding("d", "MAIL", 0, 16, 0.5)]]


def test_the_surer_of_two_is_told_although_it_is_shorter() -> None:
    window = Window("m&uuml;ller@x.de", 0, 16)
    questions = [
        Question(0, window, [], view(window.text)),
        Question(0, window, [], view(window.text), read=True),
    ]
    rows = [[Row("MAIL", 7, 16, 0.9)], [Row("MAIL", 0, 11, 0.5)]]
    out: list[list[Finding]] = [[]]
    assert merge("d", questions, Outcome(rows), ["MAIL"], out)
    assert [(f.start, f.score) for f in out[0]] == [(0, 0.5), (7, 0.9)]


def test_a_finding_takes_up_the_marks_it_touches() -> None:
    window = Window("a%204111", 0, 8)
    seen = view(window.text)
    assert Question(0, window, [], seen).place(Row("X", 2, 8, 1.0)) == (1, 8)
    assert Question(0, window, [], seen, read=True).place(Row("X", 1, 6, 1.0)) == (1, 8)
