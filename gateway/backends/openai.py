"""Any server that speaks OpenAI's dialects: OpenAI itself, vLLM, llama.cpp, Transformers.

Its URL ends with the version, as in https://api.openai.com/v1.
"""

from __future__ import annotations

import re
from typing import ClassVar

from gateway.backends._http import HttpBackend
from gateway.core.calls import Outgoing


class Member(HttpBackend):
    """One such server."""

    dialects = ("openai_",)
    passed: ClassVar = {
        "openai-beta": re.compile(r"[a-z_]{1,40}=v\d{1,2}(, ?[a-z_]{1,40}=v\d{1,2}){0,8}"),
    }

    def url(self, call: Outgoing) -> str:
        """The version stands in the backend's own URL already."""
        return self._base + call.path.removeprefix("/v1")
