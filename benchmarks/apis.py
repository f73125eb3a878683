"""The APIs that a stream is measured in: how each is asked, and how it answers word by word.

Written by hand from the vendors' references, so that the gateway is not measured with its own
idea of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# What a caller says, and the model's name, as a request body.
Ask = Callable[[str, str], dict[str, Any]]
# The events of an answer in these pieces of text, each as it is sent.
Tell = Callable[[list[str]], Iterator[bytes]]
CREATED = 1_760_000_000


@dataclass(frozen=True, slots=True)
class Api:
    """path: with the model's name where it says {model}. media: of its events.

    said: finds the pieces of text in the bytes of an answer. last: what its last event holds.
    backend: the kind of backend that speaks it.
    """

    name: str
    path: str
    media: str
    ask: Ask
    tell: Tell
    said: re.Pattern[bytes]
    last: bytes
    backend: str = "openai"

    def text(self, body: bytes) -> list[bytes]:
        """The pieces of text in an answer, but for empty ones."""
        return [piece for piece in self.said.findall(body) if piece]


def all_apis() -> dict[str, Api]:
    """Every API by name."""
    listed = (
        Api("chat", "/v1/chat/completions", _SSE, _ask_chat, _chat, _said("content"), b"[DONE]"),
        Api(
            "responses", "/v1/responses", _SSE, _ask_response, _response, _said("delta"),
            b"response.completed",
        ),
        Api("completions", "/v1/completions", _SSE, _ask_prompt, _completion, _said("text"),
            b"[DONE]"),
        Api("anthropic", "/v1/messages", _SSE, _ask_message, _message, _said("text"),
            b"message_stop", "anthropic"),
        Api("gemini", "/v1beta/models/{model}:streamGenerateContent?alt=sse", _SSE, _ask_gemini,
            _gemini, _said("text"), b'"finishReason":"STOP"', "gemini"),
        Api("ollama", "/api/chat", _LINES, _ask_chat, _ollama_chat, _said("content"),
            b'"done":true', "ollama"),
        Api("generate", "/api/generate", _LINES, _ask_prompt, _ollama_generate,
            _said("response"), b'"done":true', "ollama"),
    )  # fmt: skip
    return {api.name: api for api in listed}


_SSE = "text/event-stream; charset=utf-8"
_LINES = "application/x-ndjson"


def _said(member: str) -> re.Pattern[bytes]:
    return re.compile(rb'"%s":"([^"]*)"' % member.encode())


def to_json(value: object) -> bytes:
    """JSON without spaces, as most servers write it."""
    return json.dumps(value, separators=(",", ":")).encode()


def _event(value: dict[str, Any], name: str = "", end: bytes = b"\n") -> bytes:
    head = b"event: " + name.encode() + end if name else b""
    return head + b"data: " + to_json(value) + end + end


def _named(values: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    return (_event(value, value["type"]) for value in values)


def _ask_chat(text: str, model: str) -> dict[str, Any]:
    return {"model": model, "stream": True, "messages": [{"role": "user", "content": text}]}


def _ask_prompt(text: str, model: str) -> dict[str, Any]:
    return {"model": model, "stream": True, "prompt": text}


def _ask_response(text: str, model: str) -> dict[str, Any]:
    return {"model": model, "stream": True, "input": text, "store": False}


def _ask_message(text: str, model: str) -> dict[str, Any]:
    return {**_ask_chat(text, model), "max_tokens": 1_000}


def _ask_gemini(text: str, model: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def _chat(words: list[str]) -> Iterator[bytes]:
    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**head, "choices": [choice]})

    head = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": CREATED,
            "model": "words", "system_fingerprint": "fp_bench"}  # fmt: skip
    yield chunk({"role": "assistant", "content": ""})
    yield from (chunk({"content": word}) for word in words)
    yield chunk({}, "stop")
    yield b"data: [DONE]\n\n"


def _completion(words: list[str]) -> Iterator[bytes]:
    def chunk(text: str, finish: str | None = None) -> bytes:
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
        return _event({**head, "choices": [choice]})

    head = {"id": "cmpl-bench", "object": "text_completion", "created": CREATED, "model": "words"}
    yield from (chunk(word) for word in words)
    yield chunk("", "stop")
    yield b"data: [DONE]\n\n"


def _response(words: list[str]) -> Iterator[bytes]:
    numbered = enumerate(_response_events(words))
    return _named({"type": v.pop("type"), "sequence_number": i, **v} for i, v in numbered)


def _response_events(words: list[str]) -> Iterator[dict[str, Any]]:
    def part(text: str) -> dict[str, Any]:
        return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}

    whole = "".join(words)
    at: dict[str, Any] = {"item_id": "msg_bench", "output_index": 0, "content_index": 0}
    item = {"id": "msg_bench", "type": "message", "status": "in_progress", "content": [],
            "role": "assistant"}  # fmt: skip
    done = {**item, "status": "completed", "content": [part(whole)]}
    response = {"id": "resp_bench", "object": "response", "created_at": CREATED,
                "status": "in_progress", "model": "words", "output": []}  # fmt: skip
    usage = {"input_tokens": 50, "output_tokens": len(words), "total_tokens": 50 + len(words)}
    yield {"type": "response.created", "response": response}
    yield {"type": "response.in_progress", "response": response}
    yield {"type": "response.output_item.added", "output_index": 0, "item": item}
    yield {"type": "response.content_part.added", **at, "part": part("")}
    for i, word in enumerate(words):
        padding = "aZ3kQ9xLm2Vt"[: 1 + i % 12]
        yield {"type": "response.output_text.delta", **at, "delta": word, "logprobs": [],
               "obfuscation": padding}  # fmt: skip
    yield {"type": "response.output_text.done", **at, "text": whole, "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part(whole)}
    yield {"type": "response.output_item.done", "output_index": 0, "item": done}
    ended = {**response, "status": "completed", "output": [done], "usage": usage}
    yield {"type": "response.completed", "response": ended}


def _message(words: list[str]) -> Iterator[bytes]:
    return _named(_message_events(words))


def _message_events(words: list[str]) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": {
        "id": "msg_bench", "type": "message", "role": "assistant", "model": "words",
        "content": [], "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": 50, "output_tokens": 1}}}  # fmt: skip
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for word in words:
        delta = {"type": "text_delta", "text": word}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
           "usage": {"output_tokens": len(words)}}  # fmt: skip
    yield {"type": "message_stop"}


def _gemini(words: list[str]) -> Iterator[bytes]:
    for number, word in enumerate(words, 1):
        said: dict[str, Any] = {"content": {"parts": [{"text": word}], "role": "model"}}
        if number == len(words):
            said["finishReason"] = "STOP"
        counts = {"promptTokenCount": 50, "candidatesTokenCount": number,
                  "totalTokenCount": 50 + number}  # fmt: skip
        chunk = {"candidates": [{**said, "index": 0}], "usageMetadata": counts,
                 "modelVersion": "words", "responseId": "bench"}  # fmt: skip
        yield _event(chunk, end=b"\r\n")


def _ollama_chat(words: list[str]) -> Iterator[bytes]:
    return _ollama(words, lambda text: {"message": {"role": "assistant", "content": text}})


def _ollama_generate(words: list[str]) -> Iterator[bytes]:
    return _ollama(words, lambda text: {"response": text})


def _ollama(words: list[str], said: Callable[[str], dict[str, Any]]) -> Iterator[bytes]:
    def line(number: int, text: str, **more: Any) -> bytes:
        at = f"2026-01-01T12:00:00.{number:06d}Z"
        return to_json({"model": "words", "created_at": at, **said(text), **more}) + b"\n"

    yield from (line(i, word, done=False) for i, word in enumerate(words))
    yield line(len(words), "", done=True, done_reason="stop", prompt_eval_count=50,
               eval_count=len(words))  # fmt: skip
