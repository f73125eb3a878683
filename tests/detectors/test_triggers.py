from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ConfigError
from gateway.detectors._fold import fold
from gateway.detectors._triggers import trigger

PATTERNS = [
    r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
    r"(?<!\w)[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}\b",
    r"(?i)\b[a-z]{2}\s?\d{6,9}[A-D]?\b",
    r"(?:AB|CDE|F[^x]G)\d{4}(?:-\d{2})?",
    r"tok_[A-Za-z0-9]{36,}",
    r"(?=[A-Z])[A-Z0-9]{4}(?!X)",
    r"user: (?P<secret>\w{5,90})",
    r"(?:\d[ .]?){13,19}",
]


@pytest.mark.parametrize("pattern", PATTERNS)
@given(data=st.data())
def test_fires_within_every_match_and_within_reach(pattern: str, data: st.DataObject) -> None:
    found = data.draw(st.from_regex(pattern).filter(lambda s: re.search(pattern, s)))
    made = trigger("x", pattern)
    compiled = re.compile(made.pattern.encode(), re.IGNORECASE if made.ignore_case else 0)
    folded = fold(found)
    for match in re.finditer(pattern, found):
        start = match.start("secret") if "secret" in match.re.groupindex else match.start()
        ends = [
            end
            for first in range(len(folded))
            for end in range(first, match.end() + 1)
            if compiled.fullmatch(folded, first, end)
        ]
        assert any(start < end <= match.end() and start >= end - made.reach_chars for end in ends)


def test_reach_is_that_of_the_earliest_end() -> None:
    assert trigger("x", r"\bIBAN[0-9]{8,30}(?:-[0-9]{4})?\b").reach_chars == 12


def test_reach_counts_from_the_secret() -> None:
    assert trigger("x", r"password = {0,9}(?P<secret>\d{6})").reach_chars == 6


def test_a_long_pattern_has_a_short_trigger() -> None:
    assert trigger("x", "[0-9a-f]{400}").reach_chars <= 64


@pytest.mark.parametrize("pattern", [r"\w+@\w+", "a?", "(?:ab)*c", "x+(?P<secret>abc)", r"\b"])
def test_open_ended_patterns_demand_a_trigger_by_hand(pattern: str) -> None:
    with pytest.raises(ConfigError, match="open-ended"):
        trigger("x", pattern)
