"""OpenAI's batches: how far one is."""

from __future__ import annotations

from gateway.dialects._files import BATCH
from gateway.dialects._openai_kept import OneApi


class Member(OneApi):
    """The dialect."""

    name = "openai_batches_stored"
    operation = "batch"
    paths = ("GET /v1/batches/{id}",)
    root = "/v1/batches"
    answer = BATCH
    param = "batch"
