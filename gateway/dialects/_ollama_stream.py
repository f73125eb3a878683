"""A streamed answer of Ollama's: lines in, frames out."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Lane, Part
from gateway.dialects._fields import Field
from gateway.dialects._lines import Lines
from gateway.dialects._ollama import error_body, error_reply, logprobs, usage
from gateway.dialects._shape import TIME
from gateway.dialects._sse import Event
from gateway.dialects._stream import EventStream, Reading
from gateway.dialects._whole import rewrite

_HEAD = ("model", "created_at")


class OllamaStream(EventStream):
    """Reads lines; remembers what a synthetic last line needs to look like its own.

    said: the members of a line that say this text.
    """

    passing = MappingProxyType({"/created_at": TIME})

    def __init__(self, spec: Field, said: Callable[[str], dict[str, Any]]) -> None:
        super().__init__(Lines())
        self._spec = spec
        self._said = said
        self._head: dict[str, Any] = {}

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The line with edits made; the raw tokens beside an edited text are dropped."""
        return rewrite(frame, edits, logprobs)

    def group(self, path: str) -> str:
        """There is one choice."""
        return ""

    def spec(self, event: Event, value: Any) -> Field:
        """All lines are alike."""
        return self._spec

    def lane(self, value: Any, piece: Part) -> Lane:
        """There is one choice, and a text has the same place in every line."""
        return Lane(0, piece.path, 0, piece.kind, piece.sealed)

    def meaning(self, event: Event, value: Any) -> Reading:
        """The last line says that it is done, and what was counted."""
        if not isinstance(value, dict):
            return Reading()
        self._head = self._head or {key: value[key] for key in _HEAD if key in value}
        self.model = self.model or str(value.get("model") or "")
        self.usage = usage(value) or self.usage
        self.failed = self.failed or bool(value.get("error"))
        return Reading((ALL,)) if value.get("done") is True else Reading(steady=True)

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more line that adds `text` to the answer."""
        return self._line(text, {"done": False})

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """A last line that says why it is the last.

        The reason is free text to clients: what no Ollama server says they show as it is.
        """
        if ALL in ended:
            return b""
        return self._line("", {"done": True, "done_reason": "content_filter"})

    def broken(self, error: str, exchange_id: str) -> bytes:
        """An error line: clients raise it, and nothing follows."""
        return error_body(Refusal("upstream_error", error, 502), exchange_id) + b"\n"

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """Nothing was sent yet, so a plain error says it best."""
        return error_reply(refusal, exchange_id)

    def _line(self, text: str, end: dict[str, Any]) -> bytes:
        value = {**self._head, **self._said(text), **end}
        return json.dumps(value, ensure_ascii=False).encode() + b"\n"
