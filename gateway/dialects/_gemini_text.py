"""Gemini's operations that answer in text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.calls import Call
from gateway.dialects._gemini import GeminiApi
from gateway.dialects._reached import anywhere

_PLAIN_TEXT = ("", "text/plain")
# The contents of one turn may stand without their list.
_FILES = tuple(
    ("contents", *turns, "parts", "*", *names)
    for turns in (("*",), ())
    for names in (("fileData", "fileUri"), ("file_data", "file_uri"), ("fileData", "file_uri"),
                  ("file_data", "fileUri"))
)  # fmt: skip


class TextApi(GeminiApi):
    """One such operation: what its requests say about the answer."""

    def json_of(self, value: Mapping[str, Any]) -> bool:
        """JSON mode, or a schema."""
        config = _member(value, "generationConfig", "generation_config")
        if not isinstance(config, dict):
            return False
        media = _member(config, "responseMimeType", "response_mime_type")
        return (media or "") not in _PLAIN_TEXT or any(
            _member(config, *names)
            for names in (
                ("responseSchema", "response_schema"),
                ("responseJsonSchema", "response_json_schema"),
            )
        )

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """What was put into a cache of the upstream's earlier, or stands elsewhere as a file."""
        inner = _member(value, "generateContentRequest", "generate_content_request")
        bodies = [body for body in (value, inner) if isinstance(body, dict)]
        found = []
        if any(_member(body, "cachedContent", "cached_content") for body in bodies):
            found.append("cached_content")
        if any(anywhere(body, *_FILES) for body in bodies):
            found.append("file_uri")
        return tuple(found)


def _member(value: Mapping[str, Any], camel: str, snake: str) -> Any:
    return value.get(camel) or value.get(snake)
