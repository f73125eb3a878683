"""Texts cut as the gateway cuts them, and which windows show an attack.

A text's score is that of its highest window. So only those windows of an attack teach what
attacks look like in which it stands; those beside it show what documents look like.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.core import windows
from gateway.core.segments import cut
from training.injection.texts import Text

# Of a long text so many windows, evenly spread.
_MOST = 12
# How much of an attack must be seen: so many characters, or all of a shorter one.
_SEEN_CHARS = 30


@dataclass(frozen=True, slots=True)
class Example:
    """One window. text: the number of the text that it is of.

    target: 1 where an attack stands, 0 where none does, None where it may.
    """

    text: int
    window: str
    target: int | None


def examples(texts: Iterable[Text]) -> list[Example]:
    """The windows that can be learnt from."""
    out = []
    for number, text in enumerate(texts):
        ends = cut(text.text, final=True)
        seen = windows.windows(text.text, 0, ends)
        found = [
            Example(number, window.text, target)
            for window, end in zip(seen, ends, strict=True)
            if (target := _target(text, end - len(window.text), window.own_start, end)) != -1
        ]
        step = max(1.0, len(found) / _MOST)
        out += [found[int(i * step)] for i in range(min(len(found), _MOST))]
    return out


def _target(text: Text, start: int, own_start: int, end: int) -> int | None:
    """As in `Example`; -1 for a window that shows too little of an attack to tell."""
    if text.kind == "benign":
        return 0
    if not text.end:
        return None
    seen = max(0, min(end, text.end) - max(start, text.start))
    own = max(0, min(end, text.end) - max(start + own_start, text.start))
    whole = text.end - text.start
    if text.kind == "attack":
        return 1 if seen >= min(whole, _SEEN_CHARS) else -1
    if not seen:
        return 0
    # All of it in the context, and what it was planted before behind it.
    if not own:
        return 1 if seen == whole else -1
    return 1 if own >= 0.6 * min(whole, _SEEN_CHARS) else -1
