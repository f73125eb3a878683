"""What a report holds, whatever it is written as: sections of texts, facts, tables, controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prose:
    """One paragraph. note: set apart, for what must not be overlooked."""

    text: str
    note: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with values; large: the few that sum all up."""

    rows: Sequence[tuple[str, str]]
    large: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. numbers: which columns, from 0, are figures. more: rows that are left out."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What the log shows of one control. standing: shows, partly or nothing."""

    id: str
    title: str
    standing: str
    badge: str
    doubt: str
    shows: str
    lacks: str
    facts: Facts
    files: Sequence[str]


Block = Prose | Facts | Grid | Finding


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a title."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. facts: what it is about, under its title."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
