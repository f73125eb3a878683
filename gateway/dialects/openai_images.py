"""OpenAI's images (generations, edits, variations), as the SDK types of 2026 describe them."""

from __future__ import annotations

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import Kind, Lane, Message, Part
from gateway.dialects._fields import TEXT, Field
from gateway.dialects._form import FormApi, is_form
from gateway.dialects._multipart import MEDIA
from gateway.dialects._openai import error_reply, usage
from gateway.dialects._openai_fields import ASKED_MODEL, ERROR, USAGE, WORD
from gateway.dialects._openai_stream import OpenAiStream
from gateway.dialects._sse import Event
from gateway.dialects._stream import Reading
from gateway.dialects._whole import WholeReader

_PICTURE = Field(media="image/*")
_LOOKS = dict.fromkeys(["background", "output_format", "quality", "size"], WORD)
REQUEST = Field(
    fields={
        "model": ASKED_MODEL,
        "prompt": Field(kind=Kind.TEXT, role="user"),
        "image": Field(fields={"filename": TEXT}, items=_PICTURE),
        "mask": _PICTURE,
        "markup": _PICTURE,
        "user": TEXT,
        "safety_identifier": TEXT,
        "n": WORD,
        "stream": WORD,
        "style": WORD,
        "moderation": WORD,
        "complexity": WORD,
        "input_fidelity": WORD,
        "partial_images": WORD,
        "output_compression": WORD,
        "response_format": WORD,
        **_LOOKS,
    }
)
_ANSWER: dict[str, Field] = {
    "type": WORD,
    "b64_json": _PICTURE,
    "usage": USAGE,
    "error": ERROR,
    **_LOOKS,
}
ANSWER = Field(
    fields={
        **_ANSWER,
        "data": Field(
            items=Field(
                fields={
                    "b64_json": _PICTURE,
                    "url": TEXT,
                    "revised_prompt": Field(kind=Kind.TEXT, role="assistant"),
                }
            )
        ),
    }
)


class Member(FormApi):
    """The dialect."""

    name = "openai_images"
    operation = "image"
    paths = ("/v1/images/generations", "/v1/images/edits", "/v1/images/variations")
    media = ("application/json", MEDIA)
    request = REQUEST
    answer = ANSWER
    others = ("text/event-stream",)

    def path_of(self, call: Call) -> str:
        """All three are spelt as they are served."""
        return call.path or self.paths[2 if is_form(call.content_type) else 0]

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for an event stream or for one JSON body."""
        if "text/event-stream" in content_type.lower():
            return _Stream("prompt")
        return WholeReader(
            ANSWER, usage_of=usage, withheld=lambda _, refusal, id_: self.refuse(refusal, id_)
        )

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id, param="prompt" if refusal.rule else None)


class _Stream(OpenAiStream):
    """Whole pictures, one an event."""

    def spec(self, event: Event, value: object) -> Field:
        """The same for all."""
        return ANSWER

    def lane(self, value: object, piece: Part) -> Lane:
        """Nothing comes in pieces."""
        return Lane(0, piece.path, 0, piece.kind)

    def meaning(self, event: Event, value: object) -> Reading:
        """What it counts, and whether it failed."""
        self.note(value)
        return Reading()
