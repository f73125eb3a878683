"""OpenAI's Responses API: counting the tokens of a request without an answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.calls import Call
from gateway.dialects._responses import COUNT
from gateway.dialects._responses_kept import states
from gateway.dialects.openai_responses import ResponsesApi


class Member(ResponsesApi):
    """The dialect."""

    name = "openai_responses_tokens"
    operation = "count_tokens"
    spends = False
    paths = ("/v1/responses/input_tokens",)
    answer = COUNT

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """Nothing is kept; something may be recalled."""
        return states({**value, "store": False})
