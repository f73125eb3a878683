"""What OpenAI's chat API answers, as tests say it: whole completions and streamed ones."""

from __future__ import annotations

from typing import Any

from tests.conformance.vendors import Received, Says, events, says

HEAD = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
CHUNK = {**HEAD, "object": "chat.completion.chunk"}
TEXT_HEAD = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m"}
PACKED = "AACAPwAAAEA="
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


def completion(*messages: dict[str, Any], finish: str = "stop") -> Says:
    """A whole answer, a choice for each message."""
    choices = [
        {
            "index": i,
            "message": {"role": "assistant", "content": None, **m},
            "finish_reason": finish,
        }
        for i, m in enumerate(messages)
    ]
    return says({**HEAD, "choices": choices, "usage": {"prompt_tokens": 1, "completion_tokens": 2}})


def chunks(*deltas: dict[str, Any], finish: str = "stop") -> Says:
    """An answer of one choice in chunks."""
    begun = ({"role": "assistant", "content": ""}, *deltas)
    values = [{**CHUNK, "choices": [{"index": 0, "delta": d}]} for d in begun]
    last = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    return events(*values, last, done=True)


def spoken(text: str) -> Says:
    """A streamed text, in short pieces."""
    return chunks(*({"content": piece} for piece in pieces(text)))


def called(*arguments: str) -> Says:
    """Streamed calls of tools, side by side."""
    deltas: list[dict[str, Any]] = [{"tool_calls": calls(*("" for _ in arguments))}]
    for index, text in enumerate(arguments):
        told = ({"index": index, "function": {"arguments": piece}} for piece in pieces(text, 4))
        deltas += [{"tool_calls": [call]} for call in told]
    return chunks(*deltas, finish="tool_calls")


def embedded(got: Received) -> Says:
    """The numbers 1 and 2, in the encoding that was asked for."""
    packed = got.json.get("encoding_format") == "base64"
    data = [{"object": "embedding", "index": 0, "embedding": PACKED if packed else [1.0, 2.0]}]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return says({"object": "list", "data": data, "model": "m", "usage": usage})


def failed(status: int, code: str) -> Says:
    """The vendor's error, not to be tried again."""
    error = {"message": "Not now.", "type": "x", "param": None, "code": code}
    return says({"error": error}, status, **{"x-should-retry": "false"})


def echoed(got: Received) -> Says:
    """The user's words as they arrived at the vendor."""
    return completion({"content": got.json["messages"][-1]["content"]})


def pieces(text: str, size: int = 5) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def calls(*arguments: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{i}",
            "index": i,
            "type": "function",
            "function": {"name": "find", "arguments": a},
        }
        for i, a in enumerate(arguments)
    ]
