"""Function calls that Gemini streams in pieces: to which of them, and so to which tool, one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Calls:
    """The calls of one answer, numbered by candidate.

    Only the piece that begins a call has its name. Those that go on may have its id; without one
    they are of the call that began last.
    """

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._by_id: dict[tuple[int, str], int] = {}
        self._tools: dict[tuple[int, int], str] = {}

    def begin(self, choice: int, calls: Sequence[Mapping[str, Any]]) -> None:
        """Note the calls that begin in one chunk."""
        for call in calls:
            number, tool = self._numbered(choice, call), str(call["name"])
            if self._tools.setdefault((choice, number), tool) != tool:
                self._tools[choice, number] = ""
            self._last[choice] = number
        if len(calls) > 1:
            # Without an id there is no telling which of them goes on.
            self._last[choice] = self._next(choice)

    def going_on(self, choice: int, call: Mapping[str, Any]) -> tuple[int, str]:
        """The number of the call that this is a piece of, and its tool; empty if not known."""
        number = self._numbered(choice, call) if _id(call) else self._last.get(choice, 0)
        return number, self._tools.get((choice, number), "")

    def _numbered(self, choice: int, call: Mapping[str, Any]) -> int:
        ident = _id(call)
        number = self._by_id.get((choice, ident), 0) if ident else 0
        if not number:
            number = self._next(choice)
            if ident:
                self._by_id[choice, ident] = number
        return number

    def _next(self, choice: int) -> int:
        self._counts[choice] = self._counts.get(choice, 0) + 1
        return self._counts[choice]


def _id(call: Mapping[str, Any]) -> str:
    ident = call.get("id")
    return ident if isinstance(ident, str) else ""
