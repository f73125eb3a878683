"""OpenAI's batches: having the requests in a file answered, hours later.

The requests were judged when their file was uploaded, its answers are when they are fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.core.calls import Call
from gateway.core.message import Message
from gateway.dialects._fields import TEXT, Field, plain
from gateway.dialects._files import BATCH, ENDPOINT
from gateway.dialects._openai_fields import ID, WORD
from gateway.dialects._openai_kept import KeptApi, no_listing


class Member(KeptApi):
    """The dialect."""

    name = "openai_batches"
    operation = "batch"
    paths = ("/v1/batches", "GET /v1/batches")
    request = Field(
        fields={
            "input_file_id": ID,
            "endpoint": ENDPOINT,
            "completion_window": WORD,
            "metadata": TEXT,
            "output_expires_after": plain("a time"),
        }
    )
    answer = BATCH
    needs: ClassVar = {"input_file_id": (str,), "endpoint": (str,)}
    service = "batches"
    param = "input_file_id"

    def read(self, call: Call) -> Message:
        """A batch to be made. Raises Unreadable."""
        if call.method == "GET":
            raise no_listing("batches")
        return super().read(call)

    def asks_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """The file."""
        return (value["input_file_id"],)

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """Both what is asked and what is answered stay there."""
        return ("batch",)
