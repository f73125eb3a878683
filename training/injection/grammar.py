"""Texts from templates: `training/injection/text/*.txt`, written for this model.

A file opens blocks with a line in brackets. `[set NAME]` holds alternatives, parted by " ~ "
or line by line; `{NAME}` in a template stands for one of them, which may hold others. `[attack
FAMILY]`, `[planted FAMILY]` and `[benign FAMILY]` hold templates, one a line; `[prose]` the
sentences of harmless documents. `\\n` is a line break. What stands in braces and is no set is
either made up (`made.py`) or stays as it is: JSON has braces, too.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from training.injection.made import MADE

TEXT = Path(__file__).parent / "text"
LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pt")

_HEAD = re.compile(r"\[(set|attack|planted|benign|prose)(?: (\w+))?\]")
_SLOT = re.compile(r"\{(\w+)\}")
_SENTENCE = re.compile(r"(^|[.!?]\s+|\n)([a-zà-öø-ÿ])")
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Family:
    """Templates of one kind of text. kind: attack, planted, benign or prose."""

    kind: str
    name: str
    templates: list[str]


@dataclass(slots=True)
class Grammar:
    """What was written in one language."""

    language: str
    families: list[Family] = field(default_factory=list)
    sets: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def of(self, kind: str) -> list[Family]:
        """The families of a kind."""
        return [family for family in self.families if family.kind == kind]

    def expand(self, template: str, rng: random.Random) -> str:
        """One text of a template, its sentences begun with capitals."""
        text = self._filled(template.replace("\\n", "\n"), rng, 0)
        text = re.sub(r" +([.,;!])", r"\1", re.sub(r" {2,}", " ", text)).strip()
        text = re.sub(r"([.!?])\.(?=\s|$)", r"\1", text)
        return _SENTENCE.sub(lambda m: m[1] + m[2].upper(), text)

    def _filled(self, text: str, rng: random.Random, depth: int) -> str:
        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name in self.sets and depth < _MAX_DEPTH:
                return self._filled(rng.choice(self.sets[name]), rng, depth + 1)
            if name in MADE:
                return MADE[name](rng)
            return match.group()

        return _SLOT.sub(fill, text)


def read(language: str) -> Grammar:
    """All blocks of a language's files."""
    grammar = Grammar(language)
    for path in sorted(TEXT.glob("*.txt")):
        if path.stem == language or path.stem.endswith(f"_{language}"):
            for kind, name, lines in _blocks(path):
                if kind == "set":
                    for line in lines:
                        grammar.sets[name] += line.split(" ~ ")
                else:
                    grammar.families.append(Family(kind, name, lines))
    return grammar


def _blocks(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    kind, name, lines = "", "", list[str]()
    for line in path.read_text(encoding="utf-8").splitlines():
        head = _HEAD.fullmatch(line)
        if head:
            if kind:
                yield kind, name, lines
            kind, name, lines = head[1], head[2] or "", []
        elif kind and line.strip():
            lines.append(line)
    yield kind, name, lines
