"""Streams of OpenAI's that tell their tokens only if asked to, and are asked by us.

`stream_options.include_usage`: API reference, "Create chat completion", 2026. Tokens then come in
one more chunk, without choices; the others have an empty `usage`, which clients know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.judgement import Route
from gateway.core.message import Edit, Frame, Message
from gateway.core.splice import insert_member
from gateway.dialects._api import JsonApi
from gateway.dialects._sse import Event
from gateway.dialects._stream import EventStream


def counted(body: bytes, message: Message, route: Route) -> bytes:
    """The body, which asks for them where that is wanted of this route."""
    if not (message.uncounted and route.counts):
        return body
    return insert_member(body, "stream_options", {"include_usage": True})


class CountedApi(JsonApi):
    """An API with such streams."""

    def uncounted_of(self, value: Mapping[str, Any]) -> bool:
        """Who says anything of what is told of the stream is left alone."""
        return value.get("stream") is True and "stream_options" not in value

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """As any other; a stream is asked for its tokens where that is wanted."""
        return counted(super().forward(message, edits, route), message, route)


class CountedStream(EventStream):
    """A stream of chunks. unasked: its client did not ask for the chunk of tokens."""

    unasked = False

    def _read(self, event: Event, value: Any) -> Frame:
        if self.unasked and _tokens_alone(value):
            self.meaning(event, value)
            return Frame(b"")
        return super()._read(event, value)


def _tokens_alone(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("choices") == []
        and isinstance(value.get("usage"), dict)
        and "error" not in value
    )
