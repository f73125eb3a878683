"""OpenAI's Responses API: listing what a response that is kept upstream was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.calls import Call
from gateway.dialects._responses import ITEMS
from gateway.dialects._responses_stored import StoredApi


class Member(StoredApi):
    """The dialect."""

    name = "openai_responses_items"
    operation = "retrieve"
    paths = ("GET /v1/responses/{id}/input_items",)
    answer = ITEMS
    after = "/input_items"

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """What was judged on its way there comes back from there."""
        return ("retrieval",)
