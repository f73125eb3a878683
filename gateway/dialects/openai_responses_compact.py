"""OpenAI's Responses API: making a long conversation short; the short one is encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.calls import Call
from gateway.dialects._responses import COMPACTED
from gateway.dialects._responses_kept import states
from gateway.dialects.openai_responses import ResponsesApi


class Member(ResponsesApi):
    """The dialect."""

    name = "openai_responses_compact"
    operation = "compact"
    paths = ("/v1/responses/compact",)
    answer = COMPACTED

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """Nothing is kept; something may be recalled."""
        return states({**value, "store": False})
