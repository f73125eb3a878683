from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.segments import cut
from gateway.core.windows import LEFT_CONTEXT_CHARS, windows


@given(st.text(alphabet="ab .\n1", max_size=900))
def test_own_stretches_tile_the_text(text: str) -> None:
    ends = cut(text, final=True)
    own = [w.text[w.own_start : w.own_end] for w in windows(text, 0, ends)]
    assert "".join(own) == text
    assert all(own)


def test_context_is_what_stands_before() -> None:
    text = "x" * 300 + "y" * 10 + "z" * 5
    first, second = windows(text, 300, [310, 315])
    assert first.text == "x" * LEFT_CONTEXT_CHARS + "y" * 10
    assert (first.own_start, first.own_end) == (160, 170)
    assert second.text[second.own_start : second.own_end] == "z" * 5


def test_no_context_at_the_start() -> None:
    (window,) = windows("hello", 0, [5])
    assert (window.text, window.own_start, window.own_end) == ("hello", 0, 5)
