"""What of one realtime response its client has got, and the events that would end it well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.dialects._numbers import number_of
from gateway.dialects._realtime import AUDIBLE, STREAMED, kind_of

# Which part of which output.
Place = tuple[int, int]
_ITEM = "response.output_item"
_PART = "response.content_part"
# How events begin that the preview did not have; and what its parts are called in items since.
_RELEASED = "response.output_"
_IN_ITEMS = {"text": "output_text", "audio": "output_audio"}


class Sent:
    """Fed with events as they left; what a client builds of them stays in step with this."""

    def __init__(self) -> None:
        self._items: dict[int, dict[str, Any]] = {}
        self._parts: dict[Place, dict[str, Any]] = {}
        self._texts: dict[Place, list[str]] = {}
        self._open: dict[Place, dict[str, None]] = {}
        self._closed: set[Place] = set()
        self._released: set[Place] = set()
        self._done: set[int] = set()

    def event(self, value: Mapping[str, Any]) -> None:
        """One event that has left."""
        kind = kind_of(value)
        head, _, step = kind.rpartition(".")
        place = number_of(value, "output_index"), number_of(value, "content_index")
        if head == _ITEM and isinstance(value.get("item"), dict):
            self._items[place[0]] = dict(value["item"])
            if step == "done":
                self._done.add(place[0])
        elif head == _PART and isinstance(value.get("part"), dict):
            if step == "done":
                self._closed.add(place)
            self._parts[place] = dict(value["part"])
        elif step == "delta" and (head in AUDIBLE or _is_text(head)):
            self._open.setdefault(place, {})[head] = None
            if head.startswith(_RELEASED):
                self._released.add(place)
            delta = value.get("delta")
            if _is_text(head) and isinstance(delta, str):
                self._texts.setdefault(place, []).append(delta)
        elif step == "done":
            self._open.get(place, {}).pop(head, None)

    def closing(self) -> Iterator[dict[str, Any]]:
        """What ends every text, part and item that is open. A tool call is not completed."""
        for output, item in sorted(self._items.items()):
            if output in self._done:
                continue
            closed = {**item, "status": "incomplete"}
            if kind_of(item) == "message":
                places = sorted(p for p in {*self._parts, *self._texts} if p[0] == output)
                for place in places:
                    yield from self._close(place, item)
                closed["content"] = [self._content(place) for place in places]
            self._items[output] = closed
            yield {"type": f"{_ITEM}.done", "output_index": output, "item": closed}

    def output(self) -> list[dict[str, Any]]:
        """All items as the client has them."""
        return [item for _, item in sorted(self._items.items())]

    def _close(self, place: Place, item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        output, content = place
        about = {"item_id": item.get("id"), "output_index": output, "content_index": content}
        part = self._part(place)
        for head in self._open.pop(place, {}):
            whole = {STREAMED[head][1]: self._text(place)} if _is_text(head) else {}
            yield {"type": f"{head}.done", **about, **whole}
        if place in self._parts and place not in self._closed:
            yield {"type": f"{_PART}.done", **about, "part": part}

    def _part(self, place: Place) -> dict[str, Any]:
        part = self._parts.get(place, {"type": "text"})
        if place not in self._texts:
            return part
        member = "transcript" if part.get("type") in ("audio", "output_audio") else "text"
        return {**part, member: self._text(place)}

    def _content(self, place: Place) -> dict[str, Any]:
        """The part as an item has it: under a name of its own, except in the preview."""
        part = self._part(place)
        named = _IN_ITEMS.get(str(part.get("type"))) if place in self._released else None
        return {**part, "type": named} if named else part

    def _text(self, place: Place) -> str:
        return "".join(self._texts.get(place, ()))


def _is_text(head: str) -> bool:
    """Whether these are pieces of what is said, not of a tool's arguments."""
    return head in STREAMED and STREAMED[head][1] != "arguments"
