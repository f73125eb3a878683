"""OpenAI's embeddings, as the API reference and SDK types of 2026 describe them."""

from __future__ import annotations

from typing import Any, ClassVar

from gateway.core.apis import Reader, Reply
from gateway.core.judgement import Refusal
from gateway.core.message import Kind, Message
from gateway.dialects._api import JsonApi
from gateway.dialects._fields import TEXT, Field, cipher
from gateway.dialects._openai import error_reply, usage
from gateway.dialects._openai_fields import (
    ANSWERED_MODEL,
    ASKED_MODEL,
    ERROR,
    ID,
    TOKENS,
    USAGE,
    WORD,
)
from gateway.dialects._whole import WholeReader

REQUEST = Field(
    fields={
        "model": ASKED_MODEL,
        "input": Field(kind=Kind.TEXT, role="user", numbers=TOKENS),
        "user": TEXT,
        "encoding_format": WORD,
    }
)
ANSWER = Field(
    fields={
        "id": ID,
        "object": WORD,
        "model": ANSWERED_MODEL,
        "usage": USAGE,
        "data": Field(
            items=Field(
                fields={"object": WORD, "embedding": cipher("a vector: numbers, or their base64")}
            )
        ),
        "error": ERROR,
    }
)


class Member(JsonApi):
    """The dialect."""

    name = "openai_embeddings"
    operation = "embedding"
    paths = ("/v1/embeddings",)
    request = REQUEST
    answer = ANSWER
    needs: ClassVar = {"input": (str, list)}

    def stream_of(self, value: Any, call: Any) -> bool:
        """There are no streamed embeddings."""
        return False

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for one JSON body."""
        return WholeReader(
            ANSWER, usage_of=usage, withheld=lambda _, refusal, id_: self.refuse(refusal, id_)
        )

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id, param="input" if refusal.rule else None)
