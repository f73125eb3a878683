from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detectors._fold import fold
from gateway.detectors._terms import trigger_of
from gateway.detectors._view import view
from gateway.detectors._written import GAP_CHARS, form, written

TERM = st.text(
    st.sampled_from("abfilsßİıäéñøœЖйΣςがサー北한 -_.&9٣"), min_size=3, max_size=12
).filter(lambda text: len(form(text)) >= 3)
WAYS = [
    str,
    str.upper,
    str.lower,
    str.title,
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: unicodedata.normalize("NFD", text.upper()),
    lambda text: unicodedata.normalize("NFC", text),
    lambda text: text.replace(" ", "\u00a0\n"),
    lambda text: text.replace("ss", "ß").replace("fi", "ﬁ").replace("fl", "ﬂ").replace("ff", "ﬀ"),
]


@given(TERM, st.sampled_from(WAYS), st.integers(0, 3))
def test_a_trigger_ends_where_its_term_ends(term, way, lead) -> None:
    wanted = form(term)
    text = "." * lead + way(term).strip(" -_\n\u00a0") + "."
    spans = list(written(text).find(wanted))
    trigger = trigger_of(wanted)
    pattern = re.compile(trigger.pattern.encode("ascii"), re.IGNORECASE)
    gaps = re.findall(r"[\s_-]+", text)
    for _, end in spans if all(len(gap) <= GAP_CHARS for gap in gaps) else ():
        seen = view(text)
        ways = [(fold(text), end)]
        if seen is not None:
            ways += [(fold(seen.text), at) for at in range(len(seen.text) + 1)]
        assert any(
            pattern.fullmatch(folded, first, at) for folded, at in ways for first in range(at)
        )


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("Nordlicht", "Das NORDLICHT.", ["NORDLICHT"]),
        ("Nordlicht", "Nordlichter", []),
        ("Nordlicht", "Nordlicht-Team, das_nordlicht", ["Nordlicht", "nordlicht"]),
        ("Blaue Lagune", "blaue\n  LAGUNE", ["blaue\n  LAGUNE"]),
        ("Blaue Lagune", "Blaue-Lagune blaue_lagune", ["Blaue-Lagune", "blaue_lagune"]),
        ("Straße 9", "STRASSE 9, straße 9", ["STRASSE 9", "straße 9"]),
        ("Müller", "mu\u0308ller MÜLLER", ["mu\u0308ller", "MÜLLER"]),
        ("İzmir", "izmir İZMİR", ["izmir", "İZMİR"]),
        ("北极光", "关于北极光项目", ["北极光"]),
        ("강남", unicodedata.normalize("NFD", "(강남)"), [unicodedata.normalize("NFD", "강남")]),
        ("office", "my oﬃce", ["oﬃce"]),
    ],
)
def test_terms_are_found_where_they_are_written(term: str, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in written(text).find(form(term))] == found


def test_within_words_if_that_is_wanted() -> None:
    assert list(written("Nordlichter").find("nordlicht", within_words=True)) == [(0, 9)]


@given(st.text())
def test_every_character_of_a_form_has_a_place(text: str) -> None:
    read = written(text)
    assert len(read.text) == len(read.spans)
    assert all(0 <= start < end <= len(text) for start, end in read.spans)
