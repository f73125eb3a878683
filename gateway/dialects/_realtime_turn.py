"""The turns of a realtime session: a response, a transcript of what was heard, or one event.

What deltas add piece by piece, later events repeat as a whole. Each is judged as the same
text, so all are edited alike.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gateway.core.apis import MESSAGE_END, Reply
from gateway.core.ids import new_id
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Lane, Part
from gateway.dialects._fields import Field
from gateway.dialects._numbers import number_of
from gateway.dialects._openai import error_reply
from gateway.dialects._realtime import (
    SERVER,
    STREAMED,
    TRANSCRIPTION,
    kind_of,
    series,
    usage,
)
from gateway.dialects._realtime_sent import Sent
from gateway.dialects._sse import Event
from gateway.dialects._stream import EventStream, Reading
from gateway.dialects._whole import decode, rewrite

_ENDINGS = frozenset({"done", "completed", "failed"})
# Output, then part of it, then series.
Key = tuple[int, int, str]


class _Messages:
    """A message of a socket is one event; an end is put to it, as to any event."""

    def feed(self, data: bytes) -> list[bytes]:
        return [data + MESSAGE_END]

    def flush(self) -> list[bytes]:
        return []

    def event(self, raw: bytes) -> Event:
        end = len(raw) - len(MESSAGE_END)
        return Event(raw, "", raw[:end], 0, end)


class Turn(EventStream):
    """A turn of no particular kind: pieces of one text and what ends it, or one event.

    lone: the first event is the last.
    """

    streamed = False

    def __init__(self, *, lone: bool) -> None:
        super().__init__(_Messages())
        self._lone = lone

    def spec(self, event: Event, value: Any) -> Field:
        """By the event's type."""
        return SERVER

    def lane(self, value: Any, piece: Part) -> Lane:
        """One text for each part that is spoken of."""
        part = number_of(value, "content_index")
        return Lane(part, piece.path, kind=piece.kind, role=piece.role)

    def meaning(self, event: Event, value: Any) -> Reading:
        """Whether the turn ends with this event."""
        over = self._lone or kind_of(value).rpartition(".")[2] in _ENDINGS
        return Reading((ALL,) if over else (), value)

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The event with edits made; the raw tokens beside an edited text are dropped."""
        return rewrite(frame, edits, _tokens)

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """Never asked: no notice is put under what the user or the API says."""
        raise ValueError("nothing is added to this turn")

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """An error in the turn's place."""
        return as_event(error_of(refusal))

    def broken(self, error: str, exchange_id: str) -> bytes:
        """Never asked: a session breaks off as a whole."""
        return b""

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """Never asked: a session has been opened already."""
        return error_reply(refusal, exchange_id)


class Transcript(Turn):
    """What the API wrote down of what the user said."""

    def __init__(self, item_id: str, part: int) -> None:
        super().__init__(lone=False)
        self._about = {"item_id": item_id, "content_index": part}

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """It has failed, and why."""
        known = error_of(refusal)["error"]
        return as_event({"type": f"{TRANSCRIPTION}.failed", **self._about, "error": known})


