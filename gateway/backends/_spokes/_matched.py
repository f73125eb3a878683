"""Ids for calls of tools, where a dialect may know a call by its function's name only."""

from __future__ import annotations

from typing import Any

from gateway.backends._spokes._shape import untranslatable


class Calls:
    """The calls of one conversation that have no result yet, in their order."""

    def __init__(self) -> None:
        self._made = 0
        self._open: list[tuple[str, Any]] = []

    def call(self, name: Any, own: Any = None) -> str:
        """The id of a call: its own, or one that is made."""
        self._made += 1
        found = own if isinstance(own, str) and own else f"call_{self._made}"
        self._open.append((found, name))
        return found

    def result(self, name: Any = None, own: Any = None) -> str:
        """The id of the call that a result belongs to: the first open one that fits.

        Raises Refused if there is none.
        """
        for entry in self._open:
            if (not own or entry[0] == own) and (not name or entry[1] == name):
                self._open.remove(entry)
                return entry[0]
        raise untranslatable("A result of a tool without a call")
