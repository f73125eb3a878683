"""Counting the tokens of a message that is not sent yet: the same body, the same judging."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import Message
from gateway.dialects._anthropic import ID_HEADER, asked, error_reply, states
from gateway.dialects._anthropic_fields import ANSWER, REQUEST
from gateway.dialects._api import JsonApi
from gateway.dialects._whole import WholeReader


class Member(JsonApi):
    """The dialect."""

    name = "anthropic_count_tokens"
    operation = "count_tokens"
    spends = False
    paths = ("/v1/messages/count_tokens",)
    id_header = ID_HEADER
    request = REQUEST
    answer = ANSWER
    needs: ClassVar = {"messages": (list,)}

    def asks_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """The container that is gone on in."""
        return asked(value)

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """What was made past this gateway, and is recalled."""
        return states(value)

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A number, or an error."""
        return WholeReader(ANSWER, usage_of=_no_usage, withheld=_withheld)

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id)


def _no_usage(value: Mapping[str, Any]) -> dict[str, int]:
    """Counting uses no tokens."""
    return {}


def _withheld(value: Any, refusal: Refusal, exchange_id: str) -> Reply:
    return error_reply(refusal, exchange_id)
