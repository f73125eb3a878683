from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.ports import Window
from gateway.core.segments import cut
from gateway.core.windows import windows
from gateway.detectors._locator import Locator
from gateway.detectors._questions import fired

UNITS = [
    "fire ",
    "AKIAQ3EGUZHLWQRT2B7C ",
    "4111 1111 1111 1111 ",
    "words and words. ",
    "x" * 90,
    "\n",
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
    alone = [patterns_locator.hints(w.text, ["patterns"]) for w in found]
    assert fired(found, ["patterns"], patterns_locator) == alone
