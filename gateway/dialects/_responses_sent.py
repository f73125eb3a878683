"""How far a streamed response has come at its client: what last words must go on from.

Built from events as they left, so nothing that was held back or taken out can come in.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.dialects._numbers import number_of
from gateway.dialects._responses import series

# Which text of an item each series of events adds to: (list of parts, member) by series.
PLACES = {
    "response.output_text": ("content", "text"),
    "response.refusal": ("content", "refusal"),
    "response.reasoning_text": ("content", "text"),
    "response.reasoning_summary_text": ("summary", "text"),
}
_PARTS = {
    "response.content_part": ("content", "content_index"),
    "response.reasoning_summary_part": ("summary", "summary_index"),
}
_RESPONSE = frozenset({"response.created", "response.queued", "response.in_progress"})
# What may be closed half-said. A tool call may not: clients run what they see closed.
_CLOSABLE = frozenset({"message", "reasoning"})

Place = tuple[int, str, int]
# Output, then content or summary or command, then series.
Key = tuple[int, int, str]


class Sent:
    """The response as its client has it. number: of the last event; -1 if they have none."""

    def __init__(self) -> None:
        self.response: dict[str, Any] = {}
        self.number = -1
        self._items: dict[int, dict[str, Any]] = {}
        self._done_items: set[int] = set()
        self._parts: dict[Place, dict[str, Any]] = {}
        self._done_parts: set[Place] = set()
        self._texts: dict[Place, list[str]] = {}
        self._done_texts: set[Place] = set()
        self._series: dict[Place, str] = {}

    def text(self, key: Key, text: str) -> None:
        """Some text was added to a series of which an event has left before."""
        output, part, head = key
        self._add(head, (output, PLACES[head][0], part), text)

    def event(self, value: Mapping[str, Any]) -> None:
        """An event has left, as it stands here."""
        kind = str(value.get("type"))
        number = value.get("sequence_number")
        if isinstance(number, int):
            self.number = number
        if kind in _RESPONSE and isinstance(value.get("response"), dict):
            self.response = value["response"]
        elif kind in ("response.output_item.added", "response.output_item.done"):
            self._item(value, done=kind.endswith("done"))
        elif (head := series(kind)) in _PARTS:
            self._part(head, value, done=kind.endswith("done"))
        elif head in PLACES:
            self._piece(head, value, done=kind.endswith("done"))
        elif kind == "response.output_text.annotation.added":
            self._annotate(value)

    def closing(self) -> Iterator[dict[str, Any]]:
        """Events that close what is open and may be closed; without their numbers."""
        for output in sorted(self._items.keys() - self._done_items):
            item = self._items[output]
            if item.get("type") in _CLOSABLE:
                yield from self._close_item(output, item)

    def output(self) -> list[dict[str, Any]]:
        """The items that are closed."""
        return [self._items[output] for output in sorted(self._done_items)]

    def _item(self, value: Mapping[str, Any], *, done: bool) -> None:
        output, item = number_of(value, "output_index"), value.get("item")
        if isinstance(item, dict):
            self._items[output] = item
            if done:
                self._done_items.add(output)

    def _part(self, head: str, value: Mapping[str, Any], *, done: bool) -> None:
        member, index = _PARTS[head]
        place = (number_of(value, "output_index"), member, number_of(value, index))
        part = value.get("part")
        if isinstance(part, dict):
            self._parts[place] = part
            if done:
                self._done_parts.add(place)

    def _piece(self, head: str, value: Mapping[str, Any], *, done: bool) -> None:
        member, name = PLACES[head]
        index = "summary_index" if member == "summary" else "content_index"
        place = (number_of(value, "output_index"), member, number_of(value, index))
        text = value.get(name if done else "delta")
        if done:
            self._texts[place] = []
            self._done_texts.add(place)
        if isinstance(text, str):
            self._add(head, place, text)

    def _add(self, head: str, place: Place, text: str) -> None:
        self._series[place] = head
        self._texts.setdefault(place, []).append(text)

    def _annotate(self, value: Mapping[str, Any]) -> None:
        place = (number_of(value, "output_index"), "content", number_of(value, "content_index"))
        part = self._parts.get(place)
        if part is not None and place not in self._done_parts:
            part = self._parts[place] = copy.deepcopy(part)
            part.setdefault("annotations", []).append(value.get("annotation"))

    def _close_item(self, output: int, item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        closed = {**item, "status": "incomplete"}
        places = sorted(p for p in {*self._parts, *self._texts} if p[0] == output)
        for place in places:
            part = self._closed_part(place)
            member = place[1]
            closed[member] = [*self._so_far(closed.get(member), place[2]), part]
            about = {
                "item_id": item.get("id"),
                "output_index": output,
                "summary_index" if member == "summary" else "content_index": place[2],
            }
            yield from self._close_part(place, part, about)
        self._items[output] = closed
        self._done_items.add(output)
        yield {"type": "response.output_item.done", "output_index": output, "item": closed}

    def _so_far(self, parts: Any, index: int) -> list[Any]:
        return parts[:index] if isinstance(parts, list) else []

    def _closed_part(self, place: Place) -> dict[str, Any]:
        head = self._series.get(place, "response.output_text")
        part = dict(self._parts.get(place) or _empty(head))
        if place in self._texts and place not in self._done_parts:
            part[PLACES[head][1]] = "".join(self._texts[place])
        return part

    def _close_part(
        self, place: Place, part: dict[str, Any], about: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        head = self._series.get(place)
        if head is not None and place not in self._done_texts:
            name = PLACES[head][1]
            more: dict[str, Any] = {"logprobs": []} if head == "response.output_text" else {}
            yield {"type": f"{head}.done", **about, name: part[name], **more}
        if place in self._parts and place not in self._done_parts:
            summary = place[1] == "summary"
            name = "response.reasoning_summary_part" if summary else "response.content_part"
            yield {"type": f"{name}.done", **about, "part": part}


def as_event(value: Mapping[str, Any]) -> bytes:
    """An event as it is written, under its name."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {value['type']}\ndata: {data}\n\n".encode()


def _empty(head: str) -> dict[str, Any]:
    if head == "response.refusal":
        return {"type": "refusal", "refusal": ""}
    if head == "response.output_text":
        return {"type": "output_text", "text": "", "annotations": []}
    return {"type": "summary_text" if "summary" in head else "reasoning_text", "text": ""}
