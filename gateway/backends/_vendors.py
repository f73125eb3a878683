"""What is special about one vendor when a chat completion goes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.backends._spokes._shape import untranslatable
from gateway.core.ports import BackendOptions

# Backend kinds whose vendor litellm knows: kind -> (litellm's provider, what its URL needs).
KINDS: Mapping[str, tuple[str, str]] = {
    "openai": ("openai", ""),
    "anthropic": ("anthropic", ""),
    "gemini": ("gemini", "/v1beta"),
    "ollama": ("ollama_chat", ""),
}


def fit(asked: dict[str, Any], provider: str) -> dict[str, Any]:
    """A chat completion as this provider can be asked it. Raises Refused if it cannot."""
    for part in _parts(asked):
        url = part.get("image_url")
        url = url.get("url") if isinstance(url, dict) else url
        held = isinstance(url, str) and url.startswith("data:")
        if part.get("type") == "image_url" and not held and provider != "openai":
            # litellm would fetch it, from wherever the client says.
            raise untranslatable("An image that is named by its address")
        file = part.get("file")
        if part.get("type") == "file" and not (isinstance(file, dict) and "file_data" in file):
            raise untranslatable("A file whose bytes are not in the request")
    return asked


def at(options: BackendOptions, suffix: str) -> str:
    """The URL that litellm needs for a vendor's."""
    return options.url if options.url.endswith(suffix) else options.url + suffix


def _parts(asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for message in asked["messages"]:
        content = message.get("content")
        yield from content if isinstance(content, list) else ()
