"""Looks places up in a dialect's table of fields."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.apis import Place
from gateway.core.message import Direction


class Fields:
    """The table of one dialect."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._rows = [(p.direction, p.path.split("/")[1:], p.fate) for p in places]
        self._known: dict[tuple[Direction, str], bool] = {}

    def judged(self, direction: Direction, path: str) -> bool:
        """Whether a string at this place is judged: unless its place is declared not to be text."""
        shape = "/".join("*" if step.isdigit() else step for step in path.split("/"))
        key = (direction, shape)
        if key not in self._known:
            self._known[key] = self._judged(direction, shape.split("/")[1:])
        return self._known[key]

    def _judged(self, direction: Direction, steps: list[str]) -> bool:
        fates = {fate for way, row, fate in self._rows if way is direction and _fits(row, steps)}
        return not fates or "judged" in fates


def _fits(row: list[str], steps: list[str]) -> bool:
    """Whether a row names this place, or one above it that is declared as a whole."""
    if len(row) > len(steps) or row == [""]:
        return False
    return all(a == b for a, b in zip(row, steps, strict=False)) and row[-1] != "*"
