"""Segments with the text before them, so that a detector sees what led up to each.

The context is a fixed number of characters: what is found in a segment depends on the
text alone, never on how it arrived or what else was judged with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.ports import Window

LEFT_CONTEXT_CHARS = 160


def windows(text: str, start: int, ends: Sequence[int]) -> list[Window]:
    """One window for each segment of text[start:].

    start: where the first segment starts. ends: ascending ends of the segments, as
    `segments.cut` gives them. A window's text is text[max(0, segment start - 160):end];
    a finding at offset i of it stands at i + end - len(window.text) in `text`.
    """
    out: list[Window] = []
    for end in ends:
        first = max(0, start - LEFT_CONTEXT_CHARS)
        out.append(Window(text[first:end], start - first, end - first))
        start = end
    return out
