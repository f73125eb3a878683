"""A streamed chat completion: chunks in, frames out."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gateway.core.errors import UpstreamError
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Kind, Lane, Part
from gateway.core.nested import texts
from gateway.core.ports import Reply
from gateway.dialects._chat_chunk import Chunk, ordinary
from gateway.dialects._fields import TEXT, Field, Found, read
from gateway.dialects._openai import error_body, error_reply, logprobs, usage
from gateway.dialects._sse import Event, Events
from gateway.dialects._whole import decode, rewrite, text_frame

_STREAMED = {
    "content": Kind.TEXT,
    "refusal": Kind.REFUSAL,
    "reasoning": Kind.REASONING,
    "reasoning_content": Kind.REASONING,
}
_PLAIN = frozenset({"role"})
_CHOICE_PLAIN = frozenset({"index", "finish_reason", "logprobs", "delta"})
_CALL_PLAIN = frozenset({"index", "id", "type"})
_META = ("id", "object", "created", "model", "system_fingerprint")
_DONE = b"data: [DONE]\n\n"


class ChatStream:
    """Reads chunks; remembers what a synthetic last chunk needs to look like its own."""

    streamed = True
    ping = b": ping\n\n"

    def __init__(self, answer: Field) -> None:
        self.model = ""
        self.usage: Mapping[str, int] = {}
        self.failed = False
        self.kept: list[str] = []
        self._answer = answer
        self._events = Events()
        self._meta: dict[str, Any] = {}
        self._seen: set[int] = set()
        self._texts: dict[int, Lane] = {}

    def feed(self, data: bytes) -> list[Frame]:
        """Frames completed by these bytes."""
        return [self._frame(event) for event in self._events.feed(data)]

    def flush(self) -> list[Frame]:
        """An event whose blank line never came."""
        return [self._frame(event) for event in self._events.flush()]

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The event with edits made; the raw tokens beside an edited text are dropped."""
        return rewrite(frame, edits, logprobs)

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more chunk that adds `text` to the fragment's choice."""
        return self._chunk([_choice(fragment.lane.choice, {fragment.lane.field: text}, None)])

    def group(self, path: str) -> str:
        """Whole texts in chunks belong to no choice's content."""
        return path

    def sent(self, frame: Frame) -> None:
        """What `stop` needs is told by `ended`."""

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Every open choice ends as filtered; never as tool_calls, which a client would run."""
        if ALL in ended:
            return b""
        still_open = sorted((self._seen or {0}) - set(ended))
        choices = [_choice(i, {}, "content_filter") for i in still_open]
        return b"".join(self._chunk([choice]) for choice in choices) + _DONE

    def broken(self, error: str, exchange_id: str) -> bytes:
        """An error event: SDKs raise it and do not send the request again."""
        body = error_body(Refusal("upstream_error", error, 502), exchange_id)
        return b"data: " + json.dumps(body).encode() + b"\n\n"

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """Nothing was sent yet, so a plain error says it best."""
        return error_reply(refusal, exchange_id, param="messages")

    def _frame(self, event: Event) -> Frame:
        data = event.data
        if not data:
            return text_frame(event.raw, (0, len(event.raw)))
        if data.strip() == b"[DONE]":
            return Frame(event.raw, closes=(ALL,))
        try:
            chunk = ordinary(data) if self._meta else None
            if chunk is not None:
                return self._add_text(event, chunk)
            return self._read(event, decode(data))
        except ValueError:
            return text_frame(event.raw, (event.start, event.end))
        except RecursionError as err:
            raise UpstreamError("an event of the upstream's stream is nested too deeply") from err

    def _add_text(self, event: Event, chunk: Chunk) -> Frame:
        """A chunk that only adds to the text of choices: nearly all are such."""
        fragments = []
        for i, choice in enumerate(chunk.choices):
            text, index = choice.delta.content, choice.index
            self._seen.add(index)
            if text:
                lane = self._texts.get(index)
                if lane is None:
                    lane = self._texts[index] = Lane(index, "content")
                fragments.append(Fragment(lane, f"/choices/{i}/delta/content", text))
        return Frame(event.raw, (event.start, event.end), tuple(fragments))

    def _read(self, event: Event, value: Any) -> Frame:
        fragments: list[Fragment] = []
        closes: list[int] = []
        found = Found()
        rest = value
        if isinstance(value, dict) and (value.get("error") or value.get("object") == "error"):
            self.failed = True
        if isinstance(value, dict) and isinstance(value.get("choices"), list):
            rest = {k: v for k, v in value.items() if k != "choices"}
            self._note(value)
            for i, choice in enumerate(value["choices"]):
                self._choice(choice, f"/choices/{i}", fragments, closes, found)
        if rest is value or len(rest) > len(_META) or rest.keys() - _META:
            read(rest, self._answer, found)
        return Frame(
            event.raw,
            (event.start, event.end),
            tuple(fragments),
            tuple(found.parts),
            tuple(found.opaque),
            tuple(closes),
        )

    def _note(self, value: dict[str, Any]) -> None:
        if not self._meta:
            self._meta = {k: value[k] for k in _META if k in value}
            model = value.get("model")
            self.model = model if isinstance(model, str) else ""
        if value.get("usage"):
            self.usage = usage(value)

    def _choice(
        self, choice: Any, path: str, fragments: list[Fragment], closes: list[int], found: Found
    ) -> None:
        if not isinstance(choice, dict):
            read(choice, TEXT, found, path=path)
            return
        index = choice.get("index")
        index = index if isinstance(index, int) and index >= 0 else 0
        self._seen.add(index)
        delta = choice.get("delta")
        if isinstance(delta, dict):
            self._delta(delta, index, path + "/delta", fragments, found)
        else:
            read(delta, TEXT, found, path=path + "/delta")
        for key in choice.keys() - _CHOICE_PLAIN:
            read({key: choice[key]}, Field(kind=Kind.METADATA), found, path=path)
        # Some servers send an empty one with each chunk.
        if choice.get("finish_reason") not in (None, "", "null"):
            closes.append(index)

    def _delta(
        self, delta: dict[str, Any], index: int, path: str, fragments: list[Fragment], found: Found
    ) -> None:
        for key, value in delta.items():
            if value is None or value == "" or key in _PLAIN:
                continue
            kind = _STREAMED.get(key)
            if kind is not None and isinstance(value, str):
                fragments.append(Fragment(Lane(index, key, 0, kind), f"{path}/{key}", value))
            elif key == "tool_calls" and isinstance(value, list):
                for i, call in enumerate(value):
                    self._call(call, index, f"{path}/tool_calls/{i}", fragments, found)
            elif key == "function_call" and isinstance(value, dict):
                lane = Lane(index, key, 0, Kind.TOOL_ARGUMENTS)
                self._function(value, lane, f"{path}/{key}", fragments, found)
            else:
                lane = Lane(index, "", 0, Kind.METADATA)
                _undeclared(key, value, lane, path, fragments, found)

    def _call(
        self, call: Any, index: int, path: str, fragments: list[Fragment], found: Found
    ) -> None:
        if not isinstance(call, dict):
            read(call, TEXT, found, path=path)
            return
        number = call.get("index")
        number = number if isinstance(number, int) else 0
        lane = Lane(index, "tool_calls", number, Kind.TOOL_ARGUMENTS)
        for key, value in call.items():
            if key == "function" and isinstance(value, dict):
                self._function(value, lane, path + "/function", fragments, found)
            elif key not in _CALL_PLAIN:
                _undeclared(key, value, lane, path, fragments, found)

    def _function(
        self, value: dict[str, Any], lane: Lane, path: str, fragments: list[Fragment], found: Found
    ) -> None:
        for key, text in value.items():
            if not text:
                continue
            if key == "arguments" and isinstance(text, str):
                fragments.append(Fragment(lane, f"{path}/arguments", text))
            elif key == "name" and isinstance(text, str):
                found.parts.append(Part(f"{path}/name", text, "assistant", Kind.TOOL_ARGUMENTS))
            else:
                _undeclared(key, text, lane, path, fragments, found)

    def _chunk(self, choices: list[dict[str, Any]]) -> bytes:
        chunk = {"object": "chat.completion.chunk", **self._meta, "choices": choices}
        return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def _undeclared(
    key: str, value: Any, lane: Lane, path: str, fragments: list[Fragment], found: Found
) -> None:
    """A field that is not declared: it may be streamed in pieces too, so each string is a lane.

    lane: its choice, index and kind; the field is added.
    """
    for at, text in texts({key: value}, path):
        if at.endswith("~") or text[:5].lower() == "data:":
            read(text, Field(kind=lane.kind), found, role="assistant", path=at)
        else:
            field = lane.field + at[len(path) :]
            fragments.append(Fragment(Lane(lane.choice, field, lane.index, lane.kind), at, text))


def _choice(index: int, delta: dict[str, str], finish: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
