"""OpenAI's moderations, as the API reference and SDK types of 2026 describe them."""

from __future__ import annotations

from typing import Any, ClassVar

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import Kind, Message
from gateway.dialects._fields import TEXT, Field, plain
from gateway.dialects._implied import ImpliedModelApi
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

_CATEGORIES = plain("the API's own categories")
REQUEST = Field(
    fields={
        "model": ASKED_MODEL,
        "input": Field(
            kind=Kind.TEXT,
            role="user",
            numbers=TOKENS,
            items=Field(
                numbers=TOKENS,
                fields={"type": WORD, "text": TEXT, "image_url": Field(fields={"url": TEXT})},
            ),
        ),
    }
)
ANSWER = Field(
    fields={
        "id": ID,
        "object": WORD,
        "model": ANSWERED_MODEL,
        "usage": USAGE,
        "results": Field(
            items=Field(
                fields={
                    "categories": _CATEGORIES,
                    "category_scores": _CATEGORIES,
                    "category_applied_input_types": _CATEGORIES,
                }
            )
        ),
        "error": ERROR,
    }
)


class Member(ImpliedModelApi):
    """The dialect."""

    name = "openai_moderations"
    operation = "moderation"
    paths = ("/v1/moderations",)
    request = REQUEST
    answer = ANSWER
    needs: ClassVar = {"input": (str, list)}

    def implied(self, call: Call) -> str:
        """What the API reference names as the default, 2026."""
        return "omni-moderation-latest"

    def stream_of(self, value: Any, call: Any) -> bool:
        """There are no streamed moderations."""
        return False

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for one JSON body."""
        return WholeReader(
            ANSWER, usage_of=usage, withheld=lambda _, refusal, id_: self.refuse(refusal, id_)
        )

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id, param="input" if refusal.rule else None)
