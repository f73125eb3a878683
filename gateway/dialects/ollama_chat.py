"""Ollama's own chat, as its API reference and Python client of 2026 describe it."""

from __future__ import annotations

from typing import Any, ClassVar

from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, plain
from gateway.dialects._ollama import ANSWER, ENUM, IMAGES, NUMBER, REQUEST
from gateway.dialects._ollama_api import OllamaApi

_ID = plain("an identifier made by the API")


def _message(*, streamed: bool) -> Field:
    """streamed: it comes in pieces. A tool call never does."""
    function = Field(tool="name", fields={"index": NUMBER, "name": TEXT, "arguments": TEXT})
    call = Field(fields={"id": _ID, "type": ENUM, "function": function})
    return Field(
        kind=Kind.TEXT,
        role="assistant",
        role_member="role",
        streamed=streamed,
        fields={
            "role": ENUM,
            "content": TEXT,
            "thinking": Field(kind=Kind.REASONING),
            "images": IMAGES,
            "tool_calls": Field(kind=Kind.TOOL_ARGUMENTS, streamed=False, items=call),
            "tool_name": TEXT,
            "tool_call_id": _ID,
        },
    )


_TOOL = Field(kind=Kind.TOOL_DEFINITION, fields={"type": ENUM})


class Member(OllamaApi):
    """The dialect."""

    name = "ollama_chat"
    operation = "chat"
    paths = ("/api/chat",)
    needs: ClassVar = {"messages": (list,)}
    request = Field(
        fields={
            **REQUEST,
            "messages": Field(items=_message(streamed=False)),
            "tools": Field(items=_TOOL),
        }
    )
    answer = Field(fields={**ANSWER, "message": _message(streamed=False)})
    events = Field(fields={**ANSWER, "message": _message(streamed=True)}, streamed=True)

    def said(self, text: str) -> dict[str, Any]:
        """A message of the model's."""
        return {"message": {"role": "assistant", "content": text}}
