"""OpenAI's Responses API: getting a response that is kept upstream, or deleting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.calls import Call
from gateway.dialects._responses import EVENTS
from gateway.dialects._responses_stored import StoredApi


class Member(StoredApi):
    """The dialect."""

    name = "openai_responses_stored"
    operation = "retrieve"
    paths = ("GET /v1/responses/{id}", "DELETE /v1/responses/{id}")
    events = EVENTS

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """Deleting recalls nothing."""
        return ("retrieval",) if call.method == "GET" else ()
