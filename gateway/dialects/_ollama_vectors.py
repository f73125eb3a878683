"""Ollama's operations that answer in numbers, and never in a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import Message
from gateway.dialects._api import JsonApi
from gateway.dialects._fields import Field, plain
from gateway.dialects._ollama import ANSWER, error_reply, usage
from gateway.dialects._whole import WholeReader

_VECTOR = plain("a vector")


class VectorsApi(JsonApi):
    """One such operation."""

    operation = "embedding"
    answer = Field(fields={**ANSWER, "embeddings": _VECTOR, "embedding": _VECTOR})

    def stream_of(self, value: Mapping[str, Any], call: Call) -> bool:
        """Never."""
        return False

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for one JSON body."""
        return WholeReader(
            self.answer,
            usage_of=usage,
            withheld=lambda value, refusal, exchange_id: error_reply(refusal, exchange_id),
        )

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id)
