"""One text to learn from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One text. kind: attack, planted or benign. group: what is left out together in trials.

    start, end: where the attack stands, if that is known; else both are 0 and, in an attack,
    it may stand anywhere.
    """

    text: str
    kind: str
    group: str
    language: str = ""
    start: int = 0
    end: int = 0
