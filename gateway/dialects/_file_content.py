"""A file on its way from OpenAI's API: lines of JSON as they arrive, anything else as a whole.

Of a file that was kept upstream nothing is said but that it is bytes, so its first line tells.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.core.apis import Reader, Reply
from gateway.core.errors import UpstreamError
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Kind, Lane, Opaque, Part
from gateway.core.splice import splice_json
from gateway.dialects import (
    _jsonl,
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_moderations,
    openai_responses,
)
from gateway.dialects._fields import TEXT, Field, media_type, plain
from gateway.dialects._lines import Lines
from gateway.dialects._offsets import beside
from gateway.dialects._openai import logprobs
from gateway.dialects._openai_fields import ERROR, ID
from gateway.dialects._sse import MAX_EVENT_BYTES, Event
from gateway.dialects._stream import EventStream, Reading
from gateway.dialects._whole import WholeReader, decode

Withheld = Callable[[Refusal, str], Reply]

# An answer says what it is by `object`; a moderation's says nothing.
_BODY = replace(
    openai_moderations.ANSWER,
    case_member="object",
    cases={
        "chat.completion": openai_chat.ANSWER,
        "response": openai_responses.Member.answer,
        "text_completion": openai_completions.ANSWER,
        "list": openai_embeddings.ANSWER,
    },
)
# A line of a batch's answers or of its requests, or an example.
LINE = Field(
    case_member="url",
    cases=_jsonl.REQUESTS.cases,
    fields={
        **_jsonl.EXAMPLES.fields,
        "id": ID,
        "custom_id": _jsonl.REQUESTS.fields["custom_id"],
        "response": Field(
            fields={"status_code": plain("a number"), "request_id": ID, "body": _BODY}
        ),
        "error": ERROR,
    },
)
_AT = "/response/body"
_BLANK = b"\xef\xbb\xbf \t\r\n"


class FileReader:
    """Decides by the first line what reads the file, and hands everything to that."""

    ping = b""

    def __init__(self, content_type: str, withheld: Withheld) -> None:
        self.model = ""
        # The batch tells what was used, not its answers each time they are fetched.
        self.usage: Mapping[str, int] = {}
        self.failed = False
        self.kept: list[str] = []
        self.streamed = False
        self._inner: Reader | None = None
        self._first = b""
        self._media = media_type(content_type.partition(";")[0].strip().lower())
        self._withheld = withheld

    def feed(self, data: bytes) -> list[Frame]:
        """Lines completed by these bytes; nothing of a file of another kind."""
        if self._inner is not None:
            return self._inner.feed(data)
        self._first += data
        line = self._first.lstrip(_BLANK).partition(b"\n")
        if line[1] or len(self._first) > MAX_EVENT_BYTES:
            return self._decide(line[0])
        return []

    def flush(self) -> list[Frame]:
        """What is left."""
        frames = [] if self._inner else self._decide(self._first.lstrip(_BLANK))
        return frames + self._reader.flush()

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The frame's bytes with edits made."""
        return self._reader.rewrite(frame, edits)

    def group(self, path: str) -> str:
        """Each text stands for itself."""
        return path

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """Nothing is added to files."""
        return b""

    def sent(self, frame: Frame) -> None:
        """Nothing to remember."""

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """A last line that says why there are no more, as lines of failed requests do."""
        error = {"code": refusal.code, "message": refusal.message}
        last = {"id": exchange_id, "custom_id": None, "response": None, "error": error}
        return json.dumps(last, ensure_ascii=False).encode() + b"\n"

    def broken(self, error: str, exchange_id: str) -> bytes:
        """No last words: the connection breaks off too, so that nobody takes it for whole."""
        return b""

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """What is given instead of the file."""
        return self._withheld(refusal, exchange_id)

    @property
    def _reader(self) -> Reader:
        if self._inner is None:
            raise ValueError("nothing was read yet")
        return self._inner

    def _decide(self, line: bytes) -> list[Frame]:
        try:
            self.streamed = isinstance(decode(line), dict)
        except (ValueError, RecursionError):
            self.streamed = False
        self._inner = _LineReader() if self.streamed else _Whole(self._media, self._withheld)
        first, self._first = self._first, b""
        return self._inner.feed(first)


class _LineReader(EventStream):
    """Lines of JSON objects, each whole in itself."""

    def __init__(self) -> None:
        super().__init__(Lines())

    def spec(self, event: Event, value: Any) -> Field:
        """The same for all."""
        return LINE

    def lane(self, value: Any, piece: Part) -> Lane:
        """Nothing comes in pieces."""
        return Lane(0, piece.path, 0, piece.kind)

    def meaning(self, event: Event, value: Any) -> Reading:
        """Its value is needed once more if it is edited."""
        return Reading(note=value)

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The line with edits made; what stands beside them in an answer follows."""
        if not edits:
            return frame.raw
        inner = {p[len(_AT) :]: new for p, new in edits.items() if p.startswith(f"{_AT}/")}
        put = {_AT + p: new for p, new in beside(_answer(frame.note), inner).items()}
        nulls = {_AT + tokens for p in inner if (tokens := logprobs(p))}
        gone = (*put, *nulls)
        kept = {p: e for p, e in edits.items() if not any(p.startswith(f"{g}/") for g in gone)}
        start, end = frame.body
        new = splice_json(frame.raw[start:end], kept, nulls=nulls, put=put)
        return frame.raw[:start] + new + frame.raw[end:]

    def _frame(self, event: Event) -> Frame:
        frame = super()._frame(event)
        if event.data.strip() and not isinstance(frame.note, dict):
            raise UpstreamError("a line of the upstream's file is not a JSON object")
        return frame


class _Whole(WholeReader):
    """A file that is judged as one: as JSON or text if it is that, else opaque."""

    def __init__(self, media: str, withheld: Withheld) -> None:
        super().__init__(
            TEXT,
            usage_of=lambda _: {},
            withheld=lambda _, refusal, exchange_id: withheld(refusal, exchange_id),
        )
        self._media = media

    def flush(self) -> list[Frame]:
        """The file as one frame."""
        body = self.taken()
        if not _is_text(body):
            opaque = (Opaque("", self._media, len(body)),)
            return [Frame(body, opaque=opaque, closes=(ALL,))]
        self._pieces.append(body)
        (frame,) = super().flush()
        parts = (p if p.path else replace(p, kind=Kind.TEXT) for p in frame.parts)
        return [frame._replace(parts=tuple(parts), closes=(ALL,))]


def _answer(line: Any) -> Any:
    """The answer in a line of a batch's answers."""
    response = line.get("response")
    return response.get("body") if isinstance(response, dict) else None


def _is_text(body: bytes) -> bool:
    try:
        return "\x00" not in body.decode("utf-8")
    except UnicodeDecodeError:
        return False
