"""Ollama's own completion, as its API reference and Python client of 2026 describe it."""

from __future__ import annotations

from typing import Any

from gateway.core.message import Kind
from gateway.dialects._fields import Field, plain
from gateway.dialects._ollama import ANSWER, IMAGES, NUMBER, REQUEST
from gateway.dialects._ollama_api import OllamaApi

_PROMPT = Field(kind=Kind.TEXT, role="user")
_SYSTEM = Field(kind=Kind.TEXT, role="system")
_ANSWER = {
    **ANSWER,
    "response": Field(kind=Kind.TEXT),
    "thinking": Field(kind=Kind.REASONING),
    "image": Field(media="image/*"),
    "context": plain("token numbers of what was said"),
    "completed": NUMBER,
    "total": NUMBER,
}


class Member(OllamaApi):
    """The dialect."""

    name = "ollama_generate"
    operation = "completion"
    paths = ("/api/generate",)
    request = Field(
        fields={
            **REQUEST,
            "prompt": _PROMPT,
            "suffix": _PROMPT,
            "system": _SYSTEM,
            "template": _SYSTEM,
            "images": IMAGES,
            "context": Field(numbers="application/x-tokens"),
            "raw": NUMBER,
        }
    )
    answer = Field(fields=_ANSWER, role="assistant")
    events = Field(fields=_ANSWER, role="assistant", streamed=True)

    def said(self, text: str) -> dict[str, Any]:
        """The answer itself."""
        return {"response": text}
