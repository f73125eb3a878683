"""What Ollama's chat and its completion share, for backends that speak neither.

https://docs.ollama.com/api and its Python client's types (2026).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from gateway.backends._spokes._shape import dumps, image, only, schema, untranslatable, usual
from gateway.backends._spokes._told import Delta, Told

NDJSON = "application/x-ndjson"
# Members of both requests; how long a model stays loaded is its own server's business.
READ = ("options", "format", "think")
LEFT_OUT = ("model", "stream", "keep_alive")
USUAL = {"logprobs": False, "top_logprobs": 0}
_SAME = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "seed": "seed",
    "stop": "stop", "num_predict": "max_tokens", "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}  # fmt: skip
# How a server runs a model, not what the model says.
_MACHINE = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap", "use_mlock",
            "low_vram", "numa", "f16_kv", "vocab_only")  # fmt: skip
# In base64, by how their bytes begin.
_IMAGES = {"iVBORw0KGgo": "png", "/9j/": "jpeg", "R0lGOD": "gif", "UklGR": "webp"}
_EFFORTS = ("low", "medium", "high")


def settings(body: dict[str, Any]) -> dict[str, Any]:
    """What a request says besides its text. Raises Refused."""
    usual(body, USUAL, "the request")
    options = only(body.get("options", {}), (*_SAME, *_MACHINE), "options")
    asked = {name: options[key] for key, name in _SAME.items() if key in options}
    if isinstance(asked.get("max_tokens"), int) and asked["max_tokens"] < 0:
        # Without a limit, or until the context is full.
        del asked["max_tokens"]
    effort = body.get("think")
    if isinstance(effort, str):
        if effort not in _EFFORTS:
            raise untranslatable("'think' in the request")
        asked["reasoning_effort"] = effort
    form = body.get("format")
    if form == "json":
        asked["response_format"] = {"type": "json_object"}
    elif isinstance(form, dict):
        asked["response_format"] = schema("answer", form)
    elif form:
        raise untranslatable("'format' in the request")
    return asked


def content(text: Any, images: Any) -> Any:
    """A text, or parts if there are images beside it. Raises Refused for one of no known kind."""
    text = text if text is not None else ""
    if not isinstance(text, str) or not isinstance(images, list | None):
        raise untranslatable("Content that is no text")
    if not images:
        return text
    said = [{"type": "text", "text": text}] if text else []
    return [*said, *(_image(data) for data in images)]


def _image(data: Any) -> dict[str, Any]:
    for beginning, kind in _IMAGES.items():
        if isinstance(data, str) and data.startswith(beginning):
            return image(f"image/{kind}", data)
    raise untranslatable("An image of a kind that is not known")


def ended(told: Told) -> dict[str, Any]:
    """The members of a last line, or of a whole answer."""
    reason = told.reason if told.reason in ("length", "content_filter") else "stop"
    counts = {"prompt_eval_count": told.prompt_tokens, "eval_count": told.completion_tokens}
    return {"done": True, "done_reason": reason, **counts}


def head(told: Told) -> dict[str, Any]:
    """The members of every line."""
    time = datetime.fromtimestamp(told.created, UTC).isoformat().replace("+00:00", "Z")
    return {"model": told.model, "created_at": time}


class LineWriter:
    """Writes JSON lines. said: the members for (thoughts, text, the answer if it is at its end)."""

    media = NDJSON

    def __init__(self, said: Callable[[str, str, Told | None], dict[str, Any]]) -> None:
        self._said = said
        self._told = Told()

    def begin(self, told: Told) -> bytes:
        """Nothing: each line has the head in it."""
        self._told = told
        return b""

    def add(self, delta: Delta) -> bytes:
        """A line for each of what was thought and what was said."""
        out = b""
        for thought, text in ((delta.reasoning, ""), ("", delta.text)):
            if thought or text:
                said = self._said(thought, text, None)
                out += self._line({**head(self._told), **said, "done": False})
        return out

    def end(self, told: Told) -> bytes:
        """The calls of tools, if there are any, and the last line."""
        out = b""
        if told.tools:
            out = self._line({**head(told), **self._said("", "", told), "done": False})
        return out + self._line({**head(told), **self._said("", "", None), **ended(told)})

    def _line(self, value: dict[str, Any]) -> bytes:
        return dumps(value).encode() + b"\n"


def error(message: str) -> dict[str, Any]:
    """Ollama's error: nothing but words."""
    return {"error": message}
