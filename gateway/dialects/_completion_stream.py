"""A streamed legacy completion: chunks in, frames out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Lane, Part
from gateway.dialects._counted import CountedStream
from gateway.dialects._fields import Field
from gateway.dialects._numbers import number_of
from gateway.dialects._openai import logprobs
from gateway.dialects._openai_stream import DONE, OpenAiStream, event
from gateway.dialects._shape import NUMBER, PADDING
from gateway.dialects._sse import Event
from gateway.dialects._stream import Reading
from gateway.dialects._whole import rewrite

_META = ("id", "object", "created", "model", "system_fingerprint")


class CompletionStream(CountedStream, OpenAiStream):
    """Reads chunks; remembers what a synthetic last chunk needs to look like its own."""

    passing = MappingProxyType({"/created": NUMBER, "/obfuscation": PADDING})

    def __init__(self, chunk: Field, *, unasked: bool = False) -> None:
        OpenAiStream.__init__(self, "prompt")
        self.unasked = unasked
        self._chunk = chunk
        self._meta: dict[str, Any] = {}
        self._seen: set[int] = set()

    def spec(self, event: Event, value: Any) -> Field:
        """All events are chunks."""
        return self._chunk

    def lane(self, value: Any, piece: Part) -> Lane:
        """Each string of each choice is a text of its own."""
        steps = piece.path.split("/")
        index = number_of(value["choices"][int(steps[2])])
        return Lane(index, "/".join(steps[3:]), 0, piece.kind)

    def meaning(self, event: Event, value: Any) -> Reading:
        """Which choices end with this chunk."""
        self.note(value)
        choices = value.get("choices") if isinstance(value, dict) else None
        if not isinstance(choices, list):
            return Reading()
        if not self._meta.get("id"):
            self._meta = {k: value[k] for k in _META if k in value}
        self._seen.update(map(number_of, choices))
        # Some servers send an empty reason with each chunk.
        ended = [c for c in choices if isinstance(c, dict) and c.get("finish_reason")]
        return Reading(tuple(map(number_of, ended)), steady=not ended)

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The event with edits made; the raw tokens beside an edited text are dropped."""
        return rewrite(frame, edits, logprobs)

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more chunk that adds `text` to the fragment's choice."""
        return self._event(fragment.lane.choice, text, None)

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Every open choice ends as filtered."""
        if ALL in ended:
            return b""
        still_open = sorted((self._seen or {0}) - set(ended))
        return b"".join(self._event(i, "", "content_filter") for i in still_open) + DONE

    def _event(self, index: int, text: str, finish: str | None) -> bytes:
        choice = {"index": index, "text": text, "logprobs": None, "finish_reason": finish}
        return event({"object": "text_completion", **self._meta, "choices": [choice]})
