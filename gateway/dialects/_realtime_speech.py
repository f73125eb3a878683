"""All that a realtime upstream says, told apart by turns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.core.apis import Reader
from gateway.core.errors import UpstreamError
from gateway.core.ids import new_id
from gateway.dialects._identifiers import is_plain
from gateway.dialects._numbers import number_of
from gateway.dialects._realtime import TRANSCRIPTION, kind_of
from gateway.dialects._realtime_turn import Response, Transcript, Turn
from gateway.dialects._whole import decode

_RESPONSE, _HEARD, _OTHER = "response", "transcript", "other"


class RealtimeSpeech:
    """Remembers which items belong to which response, for some events name only the item."""

    def __init__(self) -> None:
        self.model = ""
        self._owners: dict[str, str] = {}
        self._open: set[str] = set()
        self._cancels: set[str] = set()

    def turn(self, data: bytes) -> str | None:
        """The name of the turn an event belongs to; empty for one that stands by itself."""
        value = _event(data)
        kind = kind_of(value)
        if kind == "error" and _about(value) in self._cancels:
            return None
        self._note(value)
        name = self._named(kind, value)
        if kind == "response.done":
            self._forget(name)
        return name

    def reader(self, turn: str) -> Reader:
        """A reader for the events of a turn that begins."""
        family, _, rest = turn.partition(" ")
        if family == _RESPONSE:
            return Response(rest)
        if family == _HEARD:
            part, _, item_id = rest.partition(" ")
            return Transcript(item_id, int(part))
        return Turn(lone=not turn)

    def cancel(self, turn: str) -> bytes:
        """Only a response can be cancelled."""
        family, _, response_id = turn.partition(" ")
        if family != _RESPONSE:
            return b""
        event_id = f"event_{new_id()}"
        self._cancels.add(event_id)
        event = {"type": "response.cancel", "event_id": event_id, "response_id": response_id}
        return json.dumps(event).encode()

    def _note(self, value: Mapping[str, Any]) -> None:
        session = value.get("session")
        model = session.get("model") if isinstance(session, dict) else None
        if isinstance(model, str):
            self.model = model

    def _named(self, kind: str, value: Mapping[str, Any]) -> str:
        response_id, item_id = _response_id(value), _item_id(value)
        if response_id:
            name = f"{_RESPONSE} {response_id}"
            if kind == "response.output_item.added" and item_id:
                self._owners[item_id] = name
            return name
        if item_id in self._owners:
            return self._owners[item_id]
        if kind.startswith(TRANSCRIPTION):
            return f"{_HEARD} {number_of(value, 'content_index')} {item_id}"
        return self._other(kind, item_id)

    def _other(self, kind: str, item_id: str) -> str:
        """Pieces of a text that no response owns are put together, whatever they are."""
        head = kind.rpartition(".")[0]
        name = f"{_OTHER} {head} {item_id}"
        if kind.endswith(".delta"):
            self._open.add(name)
            return name
        if name in self._open:
            self._open.discard(name)
            return name
        return ""

    def _forget(self, name: str) -> None:
        self._owners = {item: owner for item, owner in self._owners.items() if owner != name}


def _event(data: bytes) -> Mapping[str, Any]:
    try:
        value = decode(data)
    except (ValueError, RecursionError) as err:
        raise UpstreamError("the upstream sent what is no JSON") from err
    if not isinstance(value, dict) or not kind_of(value):
        raise UpstreamError("the upstream sent what is no event")
    return value


def _about(value: Mapping[str, Any]) -> object:
    """The id of the event that an error is about."""
    told = value.get("error")
    return told.get("event_id") if isinstance(told, dict) else None


def _response_id(value: Mapping[str, Any]) -> str:
    response = value.get("response")
    told = response.get("id") if isinstance(response, dict) else value.get("response_id")
    return told if isinstance(told, str) and is_plain(told) else ""


def _item_id(value: Mapping[str, Any]) -> str:
    item = value.get("item")
    told = item.get("id") if isinstance(item, dict) else value.get("item_id")
    return told if isinstance(told, str) and is_plain(told) else ""
