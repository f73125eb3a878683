"""Gemini's `streamGenerateContent`: the path, not the body, asks for a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.core.apis import Reader
from gateway.core.calls import Call
from gateway.core.message import Message
from gateway.dialects._gemini import paths_of
from gateway.dialects._gemini_fields import CHUNK, GENERATE, GENERATED
from gateway.dialects._gemini_stream import GeminiArray, GeminiStream
from gateway.dialects._gemini_text import TextApi


class Member(TextApi):
    """The dialect."""

    name = "gemini_stream"
    wire = "gemini"
    operation = "chat"
    verb = "streamGenerateContent"
    paths = paths_of(verb)
    request = GENERATE
    answer = GENERATED
    events = CHUNK
    needs: ClassVar = {"contents": (list, dict)}

    def stream_of(self, value: Mapping[str, Any], call: Call) -> bool:
        """Always."""
        return True

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for events (`alt=sse`), for one JSON array, or for an error's body."""
        if "text/event-stream" in content_type.lower():
            return GeminiStream()
        if status < 300:
            return GeminiArray()
        return super().reader(message, status=status, content_type=content_type)
