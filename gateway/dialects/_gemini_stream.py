"""A streamed answer of Gemini's: chunks in, frames out, as events or as one JSON array."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Lane, Part
from gateway.dialects._elements import Elements
from gateway.dialects._fields import Field
from gateway.dialects._gemini import error_body, error_reply, logprobs, stopped, usage
from gateway.dialects._gemini_calls import Calls
from gateway.dialects._gemini_fields import CHUNK
from gateway.dialects._numbers import index_of
from gateway.dialects._shape import NUMBER
from gateway.dialects._sse import Event, Events
from gateway.dialects._stream import EventStream, Reading
from gateway.dialects._whole import rewrite

_HEAD = ("modelVersion", "responseId")
# What is counted up from chunk to chunk, and as what (see `usage`).
_COUNTED = {
    "/usageMetadata/promptTokenCount": "input",
    "/usageMetadata/candidatesTokenCount": "output",
    "/usageMetadata/thoughtsTokenCount": "reasoning",
    "/usageMetadata/totalTokenCount": "",
}


class GeminiStream(EventStream):
    """Reads chunks as server-sent events; remembers what a synthetic last one needs.

    A candidate's texts end with the stream and not with its finish reason, which some servers
    put into every chunk. There is no ping: Google's client takes a comment for half an error.
    """

    passing = MappingProxyType({at: NUMBER._replace(name=name) for at, name in _COUNTED.items()})

    def __init__(self) -> None:
        super().__init__(self.cutter())
        self._head: dict[str, Any] = {}
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._calls = Calls()

    def cutter(self) -> Events | Elements:
        """What cuts bytes into chunks."""
        return Events()

    def flush(self) -> list[Frame]:
        """An event whose end never came, and the end of all texts."""
        return [*super().flush(), Frame(b"", closes=(ALL,))]

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The chunk with edits made; the raw tokens beside an edited text are dropped."""
        return rewrite(frame, edits, logprobs)

    def group(self, path: str) -> str:
        """A call, which comes as a whole, concerns all candidates: there are seldom two."""
        return ""

    def spec(self, event: Event, value: Any) -> Field:
        """All chunks are alike."""
        return CHUNK

    def lane(self, value: Any, piece: Part) -> Lane:
        """A candidate's texts of one kind go on from part to part and from chunk to chunk."""
        steps = piece.path.split("/")
        choice = _index(value["candidates"], int(steps[2]))
        field, call, tool = "/".join(s for s in steps[4:] if not s.isdigit()), 0, ""
        if "partialArgs" in steps:
            at = steps.index("partialArgs")
            found: Any = value
            for name in steps[1:at]:
                found = found[int(name) if isinstance(found, list) else name]
            field = str(found["partialArgs"][int(steps[at + 1])].get("jsonPath"))
            call, tool = self._calls.going_on(choice, found)
        return Lane(choice, field, call, piece.kind, piece.sealed, tool=tool)

    def meaning(self, event: Event, value: Any) -> Reading:
        """Which candidates it speaks of, and which of them it says are finished."""
        if not isinstance(value, dict):
            return Reading()
        self._head = self._head or {key: value[key] for key in _HEAD if key in value}
        self.model = self.model or str(value.get("modelVersion") or "")
        self.usage = usage(value) or self.usage
        self.failed = self.failed or bool(value.get("error"))
        finished, called = [], 0
        for at, candidate in enumerate(_objects(value.get("candidates"))):
            index = _index(value["candidates"], at)
            self._seen.add(index)
            begun = _calls_begun(candidate)
            called += len(begun)
            self._calls.begin(index, begun)
            if candidate.get("finishReason"):
                finished.append(index)
        return Reading(note=tuple(finished), steady=not finished and not called)

    def like(self, frame: Frame) -> None:
        """Such a chunk counts tokens anew."""
        if isinstance(frame.note, re.Match):
            told = frame.note.groupdict()
            counts = {name: int(told[name]) for name in _COUNTED.values() if name in told}
            self.usage = {**self.usage, **counts}

    def sent(self, frame: Frame) -> None:
        """Remember which candidates the client was told the end of."""
        if isinstance(frame.note, tuple):
            self._finished.update(frame.note)

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more chunk that adds `text` to the fragment's candidate."""
        said = {"parts": [{"text": text}], "role": "model"}
        return self.chunk({"candidates": [{"content": said, "index": fragment.lane.choice}]})

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Every open candidate ends as Google's own filter would end it."""
        still_open = sorted((self._seen or {0}) - self._finished)
        if ALL in ended or not still_open:
            return self.end()
        return self.chunk({"candidates": [stopped(i, refusal) for i in still_open]}) + self.end()

    def broken(self, error: str, exchange_id: str) -> bytes:
        """A chunk that is an error: clients raise it."""
        body = error_body(Refusal("upstream_error", error, 502), exchange_id)
        return self.written(body) + self.end()

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """Nothing was sent yet, so a plain error says it best."""
        return error_reply(refusal, exchange_id)

    def chunk(self, value: dict[str, Any]) -> bytes:
        """A chunk that looks like the others of this answer."""
        return self.written({**value, **self._head})

    def written(self, value: dict[str, Any]) -> bytes:
        """One more event."""
        return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\r\n\r\n"

    def end(self) -> bytes:
        """What the last event needs behind it."""
        return b""


class GeminiArray(GeminiStream):
    """The same chunks as the elements of one JSON array, which stays valid whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self._opened = False
        self._closed = False

    def cutter(self) -> Events | Elements:
        """What cuts bytes into chunks."""
        return Elements()

    def silent(self, event: Event) -> Frame:
        """The array's end."""
        return Frame(event.raw, closes=(ALL,), note=ALL)

    def sent(self, frame: Frame) -> None:
        """Remember also whether the array has begun, and whether it has ended."""
        super().sent(frame)
        self._opened = self._opened or bool(frame.raw)
        self._closed = self._closed or frame.note == ALL

    def written(self, value: dict[str, Any]) -> bytes:
        """One more element."""
        before = b",\r\n" if self._opened else b"["
        self._opened = True
        return before + json.dumps(value, ensure_ascii=False).encode()

    def end(self) -> bytes:
        """The array's end, if it has not left already."""
        return b"" if self._closed else b"]"


def _objects(values: Any) -> list[Any]:
    return [v if isinstance(v, dict) else {} for v in values] if isinstance(values, list) else []


def _index(candidates: Sequence[Any], at: int) -> int:
    """The number of a candidate: the first is often not told."""
    index = index_of(candidates[at])
    return at if index is None else index


def _calls_begun(candidate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The function calls that begin in a chunk: those that have a name."""
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    calls = [part.get("functionCall") for part in _objects(parts)]
    return [call for call in calls if isinstance(call, dict) and call.get("name")]
