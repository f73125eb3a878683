"""No regular expression that texts meet takes more than linear time, whatever the text.

Every one that a module of the detectors holds is tried, so a new one is tested by existing. Those
of pattern packs, of identifiers and of Presidio have tests of their own beside them.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable

import pytest

from gateway import detectors
from tests.timing import assert_linear

# What starts a match again and again and never ends it, for one or another of them.
UNITS = (
    "a", "A", "1", "0 ", "a.", "a-", "-", "1-", "a@", "@a.", "::", "(", ")", "[", "&", "&a", "%4",
    "\\", "\\u", "\n", "a\n", " ", "\t", "'", '"', "=", "a=", "a:", "//", "http://", "<", "<a ",
    "![", "](", "-----BEGIN ", "a_", "é", "я", "中", "\u200b", "a\u0301", "1.", "1,", "A1 ", "eyJ",
    "==",
)  # fmt: skip
# Only ever asked about the whole of an assessor's short answer.
WHOLE = {
    f"gateway.detectors._assessors.{name}"
    for name in ("granite_guardian._SCORE", "granite_guardian._WORD", "shield_gemma._ANSWER")
}


def compiled() -> dict[str, re.Pattern[str]]:
    """By module and name; each pattern once."""
    found: dict[re.Pattern[str], str] = {}
    for info in pkgutil.walk_packages(detectors.__path__, f"{detectors.__name__}."):
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                found.setdefault(value, f"{info.name}.{name}")
    return {name: pattern for pattern, name in found.items()}


PATTERNS = compiled()


def search(name: str) -> Callable[[str], object]:
    pattern = PATTERNS[name]
    if name in WHOLE:
        return pattern.fullmatch
    return lambda text: [None for _ in pattern.finditer(text)]


def test_there_are_patterns_to_try() -> None:
    assert len(PATTERNS) > 60


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_time_grows_with_the_text_only(name: str) -> None:
    look = search(name)
    for unit in UNITS:
        assert_linear(lambda chars, unit=unit: look((unit * chars)[:chars] + "!"), 4_000, 16_000)


def test_what_backtracks_is_told() -> None:
    PATTERNS["here"] = re.compile(r"a+b")
    try:
        with pytest.raises(AssertionError):
            test_time_grows_with_the_text_only("here")
    finally:
        del PATTERNS["here"]
