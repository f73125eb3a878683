"""Whether the vendors' own SDK types can parse an answer."""

from __future__ import annotations

from functools import cache
from typing import Any

from anthropic.types import Message as AnthropicMessage
from anthropic.types import RawMessageStreamEvent
from google.genai.types import GenerateContentResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter, ValidationError

TYPES: dict[str, tuple[Any, Any]] = {
    "openai_chat": (ChatCompletion, ChatCompletionChunk),
    "openai_responses": (Response, ResponseStreamEvent),
    "anthropic_messages": (AnthropicMessage, RawMessageStreamEvent),
    "gemini": (GenerateContentResponse, GenerateContentResponse),
}


def misfit(dialect: str, values: list[Any], *, stream: bool) -> str | None:
    """Where these values are not of the vendor's type; empty if they are, None if none is known."""
    known = TYPES.get(dialect)
    if known is None or not values:
        return None
    adapter = _adapter(known[1] if stream else known[0])
    try:
        for value in values:
            adapter.validate_python(value)
    except ValidationError as err:
        first = err.errors()[0]
        return f"{'/'.join(map(str, first['loc']))}: {first['msg']}"
    return ""


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
