"""OpenAI's speech (text in, sound out), as the SDK types of 2026 describe it."""

from __future__ import annotations

from typing import ClassVar

from gateway.core.apis import Reader, Reply
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Kind, Lane, Message, Part
from gateway.dialects._api import JsonApi
from gateway.dialects._binary import BinaryReader, TextReader, is_json, is_text
from gateway.dialects._fields import Field
from gateway.dialects._openai import error_reply, usage
from gateway.dialects._openai_fields import ASKED_MODEL, ERROR, USAGE, WORD
from gateway.dialects._openai_stream import OpenAiStream
from gateway.dialects._sse import Event
from gateway.dialects._stream import Reading
from gateway.dialects._whole import WholeReader

REQUEST = Field(
    fields={
        "model": ASKED_MODEL,
        "input": Field(kind=Kind.TEXT, role="user"),
        "instructions": Field(kind=Kind.TEXT, role="user"),
        "voice": WORD,
        "response_format": WORD,
        "stream_format": WORD,
    }
)
ANSWER = Field(
    fields={"type": WORD, "audio": Field(media="audio/*"), "usage": USAGE, "error": ERROR}
)


class Member(JsonApi):
    """The dialect."""

    name = "openai_speech"
    operation = "speech"
    paths = ("/v1/audio/speech",)
    request = REQUEST
    answer = ANSWER
    others = ("audio/*", "text/event-stream")
    needs: ClassVar = {"input": (str,)}

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for sound, for events that carry sound, or for an error."""
        if "text/event-stream" in content_type.lower():
            return _Stream("input")
        if is_json(content_type):
            return WholeReader(
                ANSWER, usage_of=usage, withheld=lambda _, refusal, id_: self.refuse(refusal, id_)
            )
        if is_text(content_type):
            return TextReader(self.refuse, Kind.ERROR)
        return BinaryReader(content_type, self.refuse)

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id, param="input" if refusal.rule else None)


class _Stream(OpenAiStream):
    """Sound in pieces: none of it is text."""

    def spec(self, event: Event, value: object) -> Field:
        """The same for all."""
        return ANSWER

    def lane(self, value: object, piece: Part) -> Lane:
        """Nothing comes in pieces that is text."""
        return Lane(0, piece.path, 0, piece.kind)

    def meaning(self, event: Event, value: object) -> Reading:
        """Whether the sound is whole."""
        self.note(value)
        done = isinstance(value, dict) and value.get("type") == "speech.audio.done"
        return Reading((ALL,) if done else ())
