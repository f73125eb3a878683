"""Texts to learn from: filled carriers and labelled data sets, changed and cut into windows.

A window is what the detector is given at run time (`gateway.core.windows`), so texts are put
together and cut by the same code.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from gateway.core.segments import cut
from gateway.core.windows import windows
from training.names.carriers import Carriers, Filler, Marked, joined
from training.names.tags import KEPT, RENAMED

# As much of an unmarked text as is looked at.
PLAIN_CHARS = 3_000
# How often a sentence that names nobody is added.
PROSE = 0.2
_JOINTS = ("\n", " ", " ", "\n\n")


def made(
    carriers: Sequence[Carriers], filler: Filler, rng: random.Random, count: int
) -> Iterator[Marked]:
    """Texts of one to five carriers of a language; every second changed in some way.

    A language weighs by the square root of its number of carriers.
    """
    weights = [len(each.lines) ** 0.5 for each in carriers]
    for _ in range(count):
        (chosen,) = rng.choices(carriers, weights)
        number = rng.choice((1, 1, 1, 2, 3, 5))
        parts = [filler.fill(chosen, rng.choice(chosen.lines)) for _ in range(number)]
        if rng.random() < PROSE and (prose := filler.prose(chosen.language)):
            parts.insert(rng.randrange(number + 1), Marked(prose))
        yield changed(together(parts, rng.choice(_JOINTS)), rng)


def labelled(path: Path, *, half: int | None = None) -> list[Marked]:
    """The rows of a data set of personal data. half: 0 or 1, the one to leave out."""
    out = []
    for i, row in enumerate(rows(path)):
        if half is not None and half_of(row, i) == half:
            continue
        spans = [
            (s["start"], s["end"], RENAMED.get(s["type"], s["type"]))
            for s in sorted(row["spans"], key=lambda s: int(s["start"]))
        ]
        out.append(joined(Marked(row["text"], [s for s in spans if s[2] in KEPT])))
    return out


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a data set."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def half_of(row: dict[str, Any], place: int) -> int:
    """Which half a row is in: all of a template are in one. Without one, its place decides."""
    return crc32(str(row.get("template") or place).encode()) % 2


def plain(path: Path, sources: Sequence[str] = ()) -> list[Marked]:
    """The rows of a data set that nobody has marked. sources: beginnings of those that count."""
    return [
        Marked(row["text"][:PLAIN_CHARS], partly=True)
        for row in rows(path)
        if not sources or row.get("source", "").startswith(tuple(sources))
    ]


def together(parts: Sequence[Marked], joint: str) -> Marked:
    """One text of several."""
    text, spans = "", []
    for part in parts:
        text += joint if text else ""
        spans += [(start + len(text), end + len(text), type_) for start, end, type_ in part.spans]
        text += part.text
    return Marked(text, spans)


def changed(marked: Marked, rng: random.Random) -> Marked:
    """The text in small or capital letters, or without its marks; mostly as it is.

    Each change keeps the number of characters, so that nothing that is marked moves.
    """
    chance = rng.random()
    text = marked.text
    if chance < 0.08:
        text = _kept(text, text.lower())
    elif chance < 0.12:
        text = _kept(text, text.upper())
    elif chance < 0.15:
        text = text.replace(",", " ").replace(".", " ")
    elif chance < 0.19:
        text = _names_changed(marked, rng)
    elif chance < 0.3 and not marked.spans:
        text = _kept(text, text.title())
    return Marked(text, marked.spans)


def cut_up(marked: Marked, rng: random.Random, most: int) -> list[Marked]:
    """Up to `most` windows of a text, with what is marked wholly or partly in them."""
    found = windows(marked.text, 0, ends := cut(marked.text, final=True))
    pairs = list(zip(found, ends, strict=True))
    if len(pairs) > most:
        pairs = rng.sample(pairs, most)
    out = []
    for window, end in pairs:
        first = end - len(window.text)
        spans = [
            (max(0, start - first), min(stop, end) - first, type_)
            for start, stop, type_ in marked.spans
            if start < end and stop > first
        ]
        out.append(Marked(window.text, spans, partly=marked.partly))
    return out


def _kept(text: str, other: str) -> str:
    return other if len(other) == len(text) else text


def _names_changed(marked: Marked, rng: random.Random) -> str:
    """What is marked, and only that, in capital or small letters."""
    text = marked.text
    lower = rng.random() < 0.5
    for start, end, _ in marked.spans:
        part = text[start:end]
        text = text[:start] + _kept(part, part.lower() if lower else part.upper()) + text[end:]
    return text
