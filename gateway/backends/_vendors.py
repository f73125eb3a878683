"""What is special about one vendor when a chat completion goes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from yarl import URL

from gateway.backends import gemini
from gateway.backends._spokes._shape import untranslatable
from gateway.core.apis import BackendOptions

# Backend kinds that are asked by litellm, by the names it has for their vendors.
KINDS = ("anthropic", "gemini")
# Backend kinds that speak chat completions themselves.
DIRECT = ("openai", "azure", "ollama", "echo")
# These read an image from an address themselves, so nobody here has to.
_FETCHING = ("openai", "azure")
# Of these the newest models want another name for the same (API reference, 2026).
_RENAMED = "api.openai.com"
# What Ollama would not notice under /v1 (its docs/openai.md, 2026): lost without a word.
_UNNOTICED = ("top_k", "parallel_tool_calls", "tool_choice")


def fit(asked: dict[str, Any], provider: str, url: str = "") -> dict[str, Any]:
    """A chat completion as this provider can be asked it. Raises Refused if it cannot."""
    for part in _parts(asked):
        shown = part.get("image_url")
        shown = shown.get("url") if isinstance(shown, dict) else shown
        held = isinstance(shown, str) and shown.startswith("data:")
        if part.get("type") == "image_url" and not held and provider not in _FETCHING:
            # litellm would fetch it, from wherever the client says.
            raise untranslatable("An image that is named by its address")
        file = part.get("file")
        if part.get("type") == "file" and not (isinstance(file, dict) and "file_data" in file):
            raise untranslatable("A file whose bytes are not in the request")
    if provider == "ollama":
        _noticed(asked)
    renamed = provider == "azure" or URL(url).host == _RENAMED
    if renamed and "max_tokens" in asked:
        asked["max_completion_tokens"] = asked.pop("max_tokens")
    return asked


def _noticed(asked: Mapping[str, Any]) -> None:
    for key in _UNNOTICED:
        if asked.get(key, "auto") not in ("auto", True):
            raise untranslatable(f"'{key}' in the request")
    if any(part.get("type") == "file" for part in _parts(asked)):
        raise untranslatable("A file in the request")


def there(kind: str, options: BackendOptions) -> BackendOptions:
    """What litellm needs to know: the URL says it all, also where Vertex AI has its models."""
    url = gemini.home(options) if kind == "gemini" else options.url
    return replace(options, url=url, settings={})


def by_token(kind: str, options: BackendOptions) -> bool:
    """Whether the vendor wants to see a bearer's token where litellm shows an API key."""
    return kind == "gemini" and gemini.by_token(options)


def _parts(asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for message in asked["messages"]:
        content = message.get("content")
        yield from content if isinstance(content, list) else ()
