"""A streamed response: events in, frames out.

What deltas add piece by piece, four later events repeat as a whole. Each is judged as the
same text, so all are edited alike; offsets and sequence numbers beside them follow.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Lane, Part
from gateway.core.splice import splice_json
from gateway.dialects._fields import Field
from gateway.dialects._numbers import index_of, number_of
from gateway.dialects._offsets import beside, moved
from gateway.dialects._openai import error_reply
from gateway.dialects._responses import STREAMED, event_fields, series, tool_of, usage
from gateway.dialects._responses_kept import containers, containers_of
from gateway.dialects._responses_sent import PLACES, Key, Sent, as_event
from gateway.dialects._shape import NUMBER, PADDING
from gateway.dialects._sse import Event, Events
from gateway.dialects._stream import EventStream, Reading
from gateway.dialects._whole import decode

_ENDS = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled", "error"}
)
_NUMBER = "number"
_INDEXES = ("output_index", "content_index", "summary_index", "command_index")
_ANNOTATION = "response.output_text.annotation.added"


class ResponsesStream(EventStream):
    """keeps: whether the upstream keeps the response, so that its ids are worth noting."""

    ping = b": ping\n\n"
    passing = MappingProxyType(
        {"/sequence_number": NUMBER._replace(name=_NUMBER), "/obfuscation": PADDING}
    )

    def __init__(self, *, keeps: bool) -> None:
        super().__init__(Events())
        self._keeps = keeps
        self._noted: set[str] = set()
        self._choices: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._sent = Sent()
        self._inserted = 0
        self._written: bytes | None = None
        self._tools: dict[int, str] = {}
        self._lengths: dict[int, int] = {}
        self._edits: dict[int, list[Edit]] = {}

    def spec(self, event: Event, value: Any) -> Field:
        """By the event's type."""
        return event_fields(_type(value))

    def lane(self, value: Any, piece: Part) -> Lane:
        """One text for each series of events, output and part of it."""
        head = series(_type(value))
        field = head.removeprefix("response.") + piece.path.removeprefix("/delta")
        return Lane(self._choice(_key(value, head)), field, 0, piece.kind, tool=piece.tool)

    def meaning(self, event: Event, value: Any) -> Reading:
        """Which texts end with this event; also what it tells of the answer as such."""
        if not isinstance(value, dict):
            return Reading()
        kind = _type(value)
        self._note(kind, value)
        steady = kind.endswith(".delta") and series(kind) in PLACES
        return Reading(self._closes(kind, value), value, steady=steady)

    def tool(self, value: Any) -> str:
        """The one that the output which is spoken of began as."""
        if series(_type(value)) not in STREAMED:
            return ""
        return self._tools.get(number_of(value, "output_index"), "")

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The event with edits made; what stands beside them and its number follow."""
        if not edits and not self._inserted and not self._edits:
            return frame.raw
        value = frame.note
        if value is None:
            return super().rewrite(frame, edits)
        put = self._put(frame, value, edits)
        if not edits and not put:
            return frame.raw
        start, end = frame.body
        body = splice_json(frame.raw[start:end], edits, put=put)
        self._written = body
        self._shift(frame, edits)
        return frame.raw[:start] + body + frame.raw[end:]

    def sent(self, frame: Frame) -> None:
        """Take what the client now has."""
        written, self._written = self._written, None
        value = frame.note
        for fragment in frame.fragments:
            choice = fragment.lane.choice
            self._lengths[choice] = self._lengths.get(choice, 0) + len(fragment.text)
        if written is not None:
            value = decode(written)
        if isinstance(value, re.Match):
            (fragment,) = frame.fragments
            self._sent.text(self._keys[fragment.lane.choice], fragment.text)
            number = _number(value)
            self._sent.number = self._sent.number if number is None else number
        elif isinstance(value, dict):
            self._sent.event(value)

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more delta; the numbers of all later events move on by one."""
        known = decode(frame.raw[frame.body[0] : frame.body[1]])
        names = ("type", "item_id", *_INDEXES)
        value = {name: known[name] for name in names if name in known}
        value |= {"delta": text, "logprobs": []}
        self._inserted += 1
        (more,) = self._numbered([value])
        self._sent.event(more)
        return as_event(more)

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Close what is open, then say that the response is incomplete as it was filtered."""
        if ALL in ended:
            return b""
        closing = list(self._sent.closing())
        response = {
            **self._response(exchange_id),
            "status": "incomplete",
            "incomplete_details": {"reason": "content_filter"},
        }
        events = [*closing, {"type": "response.incomplete", "response": response}]
        return b"".join(as_event(value) for value in self._numbered(events))

    def broken(self, error: str, exchange_id: str) -> bytes:
        """The response has failed; an error event if it had not begun."""
        if self._sent.response:
            failure = {"code": "server_error", "message": error}
            response = {**self._response(exchange_id), "status": "failed", "error": failure}
            last: dict[str, Any] = {"type": "response.failed", "response": response}
        else:
            last = {"type": "error", "code": "upstream_error", "message": error, "param": None}
        return b"".join(as_event(value) for value in self._numbered([last]))

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """Nothing was sent yet, so a plain error says it best."""
        return error_reply(refusal, exchange_id, param="input")

    def _choice(self, key: Key) -> int:
        if key not in self._choices:
            self._choices[key] = len(self._keys)
            self._keys.append(key)
        return self._choices[key]

    def _closes(self, kind: str, value: Mapping[str, Any]) -> tuple[int, ...]:
        if kind in _ENDS:
            return (ALL,)
        if not kind.endswith(".done"):
            return ()
        head = series(kind)
        output, part, _ = _key(value, head)
        whole_item = head == "response.output_item"
        whole_part = head in ("response.content_part", "response.reasoning_summary_part")
        return tuple(
            choice
            for (o, p, h), choice in self._choices.items()
            if o == output and (whole_item or (p == part and (whole_part or h == head)))
        )

    def _note(self, kind: str, value: Mapping[str, Any]) -> None:
        if kind in ("response.failed", "error"):
            self.failed = True
        response = value.get("response")
        if isinstance(response, dict):
            model = response.get("model")
            self.model = model if isinstance(model, str) else self.model
            self.usage = usage(response) or self.usage
            self._keep(response)
            self._own(containers(response))
        item = value.get("item")
        if isinstance(item, dict):
            self._keep(item)
            self._own(containers_of(item))
            if kind == "response.output_item.added":
                self._begin(number_of(value, "output_index"), tool_of(item))

    def _begin(self, output: int, tool: str) -> None:
        """Note the tool that an output is a call of; empty if it is told of two."""
        if self._tools.setdefault(output, tool) != tool:
            self._tools[output] = ""

    def _keep(self, thing: Mapping[str, Any]) -> None:
        name = thing.get("id")
        if self._keeps and isinstance(name, str) and name:
            self._own([name])

    def _own(self, names: Sequence[str]) -> None:
        """Note each of these once."""
        self.kept += [name for name in names if name not in self._noted]
        self._noted.update(names)

    def _put(
        self, frame: Frame, value: object, edits: Mapping[str, Sequence[Edit]]
    ) -> dict[str, str]:
        """What changes beside the edits: numbers, offsets, raw tokens."""
        put: dict[str, str] = {}
        number: Any = None
        if isinstance(value, re.Match):
            number = _number(value)
        elif isinstance(value, dict):
            number = value.get("sequence_number")
            put = beside(value, edits)
            if value.get("type") == _ANNOTATION:
                key = _key(value, "response.output_text")
                made = self._edits.get(self._choices.get(key, -1), ())
                put |= moved(value.get("annotation"), made, "/annotation")
        if self._inserted and isinstance(number, int):
            put["/sequence_number"] = str(number + self._inserted)
        return put

    def _shift(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> None:
        """Remember what was edited in a streamed text, for annotations that come later."""
        for fragment in frame.fragments:
            choice = fragment.lane.choice
            start = self._lengths.get(choice, 0)
            for edit in edits.get(fragment.path, ()):
                self._edits.setdefault(choice, []).append(
                    Edit(start + edit.start, start + edit.end, edit.replacement)
                )

    def _response(self, exchange_id: str) -> dict[str, Any]:
        base = self._sent.response or {
            "id": f"resp_{exchange_id}",
            "object": "response",
            "created_at": 0,
            "model": self.model,
        }
        return {**base, "output": self._sent.output()}

    def _numbered(self, values: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        out = []
        for value in values:
            self._sent.number += 1
            out.append({**value, "sequence_number": self._sent.number})
        return out


def _type(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


def _number(like: re.Match[bytes]) -> int | None:
    """The number of an event that is like an earlier one; None if they have none."""
    told = like.groupdict().get(_NUMBER)
    return None if told is None else int(told)


def _key(value: Any, head: str) -> Key:
    if not isinstance(value, dict):
        return 0, 0, head
    told = (index_of(value, name) for name in _INDEXES[1:])
    part = next((number for number in told if number is not None), 0)
    return number_of(value, "output_index"), part, head
