"""The fields of OpenAI's files and batches, as the SDK types of 2026 have them."""

from __future__ import annotations

import re

from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, plain
from gateway.dialects._openai_fields import ANSWERED_MODEL, ERROR, ID, USAGE, WORD

_TIMES = plain("times and sizes")
ENDPOINT = Field(plain="one of the API's own paths", form=re.compile(r"/v1/[a-z/]{1,40}"))
FILE = Field(
    fields={
        "id": ID,
        "object": WORD,
        "filename": TEXT,
        "purpose": WORD,
        "status": WORD,
        "status_details": Field(kind=Kind.ERROR),
        "deleted": WORD,
        **dict.fromkeys(("bytes", "created_at", "expires_at"), _TIMES),
        "error": ERROR,
    }
)
_PROBLEM = Field(kind=Kind.ERROR, fields={"code": WORD, "message": TEXT, "param": WORD})
# fmt: off
_WHEN = (
    "created_at", "in_progress_at", "expires_at", "finalizing_at", "completed_at", "failed_at",
    "expired_at", "cancelling_at", "cancelled_at",
)
# fmt: on
BATCH = Field(
    fields={
        "id": ID,
        "object": WORD,
        "endpoint": ENDPOINT,
        "model": ANSWERED_MODEL,
        **dict.fromkeys(("input_file_id", "output_file_id", "error_file_id"), ID),
        "completion_window": WORD,
        "status": WORD,
        "errors": Field(kind=Kind.ERROR, fields={"object": WORD, "data": Field(items=_PROBLEM)}),
        "request_counts": plain("counts"),
        "usage": USAGE,
        "metadata": TEXT,
        **dict.fromkeys(_WHEN, _TIMES),
        "error": ERROR,
    }
)
