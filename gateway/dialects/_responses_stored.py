"""What the operations on a response that is kept upstream do alike: it is named by the path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.calls import Call
from gateway.dialects._api import step
from gateway.dialects._fields import Field
from gateway.dialects._responses import ID
from gateway.dialects.openai_responses import ResponsesApi


class StoredApi(ResponsesApi):
    """One operation. after: what follows the id in its path."""

    request = Field(fields={"id": ID})
    spends = False
    after = ""

    def value_of(self, call: Call) -> dict[str, Any]:
        """Everything may stand in the path, also of a POST."""
        return super().value_of(call) if call.body else {}

    def model_of(self, value: Mapping[str, Any], call: Call) -> str:
        """The model it was made with decides where this goes."""
        step(call, "id")
        return ""

    def stream_of(self, value: Mapping[str, Any], call: Call) -> bool:
        """Whether its events are asked for."""
        return ("stream", "true") in call.query

    def asks_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """The response itself."""
        return (call.params["id"],)

    def path_of(self, call: Call) -> str:
        """Where the vendor serves this."""
        return f"/v1/responses/{step(call, 'id')}{self.after}"
