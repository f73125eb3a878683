"""Gemini's operations that answer in text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.calls import Call
from gateway.dialects._gemini import GeminiApi

_PLAIN_TEXT = ("", "text/plain")


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
        """Content that was put into a cache of the upstream's earlier."""
        cached = _member(value, "cachedContent", "cached_content")
        return ("cached_content",) if cached else ()


def _member(value: Mapping[str, Any], camel: str, snake: str) -> Any:
    return value.get(camel) or value.get(snake)
