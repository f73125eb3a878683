"""A streamed message: events in, frames out (Anthropic's streaming page and SDK types, 2026)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from gateway.core.apis import Reply
from gateway.core.errors import UpstreamError
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Fragment, Frame, Lane, Part
from gateway.dialects._anthropic import containers, error_body, error_reply, stopped, usage
from gateway.dialects._anthropic_fields import EVENT
from gateway.dialects._fields import Field
from gateway.dialects._numbers import number_of
from gateway.dialects._sse import Event, Events
from gateway.dialects._stream import EventStream, Reading

_MESSAGE = 0
_LAST = ("message_delta", "message_stop", "error")
_EVENTS = frozenset(EVENT.cases) | {
    "message_start", "content_block_start", "content_block_stop", "message_stop", "ping", "error",
}  # fmt: skip


class _Step(NamedTuple):
    """An event that begins or ends something. begins: the type of the block that it begins."""

    type: str
    block: int
    begins: str = ""


class MessageStream(EventStream):
    """Reads a message's blocks; the whole message is one choice.

    A tool call leaves at once or not at all. Its input is held until it is whole in any case,
    and a client that has seen a call begin might run it with the empty input it has seen.
    """

    ping = b'event: ping\ndata: {"type": "ping"}\n\n'

    def __init__(self) -> None:
        super().__init__(Events())
        self._texts: dict[int, dict[Lane, None]] = {}
        self._calls: set[int] = set()
        self._tools: dict[int, str] = {}
        self._waiting: list[Frame] = []
        self._begun = self._ended = self._over = False
        self._open: dict[int, None] = {}
        self._blocks = self._begun_blocks = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Frames completed by these bytes, those of a tool call together."""
        return self._together(super().feed(data))

    def flush(self) -> list[Frame]:
        """What is left: an event whose end never came, and a tool call that never ended."""
        frames = [*self._together(super().flush()), *self._waiting]
        self._waiting.clear()
        return frames

    def spec(self, event: Event, value: Any) -> Field:
        """All events have one table."""
        return EVENT

    def lane(self, value: Any, piece: Part) -> Lane:
        """Where it stands in its block tells a text apart, at its start and in later pieces."""
        index = number_of(value)
        _, member, *place = piece.path.split("/")
        if member == "message":
            # A message that begins with some of its content, as "/content/0/text".
            _, told, *place = place
            index = int(told)
        elif member == "content_block" and index != self._begun_blocks - 1:
            raise UpstreamError("a block begins with text under the number of another")
        lane = Lane(_MESSAGE, "/".join(place), index, piece.kind, piece.sealed, tool=piece.tool)
        self._texts.setdefault(index, {})[lane] = None
        return lane

    def meaning(self, event: Event, value: Any) -> Reading:
        """What begins or ends; the end of a block ends its texts."""
        named = value.get("type") if isinstance(value, dict) else None
        if not isinstance(named, str) or named == "content_block_delta":
            return Reading(steady=isinstance(named, str))
        step = _Step(named, number_of(value))
        if named == "message_start":
            self._note(value.get("message"))
            self.kept += containers(value.get("message"))
        elif named == "content_block_start":
            if step.block > self._begun_blocks:
                raise UpstreamError("the blocks of the upstream's message are not in order")
            self._begun_blocks += 1
            self._tools[step.block] = _tool(value.get("content_block"))
            return Reading(note=step._replace(begins=_type(value.get("content_block"))))
        elif named == "content_block_stop":
            return Reading(note=step, ends=tuple(self._texts.pop(step.block, ())))
        elif named == "message_delta":
            self.usage = {**self.usage, **usage(value)}
            delta = value.get("delta")
            self.kept += containers(delta)
            if isinstance(delta, dict) and delta.get("stop_reason"):
                return Reading((_MESSAGE,), step)
            return Reading()
        elif named == "error":
            self.failed = True
        closes = (ALL,) if named in ("message_stop", "error") else ()
        return Reading(closes, step)

    def tool(self, value: Any) -> str:
        """The one whose call the block began as that goes on."""
        delta = isinstance(value, dict) and value.get("type") == "content_block_delta"
        return self._tools.get(number_of(value), "") if delta else ""

    def _read(self, event: Event, value: Any) -> Frame:
        """An event that does not say what it is, is what its name says: clients take it so."""
        named = value.get("type") if isinstance(value, dict) else None
        if event.name in _EVENTS and isinstance(value, dict) and named != event.name:
            if named is not None:
                raise UpstreamError("an event of the upstream's stream has two types")
            value = {**value, "type": event.name}
        return super()._read(event, value)

    def sent(self, frame: Frame) -> None:
        """Which blocks the client has seen begin and not end, and how far the message is."""
        step = frame.note
        if not isinstance(step, _Step):
            return
        if step.type == "message_start":
            self._begun = True
        elif step.type == "content_block_start":
            self._open[step.block] = None
            self._blocks = max(self._blocks, step.block + 1)
        elif step.type == "content_block_stop":
            self._open.pop(step.block, None)
        elif step.type == "message_delta":
            self._ended = True
        elif step.type in ("message_stop", "error"):
            self._over = True

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more block of text behind the last: that one has ended already."""
        at = {"index": self._blocks}
        self._blocks += 1
        return b"".join(
            _event({"type": f"content_block_{kind}", **at, **what})
            for kind, what in (
                ("start", {"content_block": {"type": "text", "text": ""}}),
                ("delta", {"delta": {"type": "text_delta", "text": text.lstrip("\n")}}),
                ("stop", {}),
            )
        )

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """The message ends as refused; it never begins twice."""
        if self._over:
            return b""
        if not self._begun:
            return _event(error_body(refusal, exchange_id))
        events: list[dict[str, Any]] = [
            {"type": "content_block_stop", "index": index} for index in self._open
        ]
        if not self._ended:
            counts = {
                "input_tokens": self.usage.get("input"),
                "cache_read_input_tokens": self.usage.get("cached"),
                "output_tokens": self.usage.get("output", 0),
            }
            told = {name: count for name, count in counts.items() if count is not None}
            events.append({"type": "message_delta", "delta": stopped(refusal), "usage": told})
        events.append({"type": "message_stop"})
        return b"".join(_event(event) for event in events)

    def broken(self, error: str, exchange_id: str) -> bytes:
        """An error event: SDKs raise it and do not send the request again."""
        if self._over:
            return b""
        return _event(error_body(Refusal("upstream_error", error, 502), exchange_id))

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """Nothing was sent yet, so a plain error says it best."""
        return error_reply(refusal, exchange_id)

    def _together(self, frames: list[Frame]) -> list[Frame]:
        """Hold frames back from the start of a tool call until its end."""
        out: list[Frame] = []
        for frame in frames:
            step = frame.note
            self._waiting.append(frame)
            if isinstance(step, _Step):
                if _is_call(step):
                    self._calls.add(step.block)
                elif step.type == "content_block_stop":
                    self._calls.discard(step.block)
                elif step.type in _LAST:
                    self._calls.clear()
            if not self._calls:
                out += self._waiting
                self._waiting.clear()
        return out

    def _note(self, message: Any) -> None:
        if isinstance(message, dict):
            model = message.get("model")
            self.model = model if isinstance(model, str) else ""
            self.usage = usage(message)
            content = message.get("content")
            self._begun_blocks = len(content) if isinstance(content, list) else 0


def _is_call(step: _Step) -> bool:
    return step.begins.endswith("tool_use")


def _type(block: Any) -> str:
    named = block.get("type") if isinstance(block, dict) else None
    return named if isinstance(named, str) else ""


def _tool(block: Any) -> str:
    named = block.get("name") if _type(block).endswith("tool_use") else None
    return named if isinstance(named, str) else ""


def _event(value: Mapping[str, Any]) -> bytes:
    data = json.dumps(value, ensure_ascii=False)
    return f"event: {value['type']}\ndata: {data}\n\n".encode()
