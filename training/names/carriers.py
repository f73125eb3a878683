"""Carrier texts with slots, read from `carriers/*.txt` and filled with made-up values.

A file holds lists and carriers. `@name` opens a list: its entries follow, split at `|`; `@` alone
ends the lists, and every later line is a carrier. In a carrier `<name>` is an entry of a list,
`{slot}` a value, `[text|TYPE]` a marked text; `\\n` and `\\t` are what they say. Lists of
`en.txt` are known to all files. Which slots are marked as what stands in `TYPES`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from training.names import parts
from training.names.numbers import number
from training.names.values import Values

FOLDER = Path(__file__).parent / "carriers"

TYPES: Mapping[str, str] = {
    **dict.fromkeys(("person", "first", "last", "sur", "init"), "PERSON"),
    **dict.fromkeys(
        ("address", "street", "road", "city", "zip", "state", "country", "place"), "LOCATION"
    ),
    "company": "ORGANIZATION",
    "hospital": "ORGANIZATION",
    "date": "DATE_TIME",
    "year": "DATE_TIME",
    "nat": "NRP",
    "job": "OCCUPATION",
    "age": "AGE",
}
# How often a city is one of places.txt.
PLACES = 0.3
_PIECE = re.compile(r"<(\w+)>|\{(\w+)\}|\[([^\]|\n]+)\|([A-Z_]+)\]")


@dataclass(slots=True)
class Marked:
    """A text and what is marked in it: [start, end) and type, in order.

    partly: whether nobody has marked it, so that only what is surely no name can be learned.
    """

    text: str
    spans: list[tuple[int, int, str]] = field(default_factory=list)
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Carriers:
    """The carriers of one language (the first part of the file's name)."""

    language: str
    lines: Sequence[str]
    lists: Mapping[str, Sequence[str]]


def read(folder: Path = FOLDER) -> list[Carriers]:
    """All files of the folder, by name."""
    known = parsed((folder / "en.txt").read_text(encoding="utf-8"))[0]
    out = []
    for path in sorted(folder.glob("*.txt")):
        lists, lines = parsed(path.read_text(encoding="utf-8"))
        out.append(Carriers(path.stem.split("-")[0], lines, {**known, **lists}))
    return out


def parsed(text: str) -> tuple[dict[str, list[str]], list[str]]:
    """The lists and the carriers of a file."""
    lists: dict[str, list[str]] = {}
    lines: list[str] = []
    name: str | None = None
    within = True
    for line in text.splitlines():
        if line == "@":
            within = False
        elif within and line.startswith("@"):
            name = line[1:]
            lists[name] = []
        elif within and line and name and not line.startswith("# "):
            lists[name] += [entry for entry in line.split("|") if entry]
        elif not within and line:
            lines.append(line)
    return lists, lines


class Filler:
    """Fills carriers. All that it does depends on the seeds alone."""

    def __init__(self, values: Values, rng: random.Random) -> None:
        self._values = values
        self._rng = rng

    def fill(self, carriers: Carriers, line: str) -> Marked:
        """A carrier with everything in its place. Neighbours of one type are one."""
        locale = self._values.locale(carriers.language, self._rng)
        pieces: list[tuple[str, str]] = []
        self._expand(carriers, line, locale, pieces)
        text, spans = "", []
        for piece, type_ in pieces:
            if type_:
                spans.append((len(text), len(text) + len(piece), type_))
            text += piece
        return joined(Marked(text, spans))

    def _expand(
        self, carriers: Carriers, line: str, locale: str, pieces: list[tuple[str, str]]
    ) -> None:
        line = line.replace("\\n", "\n").replace("\\t", "\t")
        done = 0
        for match in _PIECE.finditer(line):
            pieces.append((line[done : match.start()], ""))
            done = match.end()
            listed, slot, marked, type_ = match.groups()
            if (name := listed or slot) in carriers.lists:
                entry = self._rng.choice(carriers.lists[name])
                self._expand(carriers, entry, locale, pieces)
            elif slot and (value := self._value(slot, locale, carriers.language)) is not None:
                pieces.append((value, TYPES.get(slot, "")))
            elif marked:
                inner: list[tuple[str, str]] = []
                self._expand(carriers, marked, locale, inner)
                pieces.append(("".join(piece for piece, _ in inner), type_))
            else:
                pieces.append((match.group(), ""))
        pieces.append((line[done:], ""))

    def _value(self, slot: str, locale: str, language: str) -> str | None:
        rng = self._rng
        if slot in parts.MAKERS:
            return parts.MAKERS[slot](self._values, locale, rng)
        if slot == "place" or (slot == "city" and rng.random() < PLACES):
            return rng.choice(self._values.places)
        if self._values.has(slot):
            return self._values.draw(slot, locale, rng)
        return number(slot, language, rng)

    def prose(self, language: str) -> str | None:
        """A sentence that names nobody, if there are any in this language."""
        return self._values.prose(language, self._rng)


_NEAR = re.compile(r"[\s,;/()-]{1,3}")


def joined(marked: Marked) -> Marked:
    """Places that stand side by side are one, and so are names with a space between them."""
    spans: list[tuple[int, int, str]] = []
    for start, end, type_ in marked.spans:
        if spans and spans[-1][2] == type_:
            gap = marked.text[spans[-1][1] : start]
            near = _NEAR.fullmatch(gap) if type_ == "LOCATION" else gap in (" ", "-")
            if near and type_ in ("LOCATION", "PERSON"):
                spans[-1] = (spans[-1][0], end, type_)
                continue
        spans.append((start, end, type_))
    return Marked(marked.text, spans)
