"""OpenAI's batches: stopping one."""

from __future__ import annotations

from gateway.dialects._files import BATCH
from gateway.dialects._openai_kept import OneApi


class Member(OneApi):
    """The dialect."""

    name = "openai_batches_cancel"
    operation = "cancel"
    paths = ("/v1/batches/{id}/cancel",)
    root = "/v1/batches"
    after = "/cancel"
    answer = BATCH
    param = "batch"
