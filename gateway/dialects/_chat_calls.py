"""Which call of a tool a piece of a streamed chat completion belongs to.

Calls are numbered from 0 in the order they begin; then their pieces may come mixed. Servers
also leave the number out, give several calls the same one, or begin at another. What a client
makes of that differs: the `openai` package of 2026 joins what has the same number, and takes the
first that it sees for 0; LangChain keeps ids apart; others go by place. As long as such pieces
come call by call, all of these are stretches of one text that has them in their order, and as
one text they are judged.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gateway.core.errors import UpstreamError
from gateway.dialects._numbers import index_of


class _Call(NamedTuple):
    """By what a piece says which call it is of. place: in its chunk's list."""

    number: int | None
    id: str
    place: int


class Calls:
    """The calls of one choice."""

    def __init__(self) -> None:
        self._begun: dict[int, str] = {}
        self._ids: set[str] = set()
        self._places: set[int] = set()
        self._loose = False
        self._last = _Call(None, "", 0)
        self._number = 0

    def number(self, entry: Any, place: int) -> int:
        """The number of the text that a piece in this entry of a chunk's list belongs to.

        Raises UpstreamError where pieces are not numbered as the API numbers them, and go back
        to a call that another has followed: then there is no telling what a client makes of it.
        """
        call = _call(entry, place)
        self._loose = self._loose or not self._in_order(call)
        if self._loose:
            self._follow(call)
        elif call.number is not None:
            self._number = call.number
        if call.number is not None:
            self._begun[call.number] = call.id or self._begun.get(call.number, "")
        else:
            self._places.add(call.place)
        self._ids.add(call.id)
        self._last = call if call.id else call._replace(id=self._same(call))
        return self._number

    def _in_order(self, call: _Call) -> bool:
        if call.number is None or call.number not in self._begun:
            return call.number == len(self._begun)
        return call.id in ("", self._begun[call.number]) or not self._begun[call.number]

    def _follow(self, call: _Call) -> None:
        """Hold it to be of the call before, or of one that begins."""
        if self._goes_on(call):
            return
        known = call.id in self._ids if call.id else self._seen(call)
        if known:
            raise UpstreamError("the pieces of the upstream's tool calls come mixed up")

    def _goes_on(self, call: _Call) -> bool:
        last = self._last
        if call.number != last.number:
            return False
        if call.id:
            return call.id == last.id
        return call.number is not None or call.place == last.place

    def _seen(self, call: _Call) -> bool:
        return call.place in self._places if call.number is None else call.number in self._begun

    def _same(self, call: _Call) -> str:
        return self._last.id if call.number == self._last.number else ""


def _call(entry: Any, place: int) -> _Call:
    name = entry.get("id") if isinstance(entry, dict) else None
    return _Call(index_of(entry), name if isinstance(name, str) else "", place)