class Response(Turn):
    """What the model answers once."""

    streamed = True

    def __init__(self, response_id: str) -> None:
        super().__init__(lone=False)
        self._response: dict[str, Any] = {"id": response_id, "object": "realtime.response"}
        self._choices: dict[Key, int] = {}
        self._tools: dict[int, str] = {}
        self._sent = Sent()
        self._written: bytes | None = None

    def lane(self, value: Any, piece: Part) -> Lane:
        """One text for each series of events, output and part of it."""
        head = series(kind_of(value))
        choice = self._choices.setdefault(_key(value, head), len(self._choices))
        field = head + piece.path
        return Lane(choice, field, kind=piece.kind, role=piece.role, tool=piece.tool)

    def meaning(self, event: Event, value: Any) -> Reading:
        """Which texts end with this event; also what it tells of the response as such."""
        response = value.get("response")
        if isinstance(response, dict):
            self._response = response
            self.usage = usage(response) or self.usage
        if kind_of(value) == "response.output_item.added":
            self._begin(value)
        return Reading(self._closes(value), value)

    def tool(self, value: Any) -> str:
        """The one that the output which is spoken of began as."""
        if series(kind_of(value)) not in STREAMED:
            return ""
        return self._tools.get(number_of(value, "output_index"), "")

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The event with edits made, remembered until it has left."""
        written = super().rewrite(frame, edits)
        self._written = written[: -len(MESSAGE_END)]
        return written

    def sent(self, frame: Frame) -> None:
        """Take what the client now has."""
        written, self._written = self._written, None
        self._sent.event(frame.note if written is None else decode(written))  # type: ignore[arg-type]

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more delta."""
        known: Any = frame.note
        more = {**known, "event_id": _event_id(), "delta": text}
        self._sent.event(more)
        return as_event(more)

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Close what is open, then say that the response is incomplete as it was filtered."""
        if ALL in ended:
            return b""
        closing = [{**e, "response_id": self._response.get("id")} for e in self._sent.closing()]
        reason = {"type": "incomplete", "reason": "content_filter"}
        response = {
            **{k: v for k, v in self._response.items() if k in _PLAIN_MEMBERS},
            "status": "incomplete",
            "status_details": reason,
            "output": self._sent.output(),
        }
        done = {"type": "response.done", "response": response}
        return b"".join(as_event(event) for event in [*closing, done])

    def _begin(self, value: Mapping[str, Any]) -> None:
        """Note the tool that an output is a call of; empty if it is told of two."""
        item, output = value.get("item"), number_of(value, "output_index")
        named = item.get("name") if isinstance(item, dict) else None
        tool = named if isinstance(named, str) else ""
        if self._tools.setdefault(output, tool) != tool:
            self._tools[output] = ""

    def _closes(self, value: Mapping[str, Any]) -> tuple[int, ...]:
        kind = kind_of(value)
        if kind == "response.done":
            return (ALL,)
        if not kind.endswith(".done"):
            return ()
        head = series(kind)
        output, part, _ = _key(value, head)
        whole_item = head == "response.output_item"
        whole_part = head == "response.content_part"
        return tuple(
            choice
            for (o, p, h), choice in self._choices.items()
            if o == output and (whole_item or (p == part and (whole_part or h == head)))
        )


# Of a response, what holds no text.
_PLAIN_MEMBERS = frozenset(
    {"id", "object", "conversation_id", "output_modalities", "modalities", "max_output_tokens",
     "audio", "voice", "output_audio_format", "usage"}
)  # fmt: skip


def error_of(refusal: Refusal, event_id: str | None = None) -> dict[str, Any]:
    """An error event. event_id: of the client's event that it is about."""
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    gateway: dict[str, Any] = {}
    if refusal.rule:
        gateway = {
            "policy": refusal.policy,
            "rule": refusal.rule,
            "categories": list(refusal.categories),
        }
    return {
        "type": "error",
        "error": {
            "type": kind,
            "code": refusal.code,
            "message": refusal.message,
            "param": None,
            "event_id": event_id,
            **({"gateway": gateway} if gateway else {}),
        },
    }


def as_event(value: Mapping[str, Any]) -> bytes:
    """An event of our own as it is sent, with an id of its own."""
    event = {"event_id": _event_id(), **value}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + MESSAGE_END


def _event_id() -> str:
    return f"event_{new_id()}"


def _key(value: Mapping[str, Any], head: str) -> Key:
    return number_of(value, "output_index"), number_of(value, "content_index"), head


def _tokens(path: str) -> str:
    """Where the raw tokens of an edited text stand; they would tell what was taken out."""
    return "/logprobs" if path in ("/delta", "/transcript") else ""
