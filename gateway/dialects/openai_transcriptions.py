"""OpenAI's transcriptions and translations: sound in, text out; as the SDK types of 2026 have them.

The sound is opaque. The text comes as JSON, as events, or as plain text with or without times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Frame, Kind, Lane, Message, Part
from gateway.core.splice import splice_json
from gateway.dialects._binary import TextReader, is_text
from gateway.dialects._fields import TEXT, Field, tokens
from gateway.dialects._form import FormApi
from gateway.dialects._openai import error_reply, usage
from gateway.dialects._openai_fields import ASKED_MODEL, ERROR, ID, TOKENS, USAGE, WORD
from gateway.dialects._openai_stream import OpenAiStream
from gateway.dialects._sse import Event
from gateway.dialects._stream import Reading
from gateway.dialects._whole import WholeReader
from gateway.dialects._whole import rewrite as rewrite_frame

_SAID = Field(kind=Kind.TEXT, role="assistant")
_LOGPROBS = tokens("dropped when the text beside them is changed")
REQUEST = Field(
    fields={
        "model": ASKED_MODEL,
        "file": Field(media="audio/*"),
        "prompt": Field(kind=Kind.TEXT, role="user"),
        "keywords[]": Field(kind=Kind.TEXT, role="user"),
        "known_speaker_names[]": TEXT,
        "known_speaker_references[]": Field(media="audio/*"),
        "language": WORD,
        "languages[]": WORD,
        "response_format": WORD,
        "temperature": WORD,
        "stream": WORD,
        "include[]": WORD,
        "timestamp_granularities[]": WORD,
        "chunking_strategy": WORD,
        "chunking_strategy[type]": WORD,
    }
)
ANSWER = Field(
    fields={
        "type": WORD,
        "task": WORD,
        "language": TEXT,
        "text": _SAID,
        "words": Field(items=Field(fields={"word": _SAID})),
        "segments": Field(
            items=Field(
                fields={"id": ID, "type": WORD, "text": _SAID, "tokens": Field(numbers=TOKENS)}
            )
        ),
        "logprobs": _LOGPROBS,
        "usage": USAGE,
        "error": ERROR,
    }
)
EVENTS = Field(
    fields={
        "type": WORD,
        "id": ID,
        "segment_id": ID,
        "delta": Field(kind=Kind.TEXT, role="assistant", streamed=True),
        "text": _SAID,
        "speaker": TEXT,
        "logprobs": _LOGPROBS,
        "usage": USAGE,
        "error": ERROR,
    }
)


class Member(FormApi):
    """The dialect."""

    name = "openai_transcriptions"
    operation = "transcription"
    paths = ("/v1/audio/transcriptions", "/v1/audio/translations")
    request = REQUEST
    answer = ANSWER
    events = EVENTS
    others = ("text/event-stream", "text/*")

    def path_of(self, call: Call) -> str:
        """Both are spelt as they are served."""
        return call.path or self.paths[0]

    def json_of(self, value: Mapping[str, Any]) -> bool:
        """Only text that nobody will parse may get a notice."""
        return value.get("response_format") != "text"

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for events, plain text or one JSON body."""
        if "text/event-stream" in content_type.lower():
            return _Stream("file")
        if is_text(content_type):
            return TextReader(self.refuse)
        return _Whole(
            ANSWER, usage_of=usage, withheld=lambda _, refusal, id_: self.refuse(refusal, id_)
        )

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id, param="file" if refusal.rule else None)


class _Whole(WholeReader):
    """A transcript says the same several times: as text, in segments, in words, as tokens."""

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The body with edits made; where the text was changed its words and tokens go.

        A number that was said stands there digit by digit, and no detector would know it.
        """
        if not edits or "" in edits:
            return super().rewrite(frame, edits)
        segments = {path for path in edits if path.startswith("/segments/")}
        gone = {path for path in edits if path.startswith("/words/")}
        nulls = {"/words", "/logprobs"}
        told = [path for path in segments if path.endswith("/text")]
        if sum(len(edits[path]) for path in told) < len(edits.get("/text", ())):
            # Something runs over the end of a segment.
            gone |= segments
            nulls.add("/segments")
        else:
            nulls |= {f"/segments/{i}/tokens" for i in range(len(_segments(self.value)))}
        start, end = frame.body
        kept = {path: changes for path, changes in edits.items() if path not in gone}
        new = splice_json(frame.raw[start:end], kept, nulls=nulls)
        return frame.raw[:start] + new + frame.raw[end:]


class _Stream(OpenAiStream):
    """A text in deltas, and at the end as a whole."""

    def spec(self, event: Event, value: object) -> Field:
        """The same for all."""
        return EVENTS

    def lane(self, value: object, piece: Part) -> Lane:
        """One text a place."""
        return Lane(0, piece.path, 0, piece.kind)

    def meaning(self, event: Event, value: object) -> Reading:
        """Whether the text is whole."""
        self.note(value)
        done = isinstance(value, dict) and value.get("type") == "transcript.text.done"
        return Reading((ALL,) if done else ())

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The event with edits made; the raw tokens beside an edited text are dropped."""
        return rewrite_frame(frame, edits, lambda _: "/logprobs")


def _segments(value: Any) -> Sequence[Any]:
    segments = value.get("segments") if isinstance(value, dict) else None
    return segments if isinstance(segments, list) else ()
