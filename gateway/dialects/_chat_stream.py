"""A streamed chat completion: chunks in, frames out."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Kind, Lane, Part
from gateway.dialects._chat_calls import Calls
from gateway.dialects._counted import CountedStream
from gateway.dialects._fields import Field
from gateway.dialects._numbers import index_of, number_of
from gateway.dialects._openai import error_body, error_reply, logprobs, usage
from gateway.dialects._reached import at
from gateway.dialects._shape import NUMBER, PADDING
from gateway.dialects._sse import Event, Events
from gateway.dialects._stream import Reading
from gateway.dialects._whole import rewrite

_META = ("id", "object", "created", "model", "system_fingerprint")
_DONE = b"data: [DONE]\n\n"


class ChatStream(CountedStream):
    """Reads chunks; remembers what a synthetic last chunk needs to look like its own.

    chunk: what the fields of a chunk are for. unasked: as for `CountedStream`.
    """

    ping = b": ping\n\n"
    passing = MappingProxyType({"/created": NUMBER, "/obfuscation": PADDING})

    def __init__(self, chunk: Field, *, unasked: bool = False) -> None:
        super().__init__(Events())
        self.unasked = unasked
        self._spec = chunk
        self._meta: dict[str, Any] = {}
        self._seen: set[int] = set()
        self._calls: dict[int, Calls] = {}
        self._parts: dict[tuple[int, str], dict[int, int]] = {}
        self._tools: dict[tuple[int, int], str] = {}

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The event with edits made; the raw tokens beside an edited text are dropped."""
        return rewrite(frame, edits, logprobs)

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more chunk that adds `text` to the fragment's choice."""
        return self._chunk(_choice(fragment.lane.choice, {"content": text}, None))

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Every open choice ends as filtered; never as tool_calls, which a client would run."""
        if ALL in ended:
            return b""
        still_open = sorted((self._seen or {0}) - set(ended))
        ends = [self._chunk(_choice(i, {}, "content_filter")) for i in still_open]
        return b"".join(ends) + _DONE

    def broken(self, error: str, exchange_id: str) -> bytes:
        """An error event: SDKs raise it and do not send the request again."""
        body = error_body(Refusal("upstream_error", error, 502), exchange_id)
        return b"data: " + json.dumps(body).encode() + b"\n\n"

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """Nothing was sent yet, so a plain error says it best."""
        return error_reply(refusal, exchange_id, param="messages")

    def spec(self, event: Event, value: Any) -> Field:
        """All events are chunks, or an error."""
        return self._spec

    def lane(self, value: Any, piece: Part) -> Lane:
        """One text a place in a choice; calls of tools and parts are told apart by number."""
        steps = piece.path.split("/")
        choice, (name, *rest) = value["choices"][int(steps[2])], steps[4:]
        index, number, tool = number_of(choice), 0, ""
        if rest and rest[0].isdigit():
            place = int(rest[0])
            number = self._number(index, name, choice["delta"][name][place], place)
            rest = [step for step in rest if not step.isdigit()]
        if piece.kind is Kind.TOOL_ARGUMENTS:
            tool = self._tool((index, number), piece)
        # The same text, whether it comes as a string or as the text of a part.
        field = name if rest == ["text"] else "/".join([name, *rest])
        return Lane(index, field, number, piece.kind, tool=tool)

    def meaning(self, event: Event, value: Any) -> Reading:
        """Which choices end, and what is to be remembered of the answer."""
        if not isinstance(value, dict):
            return Reading()
        if value.get("error") or value.get("object") == "error":
            self.failed = True
        choices = value.get("choices")
        if not isinstance(choices, list):
            return Reading()
        self._note(value)
        self.kept += at(choices, "*", "delta", "audio", "id")
        closes = []
        for choice in choices:
            if isinstance(choice, dict):
                self._seen.add(number_of(choice))
                # Some servers send an empty one with each chunk.
                if choice.get("finish_reason") not in (None, "", "null"):
                    closes.append(number_of(choice))
        return Reading(tuple(closes), steady=not closes)

    def _frame(self, event: Event) -> Frame:
        if event.data.strip() == b"[DONE]":
            return Frame(event.raw, closes=(ALL,))
        return super()._frame(event)

    def _number(self, choice: int, name: str, entry: Any, place: int) -> int:
        """The number of a text that comes in a list: of a call, or of a part of the content.

        Parts are numbered as they begin, by some servers; what is not is the first.
        """
        if name == "tool_calls":
            return self._calls.setdefault(choice, Calls()).number(entry, place)
        index = index_of(entry)
        if index is None:
            return 0
        parts = self._parts.setdefault((choice, name), {})
        return parts.setdefault(index, len(parts))

    def _tool(self, call: tuple[int, int], piece: Part) -> str:
        """The tool of a call; empty if it is told twice, for clients join what they are told."""
        if piece.path.endswith(("/function/name", "/custom/name", "/function_call/name")):
            self._tools[call] = "" if call in self._tools else piece.text
        return self._tools.get(call, piece.tool)

    def _note(self, value: dict[str, Any]) -> None:
        # Azure's first event, about the prompt, has an empty id.
        if not self._meta.get("id"):
            self._meta = {k: value[k] for k in _META if k in value}
            model = value.get("model")
            self.model = model if isinstance(model, str) else ""
        if value.get("usage"):
            self.usage = usage(value)

    def _chunk(self, choice: dict[str, Any]) -> bytes:
        chunk = {"object": "chat.completion.chunk", **self._meta, "choices": [choice]}
        return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def _choice(index: int, delta: dict[str, str], finish: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
