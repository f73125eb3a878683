"""Ollama's completion, for backends that do not speak it.

Ollama puts a prompt into the model's chat template as what the user says, unless `raw` is set:
so does this. What leaves the template, or fills it otherwise, is refused.
"""

from __future__ import annotations

from typing import Any

from gateway.backends._spokes._ollama import (
    LEFT_OUT,
    READ,
    USUAL,
    LineWriter,
    content,
    ended,
    error,
    head,
    settings,
)
from gateway.backends._spokes._shape import body_of, only, untranslatable, usual
from gateway.backends._spokes._told import Told
from gateway.core.calls import Outgoing

_USUAL = {"raw": False, "suffix": "", "template": "", "context": []}


class Member:
    """The spoke."""

    def ask(self, call: Outgoing) -> dict[str, Any]:
        """The request as a chat completion."""
        known = (*READ, *LEFT_OUT, *USUAL, *_USUAL, "prompt", "system", "images")
        body = only(body_of(call), known, "the request")
        usual(body, _USUAL, "the request")
        if not body.get("prompt"):
            raise untranslatable("A request to load a model")
        system = content(body.get("system"), None)
        messages = [{"role": "system", "content": system}] if system else []
        said = content(body["prompt"], body.get("images"))
        return {**settings(body), "messages": [*messages, {"role": "user", "content": said}]}

    def answer(self, told: Told, call: Outgoing) -> dict[str, Any]:
        """One text."""
        return {**head(told), **_said(told.reasoning, told.text, None), **ended(told)}

    def writer(self, call: Outgoing) -> LineWriter:
        """A line for each piece."""
        return LineWriter(_said)

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Ollama's error."""
        return error(message)


def _said(thought: str, text: str, told: Told | None) -> dict[str, Any]:
    return {"response": text, **({"thinking": thought} if thought else {})}
