from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import segments
from gateway.core.segments import ARMOR_CHARS, MAX_CHARS, cut
from tests.timing import assert_linear

ARMOR = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7 x. y\n" * 60
ARMOR += "-----END RSA PRIVATE KEY-----"
PROSE = "The quick brown fox jumps over the lazy dog. It ran, then slept!\n" * 12
TEXTS = {
    "prose": PROSE,
    "no space": "x" * (MAX_CHARS + 500),
    "digits": "4111 1111 1111 1111, " * 150,
    "armour": PROSE + ARMOR + " " + PROSE,
    "armour without end": PROSE + "-----BEGIN " + "A" * 200 + ". " * 900,
    "other scripts": "私は東京に住んでいます。名前は田中です。 " * 40,
    "lines": "a\n" * 800,
}


def ends_by_growth(text: str, step: int) -> list[int]:
    """Ends as a stream finds them, from the last end on and with `step` more characters."""
    found = [0]
    for arrived in range(0, len(text) + step, step):
        final = arrived >= len(text)
        found += cut(text[: arrived if not final else len(text)], found[-1], final=final)
    return found[1:]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("step", [1, 7, 333])
def test_ends_do_not_depend_on_how_the_text_arrived(name: str, step: int) -> None:
    text = TEXTS[name]
    if step == 1:
        text = text[:2_500]
    assert ends_by_growth(text, step) == cut(text, final=True)


@given(st.text(alphabet='ab1@ .\n-。")', max_size=700), st.data())
@settings(max_examples=200, deadline=None)
def test_a_prefix_has_the_same_ends(text: str, data: st.DataObject) -> None:
    whole = cut(text, final=True)
    prefix = text[: data.draw(st.integers(0, len(text)))]
    decided = cut(prefix, final=False)
    assert decided == whole[: len(decided)]


@pytest.mark.parametrize("name", TEXTS)
def test_segments_tile_the_text_and_are_bounded(name: str) -> None:
    text = TEXTS[name]
    ends = cut(text, final=True)
    assert ends == sorted(set(ends))
    assert ends[-1] == len(text)
    sizes = [b - a for a, b in zip([0, *ends], ends, strict=False)]
    assert max(sizes) <= MAX_CHARS + ARMOR_CHARS


def test_armour_is_one_segment_at_most_cut_behind() -> None:
    text = TEXTS["armour"]
    start, end = text.index("-----BEGIN"), text.index("KEY----- ") + len("KEY-----")
    assert not [e for e in cut(text, final=True) if start < e < end]


def test_nothing_is_cut_inside_a_number() -> None:
    text = (
        "Card number follows here and it is the one to use for it: " * 4 + "4111 1111 1111 1111 ok"
    )
    number = text.index("4111")
    assert not [e for e in cut(text, final=True) if number < e < number + 19]


def test_empty_text_has_no_segments() -> None:
    assert cut("", final=True) == []
    assert cut("abc", final=False) == []


@pytest.mark.parametrize("unit", ["a", "a ", "a. ", "1 ", "-----BEGIN ", "\n", "-----BEGIN A\n.  "])
def test_cutting_takes_linear_time(unit: str) -> None:
    assert_linear(lambda chars: cut(unit * (chars // len(unit)), final=True), 100_000, 800_000)


def test_constants_are_in_order() -> None:
    sizes = (segments.MIN_CHARS, segments.SOFT_CHARS, segments.HARD_CHARS, segments.MAX_CHARS)
    assert list(sizes) == sorted(sizes)


def test_armour_of_60_kb_is_one_segment() -> None:
    armour = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n" + "q3xZt7Lw2Rb9Kp4Vn6Hs\n" * 2_900
    armour += "-----END PGP PRIVATE KEY BLOCK-----"
    assert cut(armour, final=True) == [len(armour)]
